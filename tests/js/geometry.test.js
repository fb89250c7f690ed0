import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

const {
  clamp, fitSize, clampOffset, zoomAround, wheelFactor, toPicture, tipOffset, boxAt, heatAt, MIN_ZOOM, MAX_ZOOM,
} = load(["canvas/geometry.js"], [
  "clamp", "fitSize", "clampOffset", "zoomAround", "wheelFactor", "toPicture", "tipOffset", "boxAt", "heatAt",
  "MIN_ZOOM", "MAX_ZOOM",
]);

const layer = (key, ...boxes) => ({ key, boxes: new Float32Array(boxes.flat()) });

test("a value is limited to an interval, an empty one gives its upper end", () => {
  assert.deepEqual([-1, 0.5, 7].map((value) => clamp(value, 0, 2)), [0, 0.5, 2]);
  assert.equal(clamp(3, 5, 1), 1);
});

test("the canvas fits the container's width and the tallest height in the picture's proportions", () => {
  const picture = { width: 400, height: 300 };
  assert.deepEqual(fitSize(200, 1000, picture), { width: 200, height: 150 });
  assert.deepEqual(fitSize(1000, 150, picture), { width: 200, height: 150 });  // 150 high: 150 · 400 / 300 = 200 wide
  assert.deepEqual(fitSize(101.9, 1000, picture), { width: 101, height: 76 });  // 101 · 0.75 = 75.75
  assert.equal(fitSize(0, 1000, picture).width, 0);
});

test("a zoomed picture leaves no gap at the edges, a smaller one is centred", () => {
  assert.equal(clampOffset(10, 100, 2), 0);
  assert.equal(clampOffset(-130, 100, 2), -100);
  assert.equal(clampOffset(-40, 100, 2), -40);
  assert.equal(clampOffset(-40, 100, 1), 0);
  assert.equal(clampOffset(3, 100, 0.5), 25);
});

test("the point under the pointer stays where it is while zooming", () => {
  const camera = { zoom: 2, x: -30, y: 10 };
  const at = { x: 50, y: 70 };
  const zoomed = zoomAround(camera, 1.5, at);
  assert.deepEqual(zoomed, { zoom: 3, x: -70, y: -20 });  // 50 - 80 · 1.5 and 70 - 60 · 1.5
  const point = (view) => [(at.x - view.x) / view.zoom, (at.y - view.y) / view.zoom];
  assert.deepEqual(point(zoomed), point(camera));
});

test("zoom stays within its limits, and at a limit nothing moves", () => {
  assert.deepEqual([MIN_ZOOM, MAX_ZOOM], [0.5, 40]);
  assert.equal(zoomAround({ zoom: 1, x: 0, y: 0 }, 0.001, { x: 5, y: 5 }).zoom, 0.5);
  assert.deepEqual(zoomAround({ zoom: 40, x: -7, y: -9 }, 2, { x: 5, y: 5 }), { zoom: 40, x: -7, y: -9 });
});

test("the wheel zooms in when scrolled up, and one notch no further than the limit", () => {
  assert.equal(wheelFactor(0), 1);
  assert.equal(wheelFactor(-10), Math.exp(0.1));
  assert.equal(wheelFactor(-120), Math.exp(0.25));
  assert.equal(wheelFactor(120), Math.exp(-0.25));
});

test("points of the canvas become points of the picture", () => {
  assert.deepEqual(toPicture({ x: 50, y: 20 }, { x: 10, y: -20, scale: 4 }), { x: 10, y: 10 });
});

test("the tooltip is after the pointer, before it without room, never beyond the left edge", () => {
  assert.equal(tipOffset(10, 30, 100), 24);
  assert.equal(tipOffset(56, 30, 100), 70);  // ends exactly at the edge
  assert.equal(tipOffset(57, 30, 100), 17);
  assert.equal(tipOffset(20, 90, 100), 0);
});

test("the smallest box under a point is hit, of equal ones the uppermost", () => {
  const below = layer("below", [0, 0, 100, 100], [10, 10, 20, 20]);
  const above = layer("above", [10, 10, 20, 20]);
  assert.deepEqual(boxAt([below, above], { x: 15, y: 15 }, 0), { layer: above, index: 0 });
  assert.deepEqual(boxAt([above, below], { x: 15, y: 15 }, 0), { layer: below, index: 1 });
  assert.deepEqual(boxAt([below, above], { x: 50, y: 50 }, 0), { layer: below, index: 0 });
});

test("edges belong to a box, and slack widens it", () => {
  const layers = [layer("one", [10, 10, 20, 20])];
  assert.equal(boxAt(layers, { x: 20, y: 10 }, 0).index, 0);
  assert.equal(boxAt(layers, { x: 20.5, y: 10 }, 0), null);
  assert.equal(boxAt(layers, { x: 20.5, y: 10 }, 1).index, 0);
  assert.equal(boxAt([], { x: 0, y: 0 }, 5), null);
});

test("a heat map's value is that of the cell under the point", () => {
  const steps = new Uint8Array([0, 51, 102, 153, 204, 255]);
  const heat = { extent: [10, 20, 40, 40], rows: 2, columns: 3, steps, scale: 5 };  // cells of 10 × 10
  assert.equal(heatAt(heat, { x: 10, y: 20 }), 0);
  assert.equal(heatAt(heat, { x: 29.9, y: 29.9 }), 1);  // 51 / 255 · 5
  assert.equal(heatAt(heat, { x: 30, y: 30 }), 5);
  for (const outside of [{ x: 9.9, y: 25 }, { x: 40, y: 25 }, { x: 15, y: 19.9 }, { x: 15, y: 40 }]) {
    assert.equal(heatAt(heat, outside), null);
  }
  assert.equal(heatAt({ ...heat, steps: new Uint8Array() }, { x: 15, y: 25 }), null);
});
