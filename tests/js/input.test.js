import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { fakePage } from "./page.js";
import { load, PROGRAMS } from "./programs.js";

const NAMES = ["arrowStep", "keyAction", "camera", "zoomBy", "cursorAt", "onDown", "onMove", "onUp", "setState"];
let canvas, events, dialled;

const layer = (key, boxes, more = {}) => ({
  key, label: key, colour: "#000000", visible: true, count: boxes.length, boxes: new Float32Array(boxes.flat()),
  captions: [], labels: boxes.map(() => 0), values: null, links: null, dashed: false, width: 1, ...more,
});

beforeEach(() => {
  [events, dialled] = [[], []];
  const page = { ...fakePage(), trigger: (name, data) => events.push([name, data]) };
  page.live = { ...page.live, dial: (...dial) => dialled.push(dial) };
  // The state of the component is `let`: a function in the same scope sets it.
  const setState = `
    function setState(layers, on) {
      view = { ...view, width: 200, height: 100, editable: true, max_boxes: 9, layers, pixels_key: "mine/a.png" };
      [size, editing] = [{ width: 400, height: 200 }, on];
      editor.adopt(view);
      editor.choose(0);
      moveTo(0, 0);
    }`;
  canvas = load(PROGRAMS.canvas, NAMES, page, setState);
  canvas.setState([layer("truth", [[10, 10, 30, 30]]), layer("hidden", [[12, 12, 14, 14]], { visible: false })], false);
});

const key = (name, more = {}) => canvas.keyAction({ key: name, shiftKey: false, ctrlKey: false, ...more });

const pointer = (type, x, y, more = {}) => ({
  type, button: 0, pointerId: 1, pointerType: "mouse", clientX: x, clientY: y, shiftKey: false, ...more,
});

function drag(from, to) {
  canvas.onDown(pointer("pointerdown", ...from));
  canvas.onMove(pointer("pointermove", ...to));
  canvas.onUp(pointer("pointerup", ...to));
}

test("arrow keys are steps along the axes", () => {
  const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "a"];
  assert.deepEqual(keys.map(canvas.arrowStep), [[-1, 0], [1, 0], [0, -1], [0, 1], undefined]);
});

test("arrows are left to the page until there is something to move", () => {
  assert.equal(key("ArrowLeft"), undefined);
  canvas.zoomBy(2, { x: 0, y: 0 });
  key("ArrowRight")();
  assert.deepEqual([canvas.camera.x, canvas.camera.y], [-40, 0]);
  key("ArrowLeft")();
  key("ArrowLeft")();
  assert.equal(canvas.camera.x, 0);  // no gap at the edge
});

test("plus and minus zoom within the limits, zero fits the picture", () => {
  for (let i = 0; i < 30; i++) key("+")();
  assert.deepEqual([canvas.camera.zoom, canvas.camera.scale], [40, 80]);
  for (let i = 0; i < 60; i++) key("-")();
  assert.deepEqual([canvas.camera.zoom, canvas.camera.x, canvas.camera.y], [0.5, 100, 50]);
  key("0")();
  assert.deepEqual([canvas.camera.zoom, canvas.camera.x, canvas.camera.y], [1, 0, 0]);
});

test("keys without a meaning, and those of the editor while it is off, are left to the page", () => {
  for (const name of ["a", "n", "b", "1", "Delete", "Escape", "Tab"]) assert.equal(key(name), undefined);
  assert.equal(key("+", { ctrlKey: true }), undefined);  // the browser's own zoom
  assert.equal(key("ArrowLeft", { altKey: true }), undefined);
});

test("a click reports the point in the picture and the smallest visible box under it", () => {
  drag([26, 26], [27, 28]);
  assert.deepEqual(events, [["select", { x: 13.5, y: 14, layer: "truth", index: 0, pixels_key: "mine/a.png" }]]);
  drag([300, 150], [300, 150]);
  assert.deepEqual(events.at(-1), ["select", { x: 150, y: 75, layer: "", index: -1, pixels_key: "mine/a.png" }]);
});

test("a box that can be dragged becomes a dial, and stays under the pointer when an older answer comes", () => {
  canvas.setState([layer("target", [[10, 10, 30, 30]], { carries: "7" })], false);
  drag([40, 40], [60, 50]);  // two canvas pixels for one of the picture
  assert.deepEqual(dialled, [["box", "7,20,15,40,35"]]);
  drag([80, 70], [100, 90]);  // its lower right corner
  assert.deepEqual(dialled.at(-1), ["box", "7,20,15,50,45"]);
  drag([60, 50], [61, 50]);
  assert.deepEqual(events.map(([name]) => name), ["select"]);  // a click, no drag
  drag([190, 150], [150, 150]);
  assert.equal(dialled.length, 2);  // beside the box
});

test("a drag moves a zoomed picture and is no click", () => {
  canvas.zoomBy(2, { x: 0, y: 0 });
  drag([100, 100], [70, 80]);
  assert.deepEqual([canvas.camera.x, canvas.camera.y, events], [-30, -20, []]);
});

test("two fingers zoom around their middle", () => {
  canvas.onDown(pointer("pointerdown", 100, 100, { pointerType: "touch" }));
  canvas.onDown(pointer("pointerdown", 200, 100, { pointerType: "touch", pointerId: 2 }));
  canvas.onMove(pointer("pointermove", 300, 100, { pointerType: "touch", pointerId: 2 }));
  // The middle moves from 150 to 200 and the distance doubles: 200 - 2 · (200 - 50).
  assert.deepEqual([canvas.camera.zoom, canvas.camera.x], [2, -100]);
  canvas.onUp(pointer("pointerup", 300, 100, { pointerId: 2 }));
  canvas.onUp(pointer("pointerup", 100, 100));
  assert.deepEqual(events, []);
});

test("while editing, a drag changes boxes, arrows nudge, and the cursor says what a drag would do", () => {
  canvas.setState([layer("truth", [[10, 10, 30, 30]])], true);
  const cursor = (x, y) => canvas.cursorAt({ x, y }, 3);
  assert.deepEqual([cursor(20, 20), cursor(100, 50)], ["move", "crosshair"]);
  drag([40, 40], [60, 40]);
  const moved = { x1: 20, y1: 10, x2: 40, y2: 30, label: 0 };
  assert.deepEqual(events, [["edit", { boxes: [moved], classes: [], rejected: [], pixels_key: "mine/a.png" }]]);
  assert.deepEqual([cursor(20, 10), cursor(40, 20)], ["nwse-resize", "ew-resize"]);
  key("ArrowDown", { shiftKey: true })();
  key("Delete")();
  assert.deepEqual(events.at(-1), ["edit", { boxes: [], classes: [], rejected: [], pixels_key: "mine/a.png" }]);
});
