import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { load } from "./programs.js";

let added, awaited, now, window;  // awaited: the place of a picture that is not drawn yet

const settled = () => new Promise((resolve) => { setTimeout(resolve); });

beforeEach(() => {
  [added, awaited, now, window] = [[], null, 0, {}];
  const document = {
    querySelector: (selector) => (selector === "#plotly" ? { href: "http://here/plotly.min.js" } : awaited),
    createElement: () => ({}),
    head: { append: (node) => added.push(node) },
  };
  const setSooner = (action, delay) => setTimeout(() => { now += delay; action(); });
  load(["components/plotly.js"], [], { window, document, performance: { now: () => now }, setTimeout: setSooner });
});

test("plotly.js is loaded once, however many figures wait for it", async () => {
  const waiting = [window.loadPlotly(), window.loadPlotly()];
  await settled();
  assert.deepEqual(added.map(({ src }) => src), ["http://here/plotly.min.js"]);
  added[0].onload();
  await Promise.all(waiting);
  await window.loadPlotly();
  assert.equal(added.length, 1);
});

test("the picture comes first", async () => {
  awaited = { clientWidth: 640 };
  window.loadPlotly();
  await settled();
  assert.equal(added.length, 0);
  awaited = null;
  await settled();
  await settled();
  assert.equal(added.length, 1);
});

test("a picture without a place, as around an embedded figure, is not waited for", async () => {
  awaited = { clientWidth: 0 };
  window.loadPlotly();
  await settled();
  assert.equal(added.length, 1);
});

test("the figure does not wait for ever", async () => {
  awaited = { clientWidth: 640 };
  window.loadPlotly();
  while (!added.length) await settled();
  assert.equal(now, 3000);
});

test("after a failure the next figure tries again", async () => {
  const first = window.loadPlotly();
  await settled();
  added[0].onerror();
  await assert.rejects(first, /could not load/);
  const second = window.loadPlotly();
  await settled();
  added[1].onload();
  await second;
});
