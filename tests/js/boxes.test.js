import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

const names = [
  "normalizeBox", "moveBox", "resizeBox", "handlePosition", "findHandle", "findBox", "fingerprint", "readBoxes",
  "writeBoxes", "HANDLES", "isSameBox", "stretchBox", "countNoun", "relabelDrawn",
];
const {
  normalizeBox, moveBox, resizeBox, handlePosition, findHandle, findBox, fingerprint, readBoxes, writeBoxes, HANDLES,
  isSameBox, stretchBox, countNoun, relabelDrawn,
} = load(["canvas/geometry.js", "canvas/boxes.js"], names);

const PICTURE = { width: 100, height: 80 };
const box = (x1, y1, x2, y2) => ({ x1, y1, x2, y2 });

test("a box has its corners in order, inside the picture, in hundredths of a pixel", () => {
  assert.deepEqual(normalizeBox(box(30, 50, 10, 20), PICTURE), box(10, 20, 30, 50));
  assert.deepEqual(normalizeBox(box(-5, -1, 130, 90), PICTURE), box(0, 0, 100, 80));
  assert.deepEqual(normalizeBox(box(1.004, 2.006, 3.333, 4.999), PICTURE), box(1, 2.01, 3.33, 5));
});

test("a moved box keeps its size and stops at the edges", () => {
  assert.deepEqual(moveBox(box(10, 10, 30, 20), 5, -3, PICTURE), box(15, 7, 35, 17));
  assert.deepEqual(moveBox(box(10, 10, 30, 20), -50, 500, PICTURE), box(0, 70, 20, 80));
});

test("a handle moves its own sides only", () => {
  const start = box(10, 10, 30, 20);
  assert.deepEqual(resizeBox(start, [-1, -1], 2, 3, PICTURE), box(12, 13, 30, 20));
  assert.deepEqual(resizeBox(start, [1, 0], 7, 50, PICTURE), box(10, 10, 37, 20));
  assert.deepEqual(resizeBox(start, [0, 1], 50, 100, PICTURE), box(10, 10, 30, 80));
});

test("a side dragged past the opposite one turns the box over", () => {
  assert.deepEqual(resizeBox(box(10, 10, 30, 20), [-1, 0], 25, 0, PICTURE), box(30, 10, 35, 20));
});

test("the eight handles are at the corners and the middles of the sides", () => {
  const at = HANDLES.map((handle) => handlePosition(box(10, 20, 30, 60), handle)).map(({ x, y }) => [x, y]);
  assert.deepEqual(at, [[10, 20], [20, 20], [30, 20], [30, 40], [30, 60], [20, 60], [10, 60], [10, 40]]);
});

test("a handle is found within reach, in both directions", () => {
  const start = box(10, 20, 30, 60);
  assert.deepEqual(findHandle(start, { x: 33, y: 57 }, 3), [1, 1]);
  assert.equal(findHandle(start, { x: 33.1, y: 57 }, 3), null);
  assert.deepEqual(findHandle(start, { x: 10, y: 43 }, 3), [-1, 0]);
  assert.equal(findHandle(start, { x: 20, y: 40 }, 3), null);  // the middle
});

test("a click selects the smallest box, but keeps the selected one while it is inside", () => {
  const boxes = [box(0, 0, 50, 50), box(10, 10, 20, 20), box(12, 12, 40, 40)];
  assert.equal(findBox(boxes, -1, { x: 15, y: 15 }), 1);
  assert.equal(findBox(boxes, 2, { x: 15, y: 15 }), 2);
  assert.equal(findBox(boxes, 2, { x: 5, y: 5 }), 0);
  assert.equal(findBox(boxes, 0, { x: 60, y: 5 }), -1);
  assert.equal(findBox([], -1, { x: 0, y: 0 }), -1);
});

test("of equal boxes the first is selected", () => {
  assert.equal(findBox([box(0, 0, 5, 5), box(0, 0, 5, 5)], -1, { x: 5, y: 5 }), 0);
});

test("boxes that differ by less than a hundredth have the same fingerprint, other labels do not", () => {
  const one = { ...box(1, 2, 3, 4), label: 0 };
  const classes = ["cat", "dog"];
  assert.equal(fingerprint([one], classes), '[["1.00","2.00","3.00","4.00","cat"]]');
  assert.equal(fingerprint([{ ...one, x1: 1.004 }], classes), fingerprint([one], classes));
  assert.notEqual(fingerprint([{ ...one, x1: 1.006 }], classes), fingerprint([one], classes));
  assert.notEqual(fingerprint([{ ...one, label: 1 }], classes), fingerprint([one], classes));
  assert.equal(fingerprint([{ ...one, label: 1 }], ["dog", "cat"]), fingerprint([one], classes));
});

test("boxes are read from a layer and written back with their captions", () => {
  const layer = { count: 2, boxes: new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]), labels: [1, 7], values: 1, links: 1 };
  const boxes = readBoxes(layer);
  assert.deepEqual(boxes, [{ ...box(1, 2, 3, 4), label: 1 }, { ...box(5, 6, 7, 8), label: 7 }]);
  writeBoxes(boxes.toReversed(), layer, ["cat", "dog"], []);
  assert.deepEqual([...layer.boxes], [5, 6, 7, 8, 1, 2, 3, 4]);
  assert.deepEqual([layer.count, layer.labels, layer.captions], [2, [7, 1], ["new box 1", "dog 2"]]);
  assert.deepEqual([layer.values, layer.links, layer.colours], [null, null, undefined]);
});

test("where classes have colours, boxes have them", () => {
  const layer = { colour: "#ffff00", dashed: true };
  writeBoxes([1, 0, 5].map((label) => ({ ...box(1, 2, 3, 4), label })), layer, ["cat", "dog"], ["#000000", "#ff0000"]);
  assert.deepEqual(layer.colours, ["#ff0000", "#000000", "#ffff00"]);
  assert.deepEqual([layer.captions, layer.dashed], [["dog 1", "cat 2", "new box 3"], false]);
});

test("boxes are the same within what is lost on the way", () => {
  assert.equal(isSameBox(box(1, 2, 3, 4), box(1.04, 2, 3, 3.96)), true);
  assert.equal(isSameBox(box(1, 2, 3, 4), box(1, 2, 3, 4.1)), false);
});

test("a box is stretched at its right and lower sides, by no more than there is", () => {
  const picture = { width: 100, height: 50 };
  assert.deepEqual(stretchBox(box(10, 10, 20, 20), 5, -4, picture), box(10, 10, 25, 16));
  assert.deepEqual(stretchBox(box(10, 10, 20, 20), -30, 60, picture), box(10, 10, 11, 50));
});

test("a number has its noun", () => {
  assert.deepEqual([0, 1, 2].map((count) => countNoun(count, "object")), ["0 objects", "1 object", "2 objects"]);
});

test("a drawing's boxes and suggestions get new classes, -1 where theirs is gone", () => {
  const drawn = { boxes: [{ label: 0 }, { label: 2 }], suggestions: [{ label: 1 }], rejected: [box(1, 2, 3, 4)] };
  const { boxes, suggestions, rejected } = relabelDrawn(drawn, [0, 0]);
  assert.deepEqual([boxes, suggestions, rejected], [[{ label: 0 }, { label: -1 }], [{ label: 0 }], drawn.rejected]);
  assert.equal(drawn.boxes[1].label, 2);
});
