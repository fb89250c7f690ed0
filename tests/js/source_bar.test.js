import assert from "node:assert/strict";
import { test } from "node:test";

import { fakePage } from "./page.js";
import { load } from "./programs.js";

const NAMES = ["positionOf", "totalText", "titleText"];
const { positionOf, totalText, titleText } = load(["layout/source_bar.js"], NAMES, fakePage());

const STATE = { source: "mine", index: 2, count: 12345, name: "cat.jpg", choice: null, film: "" };
const CHOICE = { label: "cats taken for dogs", at: 0, count: 4 };

test("positions count from one, in the data set or in a choice of its pictures", () => {
  assert.deepEqual(positionOf(STATE), { position: 3, count: 12345 });
  assert.deepEqual(positionOf({ ...STATE, choice: CHOICE }), { position: 1, count: 4 });
  assert.deepEqual(positionOf({ ...STATE, choice: { ...CHOICE, at: null } }), { position: 0, count: 4 });
});

test("the text after the arrows", () => {
  assert.equal(totalText(STATE), "/ 12,345");
  assert.equal(totalText({ ...STATE, choice: CHOICE }), "1 / 4");
  assert.equal(totalText({ ...STATE, choice: { ...CHOICE, at: null } }), "– / 4");
});

test("a picture of a data set has its name, one of a choice also what it was chosen for", () => {
  assert.equal(titleText(STATE), "cat.jpg");
  assert.equal(titleText({ ...STATE, source: "" }), "");
  assert.equal(titleText({ ...STATE, choice: CHOICE }), "cats taken for dogs · cat.jpg");
});

test("the film of a run shows a picture of its own, which is named instead", () => {
  const film = "a held-out picture";
  assert.equal(titleText({ ...STATE, film }), film);
  assert.equal(titleText({ ...STATE, source: "", film }), film);
});
