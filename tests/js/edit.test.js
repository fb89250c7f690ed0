import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FakeClock } from "./page.js";
import { load } from "./programs.js";

const FILES = ["canvas/geometry.js", "canvas/boxes.js", "canvas/edit.js"];
let clock, view, sent, messages, editor;

const truth = (...boxes) => ({
  key: "truth", count: boxes.length, boxes: new Float32Array(boxes.flat()), labels: boxes.map(() => 0),
});
const viewOf = (...boxes) => ({
  width: 100, height: 80, editable: true, classes: ["cat", "dog"], max_boxes: 2, layers: [truth(...boxes)],
});
const shown = () => [...view.layers[0].boxes];
const at = (x, y) => ({ x, y });

function drag(from, to, { reach = 3, drawNew = false } = {}) {
  editor.down(from, reach, drawNew);
  editor.move(to);
  editor.up();
}

beforeEach(() => {
  [clock, sent, messages] = [new FakeClock(), [], []];
  const { createEditor } = load(FILES, ["createEditor"], clock.globals);
  view = viewOf([10, 10, 50, 50]);
  editor = createEditor({
    view: () => view,
    repaint: () => {},
    send: (boxes) => sent.push(boxes),
    showMessage: (sentence) => messages.push(sentence),
    chosenClass: () => 1,
  }, () => {});
  editor.adopt(view);
});

test("a drag on free ground draws a box of the chosen class", () => {
  drag(at(90, 70), at(60, 55));
  const [first, second] = [{ x1: 10, y1: 10, x2: 50, y2: 50, label: 0 }, { x1: 60, y1: 55, x2: 90, y2: 70, label: 1 }];
  assert.deepEqual(sent, [[first, second]]);
  assert.deepEqual(editor.selection(), { x1: 60, y1: 55, x2: 90, y2: 70, label: 1 });
});

test("a click selects, sends nothing, and a trembling one moves nothing", () => {
  drag(at(20, 20), at(21, 21));
  assert.deepEqual([sent, editor.selection().x1], [[], 10]);
});

test("a drag inside a box moves it, with Shift it draws inside", () => {
  drag(at(20, 20), at(25, 30));
  assert.deepEqual(sent.at(-1), [{ x1: 15, y1: 20, x2: 55, y2: 60, label: 0 }]);
  drag(at(20, 25), at(30, 35), { drawNew: true });
  assert.deepEqual(sent.at(-1)[1], { x1: 20, y1: 25, x2: 30, y2: 35, label: 1 });
});

test("the selected box is resized at its handles", () => {
  drag(at(20, 20), at(20, 20));
  drag(at(51, 49), at(61, 69));
  assert.deepEqual(sent, [[{ x1: 10, y1: 10, x2: 60, y2: 70, label: 0 }]]);
});

test("a box thinner than a pixel is dropped", () => {
  drag(at(60, 60), at(60.5, 75), { reach: 1 });
  assert.deepEqual(sent, [[{ x1: 10, y1: 10, x2: 50, y2: 50, label: 0 }]]);
  assert.equal(editor.selection(), null);
});

test("no more boxes than the limit can be drawn", () => {
  drag(at(60, 60), at(70, 70));
  drag(at(80, 60), at(90, 70));
  assert.deepEqual([sent.length, messages], [1, ["At most 2 boxes can be drawn."]]);
});

test("a gesture can be cancelled", () => {
  editor.down(at(20, 20), 3, false);
  editor.move(at(40, 40));
  assert.deepEqual(shown(), [30, 30, 70, 70]);
  editor.cancel();
  assert.deepEqual([shown(), sent], [[10, 10, 50, 50], []]);
  editor.down(at(60, 60), 3, false);
  editor.move(at(70, 70));
  editor.deselect();
  assert.deepEqual([shown(), sent], [[10, 10, 50, 50], []]);
});

test("delete and a new class apply to the selected box alone", () => {
  editor.remove();
  editor.relabel(1);
  assert.deepEqual(sent, []);
  drag(at(20, 20), at(20, 20));
  editor.relabel(1);
  assert.deepEqual(view.layers[0].captions, ["dog"]);
  editor.remove();
  assert.deepEqual(sent.map((boxes) => boxes.length), [1, 0]);
});

test("nudges are one change once they pause", async () => {
  drag(at(20, 20), at(20, 20));
  editor.nudge(1, 0);
  await clock.wait(200);
  editor.nudge(1, -10);
  await clock.wait(249);
  assert.deepEqual(sent, []);
  await clock.wait(1);
  assert.deepEqual(sent, [[{ x1: 12, y1: 0, x2: 52, y2: 40, label: 0 }]]);
});

test("a late answer to an earlier change does not undo a later one", () => {
  drag(at(20, 20), at(25, 20));
  drag(at(20, 20), at(26, 20));
  view = viewOf([15, 10, 55, 50]);  // Python's answer to the first change
  editor.adopt(view);
  assert.deepEqual(shown(), [21, 10, 61, 50]);
  view = viewOf([21, 10, 61, 50]);
  editor.adopt(view);
  assert.deepEqual(shown(), [21, 10, 61, 50]);
});

test("two seconds later such an answer is a new ground truth", async () => {
  drag(at(20, 20), at(25, 20));
  drag(at(20, 20), at(26, 20));
  await clock.wait(2000);
  view = viewOf([15, 10, 55, 50]);
  editor.adopt(view);
  drag(at(20, 20), at(30, 20));
  assert.equal(sent.at(-1)[0].x1, 25);
});

test("another ground truth from Python is taken over", () => {
  drag(at(20, 20), at(25, 20));
  view = viewOf([1, 2, 30, 40], [5, 5, 9, 9]);
  editor.adopt(view);
  editor.deselect();
  drag(at(7, 7), at(8, 7), { reach: 0.5 });
  assert.deepEqual(sent.at(-1).map(({ x1 }) => x1), [1, 6]);
});

test("after a reset nothing is selected or sent", () => {
  drag(at(20, 20), at(20, 20));
  editor.reset();
  assert.equal(editor.selection(), null);
  assert.deepEqual(sent, []);
});
