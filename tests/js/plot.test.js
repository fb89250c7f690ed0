import assert from "node:assert/strict";
import { test } from "node:test";

import { fakePage } from "./page.js";
import { load } from "./programs.js";

const NAMES = ["applyTheme", "fitParts", "outlineOf", "fitsAxis"];
const { applyTheme, fitParts, outlineOf, fitsAxis } = load(["components/plot.js"], NAMES, fakePage());

const LAYOUT = {
  height: 240, margin: { l: 12, t: 24 }, title: { text: "Loss", font: { size: 14 } },
  xaxis: { title: "x" }, yaxis: { gridcolor: "red" },
};
const COLOURS = { text: "black", grid: "grey" };

test("lengths grow with the page's font, from the twelve pixels they are meant for", () => {
  const layout = applyTheme(LAYOUT, 18, "serif", COLOURS);
  assert.deepEqual(layout.margin, { l: 18, t: 36 });
  assert.deepEqual(layout.title, { text: "Loss", font: { size: 21 } });
  assert.deepEqual(layout.font, { color: "black", family: "serif", size: 18 });
  assert.equal(LAYOUT.height, 240);
});

test("a layout's own colours win over the theme's, and a second axis is only there if asked for", () => {
  const shapes = [{ name: "mark", line: { dash: "dot" } }, { line: { color: "blue" } }];
  const layout = applyTheme({ ...LAYOUT, yaxis2: {}, shapes }, 12, "", COLOURS);
  assert.equal(layout.xaxis.gridcolor, "grey");
  assert.equal(layout.yaxis.gridcolor, "red");
  assert.equal(layout.yaxis2.showgrid, false);
  const mark = { name: "mark", line: { color: "black", dash: "dot" } };
  assert.deepEqual(layout.shapes, [mark, { line: { color: "blue" } }]);
  const plain = applyTheme(LAYOUT, 12, "", COLOURS);
  assert.deepEqual(["yaxis2" in plain, plain.shapes], [false, []]);
});

test("a legend never covers a curve: it is under the plot, beside it in a low figure, or left out", () => {
  const theme = applyTheme({ ...LAYOUT, legend: { y: 0 } }, 12, "", COLOURS);
  assert.equal("legend" in fitParts(theme, 360), false);
  const low = fitParts(theme, 230);
  assert.deepEqual([low.legend.x > 1, low.legend.xanchor, low.showlegend], [true, "left", true]);
  assert.ok(fitParts({ ...theme, yaxis2: {} }, 230).legend.x > low.legend.x);
  assert.equal(fitParts(theme, 120).showlegend, false);
  assert.equal("legend" in fitParts(applyTheme(LAYOUT, 12, "", COLOURS), 120), false);
});

test("only heights may differ between figures with the same outline", () => {
  const figure = (y, name = "a") => ({ layout: LAYOUT, data: [{ mode: "lines", x: [0, 1], y, name }] });
  assert.equal(outlineOf(figure([1, 2])), outlineOf(figure([3, 4])));
  assert.notEqual(outlineOf(figure([1, 2])), outlineOf(figure([1, 2], "b")));
});

test("a line fits its axis, ends included", () => {
  const axis = { range: [0, 2], type: "linear" };
  assert.equal(fitsAxis({ mode: "lines", y: [0, 1, 2] }, axis), true);
  assert.equal(fitsAxis({ mode: "lines", y: [0, 2.01] }, axis), false);
  assert.equal(fitsAxis({ mode: "lines", y: [-0.01] }, axis), false);
  assert.equal(fitsAxis({ mode: "markers", y: [1] }, axis), false);
  assert.equal(fitsAxis({ mode: "lines", y: [1], yaxis: "y2" }, axis), false);
});

test("a logarithmic axis counts in powers of ten", () => {
  const axis = { range: [-2, 1], type: "log" };
  assert.equal(fitsAxis({ mode: "lines", y: [0.01, 10] }, axis), true);
  assert.equal(fitsAxis({ mode: "lines", y: [0.009] }, axis), false);
  assert.equal(fitsAxis({ mode: "lines", y: [0] }, axis), false);  // −∞
});

test("without plotly.js the place of a figure says so, until it has been loaded", async () => {
  const page = fakePage();
  const [named, emptied] = [[], []];
  const target = {
    ...page.element, setAttribute: (name, value) => { named.push([name, value]); },
    replaceChildren: () => { emptied.push(true); },
  };
  page.element.querySelector = () => target;
  page.window.loadPlotly = async () => { throw new Error("No connection."); };
  const { hasPlotly } = load(["components/plot.js"], ["hasPlotly"], page);
  assert.equal(await hasPlotly(), false);
  assert.deepEqual([target.textContent, named, emptied], ["No connection.", [["aria-label", "No connection."]], []]);
  page.window.loadPlotly = async () => {};
  assert.deepEqual([await hasPlotly(), emptied], [true, [true]]);
});
