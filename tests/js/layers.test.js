import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

const location = { search: "?layers=-truth", pathname: "/" };
const { parseToggles, formatToggles, isVisible } = load(["canvas/layers.js"], [
  "parseToggles", "formatToggles", "isVisible",
], { location });

test("a link switches layers on, and off with a minus", () => {
  assert.deepEqual([...parseToggles("?step=loss&layers=ignored,-truth")], [["ignored", true], ["truth", false]]);
  assert.deepEqual([...parseToggles("?layers=")], []);
  assert.deepEqual([...parseToggles("")], []);
  assert.deepEqual([...parseToggles("?layers=,a-b,")], [["a-b", true]]);
});

test("toggles are written into the link, beside what it has", () => {
  const chosen = new Map([["ignored", true], ["truth", false]]);
  assert.equal(formatToggles("?loss.gamma=0&layers=x", chosen), "?loss.gamma=0&layers=ignored,-truth");
  assert.equal(formatToggles("", chosen), "?layers=ignored,-truth");
  assert.equal(formatToggles("?layers=x", new Map()), "");
  assert.equal(formatToggles("?step=loss&layers=x", new Map()), "?step=loss");
  assert.deepEqual(parseToggles(formatToggles("", chosen)), chosen);
});

test("a layer that was not switched is visible as Python wants it", () => {
  assert.equal(isVisible({ key: "before", visible: true }), true);
  assert.equal(isVisible({ key: "before", visible: false }), false);
  assert.equal(isVisible({ key: "truth", visible: true }), false);
});
