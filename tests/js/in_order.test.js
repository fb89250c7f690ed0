import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { load } from "./programs.js";

let fired, answer;

/** Creates a line; `fired` gets its events, and `answer` tells that the last one is over. */
function createLine(...options) {
  const globals = {
    trigger: (name, data) => { fired.push([name, data]); },
    document: { addEventListener: (name, listener) => { if (name === "strip-answered") answer = listener; } },
  };
  return load(["layout/in_order.js"], ["createLine"], globals).createLine("strip-answered", ...options);
}

beforeEach(() => { fired = []; });

test("an event waits until the one before it has been answered", () => {
  const line = createLine();
  line.ask("select", { step: "network" });
  line.ask("select", { step: "anchors" });
  line.ask("edit", { query: "step=loss" });
  assert.deepEqual([fired, line.isWaiting()], [[["select", { step: "network" }]], true]);
  answer();
  assert.deepEqual([fired.slice(1), line.isWaiting()], [[["select", { step: "anchors" }]], true]);
  answer();
  assert.deepEqual([fired.slice(2), line.isWaiting()], [[["edit", { query: "step=loss" }]], false]);
  answer();
  line.ask("select", { step: "loss" });
  assert.equal(fired.length, 4);
});

test("two that wait under one name can become one", () => {
  const line = createLine((earlier, later) => ({ ...earlier, ...later }));
  line.ask("select", { step: "network" });
  line.ask("select", { step: "anchors" });
  line.ask("select", { level: 3 });
  line.ask("edit", { query: "" });
  line.ask("select", { level: 4 });
  for (let count = 0; count < 5; count++) answer();
  assert.deepEqual(fired.slice(1), [
    ["select", { step: "anchors", level: 3 }], ["edit", { query: "" }], ["select", { level: 4 }],
  ]);
});
