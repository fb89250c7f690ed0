import assert from "node:assert/strict";
import { test } from "node:test";

import { fakePage } from "./page.js";
import { load, PROGRAMS } from "./programs.js";

const dialled = [];
const page = fakePage();
page.live.dial = (...dial) => dialled.push(dial);
const setShown = "function setShown(dials) { shown = dials; }";
const bar = load(PROGRAMS.dials, ["sentValue", "stepped", "send", "setShown"], page, setShown);

const DIAL = { name: "n", kind: "slider", value: "1", low: 0, high: 2, step: 1, part: -1, whole: "" };
const dial = (more) => ({ ...DIAL, ...more });

test("a step stays within the bounds and has the digits of the step", () => {
  assert.equal(bar.stepped(dial({ value: "1" }), 1), "2");
  assert.equal(bar.stepped(dial({ value: "2" }), 1), "2");
  assert.equal(bar.stepped(dial({ value: "0" }), -1), "0");
  assert.equal(bar.stepped(dial({ value: "0.3", step: 0.05 }), -1), "0.25");
  assert.equal(bar.stepped(dial({ value: "-0.1", low: -1, step: 0.01 }), 1), "-0.09");
});

test("a slider of one number among several sends all of them", () => {
  assert.equal(bar.sentValue(dial({ part: 2, whole: "7,0.5,1,-2,3" }), "9"), "7,0.5,9,-2,3");
  assert.equal(bar.sentValue(dial({}), "4"), "4");
});

test("two sliders of one value do not undo each other before the answer comes", () => {
  bar.setShown([dial({ name: "d", part: 0, whole: "1,2" }), dial({ name: "d", part: 1, whole: "1,2" })]);
  bar.send(0, "8");
  bar.send(1, "9");
  assert.deepEqual(dialled, [["d", "8,2"], ["d", "8,9"]]);
});
