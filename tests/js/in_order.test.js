import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { load } from "./programs.js";

let fired, answer, line;

beforeEach(() => {
  fired = [];
  const globals = {
    trigger: (name, data) => { fired.push([name, data]); },
    document: { addEventListener: (name, listener) => { if (name === "strip-answered") answer = listener; } },
  };
  line = load(["layout/in_order.js"], ["createLine"], globals).createLine();
});

test("an event waits until the one before it is over", () => {
  line.ask("select", { step: "network" });
  line.ask("edit", { query: "step=loss" });
  line.ask("select", { step: "anchors" });
  assert.deepEqual([fired, line.isWaiting()], [[["select", { step: "network" }]], true]);
  answer();
  assert.deepEqual([fired.slice(1), line.isWaiting()], [[["edit", { query: "step=loss" }]], true]);
  answer();
  assert.deepEqual([fired.slice(2), line.isWaiting()], [[["select", { step: "anchors" }]], false]);
  answer();
  line.ask("select", { step: "loss" });
  assert.equal(fired.length, 4);
});

test("an event is known while it waits and while it is in progress", () => {
  assert.equal(line.has("edit"), false);
  line.ask("select", {});
  line.ask("edit", {});
  assert.deepEqual([line.has("select"), line.has("edit")], [true, true]);
  answer();
  assert.deepEqual([line.has("select"), line.has("edit")], [false, true]);
  answer();
  assert.equal(line.has("edit"), false);
});

test("two of one name that wait become one, in which the later one counts", () => {
  line.ask("select", { step: "network", level: null });
  line.ask("select", { step: "anchors", level: null, story: true });
  line.ask("select", { step: null, level: 3, story: false });
  line.ask("edit", { query: "" });
  line.ask("select", { level: 4 });
  for (let count = 0; count < 5; count++) answer();
  assert.deepEqual(fired.slice(1), [
    ["select", { step: "anchors", level: 3, story: false }], ["edit", { query: "" }], ["select", { level: 4 }],
  ]);
});
