import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

const program = load(["canvas/view.js"], [
  "decodeBytes", "decodeFloats", "decodeView", "rgb", "heatChannel", "HEAT_COLOURS", "contrast", "formatNumber",
]);
const { decodeBytes, decodeFloats, decodeView, rgb, heatChannel, HEAT_COLOURS, contrast, formatNumber } = program;

test("bytes and float32 arrays are read from base64", () => {
  assert.deepEqual([...decodeBytes("AAF/gP8=")], [0, 1, 127, 128, 255]);
  assert.deepEqual([...decodeFloats("AACAPwAAIMA=")], [1, -2.5]);  // 3f800000 and c0200000, little-endian
  assert.deepEqual([...decodeFloats("")], []);
  assert.equal(decodeFloats(null), null);
});

test("bytes that are no multiple of four are refused", () => {
  assert.throws(() => decodeFloats("AAE="), RangeError);
});

test("an empty value is a view without a picture", () => {
  for (const value of ["", undefined]) {
    const view = decodeView(value);
    assert.deepEqual([view.picture, view.layers, view.heat, view.editable], [null, [], null, false]);
  }
});

test("a view's arrays are decoded in place", () => {
  const layer = { key: "truth", boxes: "AAAAAAAAAAAAAIA/AAAAQA==", values: "AAAAPw==", links: null };
  const heat = { key: "loss", values: "AP8=" };
  const view = decodeView(JSON.stringify({ picture: "hash", layers: [layer], heat }));
  assert.deepEqual([...view.layers[0].boxes], [0, 0, 1, 2]);
  assert.deepEqual([...view.layers[0].values], [0.5]);
  assert.equal(view.layers[0].links, null);
  assert.deepEqual([...view.heat.steps], [0, 255]);
});

test("the heat map's colours are viridis from end to end and grow more opaque", () => {
  const bytes = new Uint8Array(HEAT_COLOURS.buffer);
  const colour = (step) => [...bytes.subarray(4 * step, 4 * step + 4)];
  assert.equal(HEAT_COLOURS.length, 256);
  assert.deepEqual(colour(0), [0x44, 0x01, 0x54, 90]);
  assert.deepEqual(colour(255), [0xfd, 0xe7, 0x25, 205]);  // 90 + 255 · 0.45 = 204.75
  assert.deepEqual(colour(85), [0x31, 0x68, 0x8e, 128]);  // the fourth of the ten colours; 128.25
  assert.deepEqual(colour(170), [0x35, 0xb7, 0x79, 166]);  // the seventh; 166.5, half to even
});

test("between two colours of the map the channels are interpolated", () => {
  // Step 14.1666… lies halfway between the first two colours, 44 and 48 in red.
  assert.ok(Math.abs(heatChannel(255 / 18, 0) - (0x44 + 0x48) / 2) < 1e-9);
});

test("text on a colour is white on dark ones and black on light ones", () => {
  assert.deepEqual(rgb("ff8000"), [255, 128, 0]);
  assert.deepEqual(["#000000", "#0072B2", "#F0E442", "#FFFFFF"].map(contrast), ["#fff", "#fff", "#000", "#000"]);
});

test("very small and very large numbers are written as powers of ten", () => {
  const texts = [0, 0.25, 2.634e-7, -4e11].map((value) => formatNumber(value, 3));
  assert.deepEqual(texts, ["0.00", "0.250", "2.63·10⁻⁷", "-4.00·10¹¹"]);
});
