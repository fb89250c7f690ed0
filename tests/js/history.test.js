import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

const NAMES = ["createHistory", "createEcho", "MAX_UNDO"];
const { createHistory, createEcho, MAX_UNDO } = load(["canvas/history.js"], NAMES);

test("changes are undone and redone in order", () => {
  const history = createHistory();
  for (const state of ["a", "b"]) history.push(state);  // now at "c"
  assert.deepEqual([history.undo("c"), history.undo("b"), history.undo("a")], ["b", "a", undefined]);
  assert.deepEqual(history.sizes(), [0, 2]);
  assert.deepEqual([history.redo("a"), history.redo("b"), history.redo("c")], ["b", "c", undefined]);
});

test("after a new change nothing can be redone", () => {
  const history = createHistory();
  history.push("a");
  assert.equal(history.undo("b"), "a");
  history.push("a");
  assert.deepEqual([history.redo("c"), history.undo("c")], [undefined, "a"]);
});

test("the oldest changes are forgotten", () => {
  const history = createHistory();
  for (let i = 0; i < MAX_UNDO + 5; i++) history.push(i);
  assert.deepEqual([history.sizes(), history.all()[0]], [[MAX_UNDO, 0], 5]);
});

test("all states can be changed, and forgotten", () => {
  const history = createHistory();
  for (const state of [1, 2]) history.push(state);
  history.undo(3);
  history.map((state) => 10 * state);
  assert.deepEqual(history.all(), [10, 30]);
  history.clear();
  assert.deepEqual(history.all(), []);
});

test("while changes are unanswered, a state from before the newest one is late", () => {
  const echo = createEcho();
  echo.settle("start");
  for (const state of ["one", "two"]) echo.send(state);
  assert.deepEqual(["start", "one", "two", "new"].map(echo.isStale), [true, true, false, false]);
  echo.send("one");  // back again, as by undo
  assert.deepEqual(["two", "one"].map(echo.isStale), [true, false]);
  for (const left of [true, true, false]) {
    echo.answer();
    assert.equal(echo.isStale("two"), left);
  }
});

test("news from elsewhere leaves answers to earlier changes late", () => {
  const echo = createEcho();
  for (const state of ["one", "two"]) echo.send(state);
  echo.settle("news");
  assert.deepEqual(["one", "two", "news 2"].map(echo.isStale), [true, false, false]);
});

test("an answer for a picture that was left counts as one, and its states do not", () => {
  const echo = createEcho();
  echo.send("of the picture before");
  echo.clear();
  for (const state of ["one", "two"]) echo.send(state);
  assert.equal(echo.isStale("of the picture before"), false);
  echo.answer();
  echo.answer();
  assert.equal(echo.isStale("one"), true);
  echo.answer();
  echo.answer();  // of nothing
  assert.equal(echo.isStale("one"), false);
});
