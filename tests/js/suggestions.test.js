import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

const FILES = ["canvas/geometry.js", "canvas/boxes.js", "canvas/suggestions.js"];
const { readSuggestions, writeSuggestions, offerPosition } =
  load(FILES, ["readSuggestions", "writeSuggestions", "offerPosition"]);

const layerOf = () => ({
  count: 2, boxes: new Float32Array([1, 2, 30, 40, 5, 6, 7, 8]), labels: [1, 0], values: new Float32Array([0.75, 0.5]),
});
const box = (x1, y1, x2, y2) => ({ x1, y1, x2, y2 });

test("suggestions are read with their scores, but for those that are drawn or rejected", () => {
  assert.deepEqual(readSuggestions(layerOf(), [box(5, 6, 7.02, 8)]), [{ ...box(1, 2, 30, 40), label: 1, score: 0.75 }]);
  assert.equal(readSuggestions(layerOf(), []).length, 2);
  assert.deepEqual(readSuggestions(undefined, []), []);
});

test("suggestions are dashed, with class and score in their tags", () => {
  const layer = { ...layerOf(), colour: "#111111" };
  writeSuggestions(readSuggestions(layer, []), layer, ["cat", "dog"], ["#000000", "#ff0000"]);
  assert.deepEqual([layer.dashed, layer.captions], [true, ["dog 0.75", "cat 0.50"]]);
  assert.deepEqual([[...layer.values], layer.colours], [[0.75, 0.5], ["#ff0000", "#000000"]]);
});

test("the buttons are in the corner of a large box, above a small one, and always on the canvas", () => {
  const [camera, buttons, canvas] = [{ scale: 2, x: 10, y: 0 }, { width: 80, height: 40 }, { width: 400, height: 300 }];
  assert.deepEqual(offerPosition(box(20, 30, 120, 130), camera, buttons, canvas), { x: 170, y: 60 });
  assert.deepEqual(offerPosition(box(20, 50, 40, 60), camera, buttons, canvas), { x: 86, y: 64 });
  assert.deepEqual(offerPosition(box(190, 1, 195, 5), camera, buttons, canvas), { x: 320, y: 0 });
  assert.deepEqual(offerPosition(box(0, 0, 4, 4), camera, buttons, { width: 50, height: 20 }), { x: 0, y: 0 });
});
