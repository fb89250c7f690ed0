import assert from "node:assert/strict";
import { test } from "node:test";

import { fakeElement } from "./page.js";
import { load } from "./programs.js";

const files = [
  "components/embed.js", "canvas/geometry.js", "canvas/view.js", "canvas/svg.js", "canvas/draw.js", "canvas/tags.js",
];
const ruler = { ...fakeElement(), getContext: () => ({ measureText: (text) => ({ width: 6 * text.length }) }) };
const { SvgContext, paintView } = load(files, ["SvgContext", "paintView"], {
  document: { createElement: () => ruler },
});

const CAMERA = { ratio: 1, scale: 2, x: 0, y: 0, zoom: 1, text: 13 };
const LAYER = {
  key: "truth", label: "ground truth", colour: "#F0E442", boxes: new Float32Array([10, 20, 40, 50]), dashed: true,
  width: 2, values: null, captions: ["<leaf> & co 1"], links: null, labels: null, visible: true, count: 1,
};

test("the picture's SVG has its boxes as shapes, its captions as text, and escapes them", () => {
  const drawing = new SvgContext({ width: 200, height: 120 });
  const view = { width: 100, height: 60, heat: null, layers: [LAYER] };
  paintView(drawing, view, { src: "data:image/png;base64,AAAA" }, CAMERA, () => true);
  const text = drawing.toString();
  assert.match(text, /^<svg xmlns="[^"]+" width="200" height="120" viewBox="0 0 200 120">/);
  const place = 'x="0" y="0" width="100" height="60"';
  const image = new RegExp(`<image ${place} [^>]*href="data:image[^>]* transform="matrix\\(2 0 0 2 0 0\\)"`);
  assert.match(text, image);
  assert.match(text, /<rect x="20" y="40" width="60" height="60" fill="none" stroke="#F0E442" [^>]*stroke-dasharray/);
  assert.match(text, />[^<]*&lt;leaf&gt; &amp; co[^<]*1<\/text>/);
  assert.equal(text.includes("<leaf>"), false);
});

test("faint boxes are faint", () => {
  const drawing = new SvgContext({ width: 200, height: 120 });
  const faint = { ...LAYER, dashed: false, captions: [], values: new Float32Array([0]) };
  paintView(drawing, { width: 100, height: 60, heat: null, layers: [faint] }, { src: "" }, CAMERA, () => true);
  assert.match(drawing.toString(), /stroke="#F0E442" stroke-width="2" opacity="0.200"/);
});

test("the gaps of a dashed box are dark enough to be seen on a picture of its colour", () => {
  const drawing = new SvgContext({ width: 200, height: 120 });
  paintView(drawing, { width: 100, height: 60, heat: null, layers: [LAYER] }, { src: "" }, CAMERA, () => true);
  assert.match(drawing.toString(), /stroke="#000" stroke-width="4" opacity="0.550"/);
});
