import assert from "node:assert/strict";
import { test } from "node:test";

import { fakePage } from "./page.js";
import { load } from "./programs.js";

const page = fakePage();
page.props.value = JSON.stringify({ title: "Test", about: "About", questions: [] });
page.memory = { recall: () => "", keep() {} };
page.document.createElement = () => ({ ...page.element, setAttribute() {}, append() {} });
const NAMES = ["readResults", "addResult", "describeResults"];
const { readResults, addResult, describeResults } = load(["components/button.js", "lessons/quiz.js"], NAMES, page);

test("the first result stays beside the latest", () => {
  assert.deepEqual(addResult([], 2), [2]);
  assert.deepEqual(addResult([2], 5), [2, 5]);
  assert.deepEqual(addResult([2, 5], 6), [2, 6]);
});

test("results are told in words", () => {
  assert.equal(describeResults([], 6), "");
  assert.match(describeResults([2], 6), /^Before the lessons: 2 of 6\./);
  assert.equal(describeResults([2, 5], 6), "Before 2 of 6, now 5 of 6.");
});

test("what is no result in the browser's memory counts as none", () => {
  assert.deepEqual(readResults("[2,5]", 6), [2, 5]);
  for (const text of ["", "x", "{}", "[7]", "[-1]", "[1,2,3]", "[1.5]", "[null]"]) {
    assert.deepEqual(readResults(text, 6), [], text);
  }
});
