import assert from "node:assert/strict";
import { test } from "node:test";

import { fakePage } from "./page.js";
import { load, PROGRAMS } from "./programs.js";

const page = fakePage();
page.props.value = JSON.stringify({ title: "Test", about: "About", questions: [] });
page.memory = { recall: () => "", keep() {} };
page.document.createElement = () => ({ ...page.element, setAttribute() {}, append() {} });
const NAMES = ["readResults", "addResult", "describeResults", "groupQuestions"];
const { readResults, addResult, describeResults, groupQuestions } = load(PROGRAMS.quiz, NAMES, page);

test("the first result stays beside the latest", () => {
  assert.deepEqual(addResult([], 2), [2]);
  assert.deepEqual(addResult([2], 5), [2, 5]);
  assert.deepEqual(addResult([2, 5], 6), [2, 6]);
});

test("results are told in words", () => {
  assert.equal(describeResults([], 6), "");
  assert.match(describeResults([2], 6), /^Before the lessons: 2 of 6\./);
  assert.equal(describeResults([2, 5], 6), "Before 2 of 6, now 5 of 6.");
  assert.equal(describeResults([[true, false, false], [true, true, false]], 3), "Before 1 of 3, now 2 of 3.");
  assert.equal(describeResults([2, [true, true, true]], 3), "Before 2 of 3, now 3 of 3.");
});

test("what is no result in the browser's memory counts as none", () => {
  assert.deepEqual(readResults("[2,5]", 6), [2, 5]);
  assert.deepEqual(readResults("[1,[true,false]]", 2), [1, [true, false]]);
  for (const text of ["[[true]]", "[[true,1]]", "[[true,false,true]]", "[[]]"]) {
    assert.deepEqual(readResults(text, 2), [], text);
  }
  for (const text of ["", "x", "{}", "[7]", "[-1]", "[1,2,3]", "[1.5]", "[null]"]) {
    assert.deepEqual(readResults(text, 6), [], text);
  }
});

test("questions are grouped by what became of them", () => {
  const groups = groupQuestions([false, false, true, true, false], [true, false, false, true, true]);
  assert.deepEqual(groups.map(({ title, isRight, numbers }) => [title, isRight, numbers]), [
    ["Wrong before, correct now", true, [0, 4]],
    ["Wrong before and now", false, [1]],
    ["Correct before, wrong now", false, [2]],
    ["Correct before and now", true, [3]],
  ]);
});

test("of a test of which only the count was kept nothing is told by question", () => {
  assert.deepEqual(groupQuestions(undefined, undefined), []);
  assert.deepEqual(groupQuestions([true, false], undefined), []);
  assert.deepEqual(groupQuestions(1, 2), []);
  assert.deepEqual(groupQuestions([true, false], 2), []);
  const groups = groupQuestions(1, [true, false]).map(({ title, numbers }) => [title, numbers]);
  assert.deepEqual(groups, [["Wrong now", [1]], ["Correct now", [0]]]);
});
