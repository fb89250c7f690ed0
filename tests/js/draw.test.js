import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

const files = ["canvas/geometry.js", "canvas/view.js", "canvas/draw.js", "canvas/tags.js"];
const { deviceRects, isDense, opacity, paintLayer, hasRoomForTag, tagOf, isInside, overlap, shorten } = load(files, [
  "deviceRects", "isDense", "opacity", "paintLayer", "hasRoomForTag", "tagOf", "isInside", "overlap", "shorten",
]);

const CAMERA = { ratio: 2, scale: 3, x: 10, y: -20, text: 20 };
const CANVAS = { width: 200, height: 100 };

/** A stand-in for a canvas context that records which rectangles are drawn, and how opaque. */
function recorder() {
  const calls = [];
  const ctx = { canvas: CANVAS, calls, globalAlpha: 1, lineWidth: 1, strokeStyle: "", fillStyle: "" };
  ctx.strokeRect = (...rect) => calls.push(["stroke", ctx.strokeStyle, ctx.lineWidth, ctx.globalAlpha, ...rect]);
  ctx.fillRect = (...rect) => calls.push(["fill", ctx.fillStyle, ctx.globalAlpha, ...rect]);
  return ctx;
}

test("boxes are on whole device pixels, at least one wide", () => {
  const boxes = new Float32Array([1, 10, 2.1, 12, 5, 10, 5, 10]);
  // left = 2 · (10 + 3 · 1) = 26, right = 2 · (10 + 6.3) = 32.6; top = 2 · (-20 + 30) = 20, bottom = 2 · 16 = 32
  assert.deepEqual([...deviceRects(boxes, CAMERA, CANVAS)], [26, 20, 7, 12, 50, 20, 1, 1]);
});

test("boxes outside the canvas have no width, those that touch it have", () => {
  const camera = { ratio: 1, scale: 1, x: 0, y: 0 };
  const boxes = new Float32Array([-9, 0, -1, 5, -9, 0, 0, 5, 201, 0, 210, 5, 0, 101, 9, 110]);
  const widths = [...deviceRects(boxes, camera, CANVAS)].filter((_, index) => index % 4 === 2);
  assert.deepEqual(widths, [0, 9, 0, 0]);
});

test("values are opacity, limited, and never invisible", () => {
  const layer = { values: new Float32Array([0, 0.5, 1, 7, -1]) };
  assert.deepEqual([0, 1, 2, 3, 4].map((index) => opacity(layer, index)), [0.2, 0.6000000000000001, 1, 1, 0.2]);
  assert.equal(opacity({ values: null }, 0), 1);
});

test("a layer of few boxes has halos, one of many has thin translucent lines", () => {
  const boxes = new Float32Array([0, 0, 10, 10]);
  const one = { colour: "#000000", boxes, width: 2, values: null, links: null, dashed: false };
  const camera = { ratio: 1, scale: 1, x: 0, y: 0 };
  const few = recorder();
  paintLayer(few, { ...one, count: 400 }, camera);
  assert.deepEqual(few.calls, [["stroke", "#fff", 4, 0.55, 0, 0, 10, 10], ["stroke", "#000000", 2, 1, 0, 0, 10, 10]]);
  const many = recorder();
  paintLayer(many, { ...one, count: 1600, dashed: true }, camera);
  assert.deepEqual(many.calls, [["stroke", "#000000", 1, 0.5, 0.5, 0.5, 10, 10]]);  // √(400 / 1600)
  assert.deepEqual([few.globalAlpha, isDense({ count: 400 }), isDense({ count: 401 })], [1, false, true]);
});

test("a tag is on top of its box, or inside where there is no room above", () => {
  assert.deepEqual(tagOf([1, 20, 9, 30], 12, CAMERA), { left: 13, top: 17, width: 20, height: 23 });  // edge at 40
  assert.deepEqual(tagOf([1, 14, 9, 30], 12, CAMERA), { left: 13, top: 22, width: 20, height: 23 });  // edge at 22
});

test("small boxes have no tag, and tags neither overlap nor leave the canvas", () => {
  const boxes = [[0, 0, 10, 6], [0, 0, 9, 6], [0, 0, 10, 5]];
  assert.deepEqual(boxes.map((box) => hasRoomForTag(box, 2)), [true, false, false]);
  const tag = { left: 0, top: 0, width: 10, height: 5 };
  assert.equal(overlap(tag, { ...tag, left: 9, top: 4 }), true);
  assert.equal(overlap(tag, { ...tag, left: 10 }), false);
  assert.equal(overlap(tag, { ...tag, top: 5 }), false);
  assert.equal(isInside(tag, { width: 10, height: 5 }), true);
  assert.equal(isInside(tag, { width: 9, height: 5 }), false);
  assert.equal(isInside({ ...tag, left: -5 }, { width: 100, height: 50 }), false);
});

test("long captions are shortened to thirty characters", () => {
  /** @type {(name: string) => string} */
  const apart = (name) => `\u2068${name}\u2069`;
  assert.equal(shorten("x".repeat(30)), apart("x".repeat(30)));
  assert.equal(shorten("x".repeat(31)), apart(`${"x".repeat(29)}…`));
  assert.equal(shorten(`${"x".repeat(40)} 0.91`), `${apart(`${"x".repeat(24)}…`)} 0.91`);
  const accented = "e\u0301\u0302";  // one letter
  assert.equal(shorten(accented.repeat(31)), apart(`${accented.repeat(29)}…`));
  assert.equal(shorten("תפוח 0.91"), `${apart("תפוח")} 0.91`);
  assert.equal(shorten("🧑🏽‍🚀".repeat(30)), apart("🧑🏽‍🚀".repeat(30)));
  assert.equal(shorten(""), apart(""));
});
