import assert from "node:assert/strict";
import { test } from "node:test";

import { fakePage } from "./page.js";
import { load } from "./programs.js";

const CURVE = ["fillCurve", "addStroke", "compareCurves", "describeCurve", "padPoints"];
const pad = load(["lessons/curve_pad.js"], CURVE, fakePage());
const { fillCurve, addStroke, compareCurves, describeCurve, padPoints } = pad;
const MARKS = ["overlapOf", "matchMarks", "describeMarks", "nudge"];
const { overlapOf, matchMarks, describeMarks, nudge } = load(["lessons/box_marks.js"], MARKS, fakePage());

test("what is not drawn lies on straight lines, and level beyond the ends", () => {
  assert.deepEqual(fillCurve([null, 1, null, 3, null]), [1, 1, 2, 3, 3]);
  assert.deepEqual(fillCurve([null, null]), []);
});

test("a stroke leaves no gaps", () => {
  const heights = [null, null, null, null, null];
  addStroke(heights, { at: 3, height: 0 }, { at: 1, height: 1 });
  assert.deepEqual(heights, [null, 1, 0.5, 0, null]);
  addStroke(heights, { at: 4, height: 7 }, { at: 4, height: 7 });
  assert.equal(heights[4], 7);
});

test("the largest difference is named", () => {
  assert.deepEqual(compareCurves([0, 1, 0], [0, 0.25, 0]), { at: 1, drawn: 1, truth: 0.25, mean: 0.25 });
  const drawing = { x: "p_t", y: "loss", height: 1, truth: [0, 0.25, 0] };
  const said = describeCurve([0, 1, 0], drawing);
  assert.match(said, /at p_t = 0\.5: you drew loss 1, and it is 0\.25\..* 25% of the height/);
  assert.match(describeCurve([0, 0.25, 0.05], drawing), /very close/);
  assert.match(describeCurve([], drawing), /not drawn a curve/);
  assert.equal(describeCurve([0], { ...drawing, truth: null }), "");
});

test("curves stay within the pad", () => {
  const [low, high, beyond] = padPoints([0, 1, 9], 1).split(" ").map((point) => Number(point.split(",")[1]));
  assert.ok(low > high && high === beyond);
});

const OBJECTS = [
  { box: [0, 0, 10, 10], name: "leaf", missed: true }, { box: [50, 50, 90, 90], name: "gem", missed: true },
  { box: [50, 0, 90, 20], name: "shell", missed: false },
];
const DRAWING = { width: 100, height: 100, truth: OBJECTS };
const corners = (x1, y1, x2, y2) => ({ x1, y1, x2, y2 });

test("a box means the object that it overlaps most", () => {
  assert.equal(overlapOf(corners(0, 0, 2, 2), corners(1, 0, 3, 2)), 1 / 3);
  assert.equal(overlapOf(corners(0, 0, 1, 1), corners(2, 2, 3, 3)), 0);
  assert.deepEqual(matchMarks([corners(0, 0, 1, 1), corners(5, 5, 6, 6)], [corners(0, 0, 1, 0.9)]), [0, -1]);
});

test("drawn boxes are compared with the missed objects in words", () => {
  const said = describeMarks([corners(0, 0, 0.1, 0.1), corners(0.5, 0, 0.9, 0.2), corners(0, 0.8, 0.1, 1)], DRAWING);
  assert.equal(said, "You marked 1 of 2 missed objects: leaf. Not marked: gem. "
    + "One object that you marked is found. One box means no object.");
  assert.equal(describeMarks([], DRAWING), "You marked 0 of 2 missed objects. Not marked: leaf and gem.");
  assert.equal(describeMarks([], { ...DRAWING, truth: [OBJECTS[2]] }), "Right: no object is missed.");
});

test("keys keep a box within the picture", () => {
  const box = corners(0.9, 0, 1, 0.1);
  nudge(box, 0.02, 0.02, false);
  assert.deepEqual(box, corners(0.9, 0.02, 1, 0.12000000000000001));
  nudge(box, 0, -0.5, true);
  assert.deepEqual([box.y1, box.y2], [0.02, 0.04]);
});
