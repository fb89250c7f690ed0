import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

const NAMES = [
  "tidyName", "foldName", "findName", "findNameProblem", "nextColour", "mergeIndices", "classOfKey", "keyOfClass",
];
const { tidyName, findName, findNameProblem, nextColour, mergeIndices, classOfKey, keyOfClass } =
  load(["canvas/classes.js"], NAMES);
const LIMITS = { max_classes: 3, max_name: 5 };

test("names are trimmed, with single spaces, in normal form C", () => {
  assert.deepEqual(["  red \u00a0 cell ", "e\u0301t", "细胞"].map(tidyName), ["red cell", "ét", "细胞"]);
});

test("names that differ in case, normal form or joiners are the same", () => {
  const names = ["Leaf", "Straße", "étoile", "ab"];
  assert.deepEqual(["lEAF ", "STRASSE", "E\u0301TOILE", "a\u200db", "other"].map((name) => findName(name, names)),
    [0, 1, 2, 3, -1]);
});

test("what is wrong with a name is said", () => {
  assert.equal(findNameProblem("leaf", ["gem"], LIMITS), "");
  assert.equal(findNameProblem("👩👩👩👩👩", ["gem"], LIMITS), "");  // characters, not code units
  assert.match(findNameProblem("", [], LIMITS), /Type a name/);
  assert.match(findNameProblem("leaves", [], LIMITS), /at most 5 characters, not 6/);
  assert.match(findNameProblem("a\u0007", [], LIMITS), /control characters/);
  assert.match(findNameProblem("GEM", ["gem"], LIMITS), /already a class “gem”/);
  assert.match(findNameProblem("leaf", ["a", "b", "c"], LIMITS), /at most 3 classes/);
});

test("a new class has the colour that the fewest classes have", () => {
  const palette = ["#aa0000", "#00bb00"];
  assert.deepEqual([[], ["#AA0000"], palette].map((used) => nextColour(used, palette)),
    ["#aa0000", "#00bb00", "#aa0000"]);
});

test("a merged class leaves no gap", () => {
  assert.deepEqual(mergeIndices(4, 1, 3), [0, 2, 1, 2]);
  assert.deepEqual(mergeIndices(4, 3, 0), [0, 1, 2, 0]);
});

test("digits choose the first ten classes", () => {
  assert.deepEqual(["1", "9", "0", "a", "F1", "12"].map(classOfKey), [0, 8, 9, undefined, undefined, undefined]);
  assert.deepEqual([0, 8, 9, 10].map(keyOfClass), ["1", "9", "0", ""]);
});
