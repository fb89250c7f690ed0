import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

const { parseSearch, matchesSearch, selectColumns, sortRows, nextOrder } = load(["layout/runs_rows.js"], [
  "parseSearch", "matchesSearch", "selectColumns", "sortRows", "nextOrder",
]);

const COLUMNS = [
  { key: "loss.gamma", title: "gamma", setting: true },
  { key: "loss.kind", title: "kind", setting: true },
  { key: "ap", title: "AP", setting: false },
];

const row = (run, gamma, ap, more = {}) => ({
  run, title: run, tags: [], state: "finished",
  cells: [[gamma, String(gamma)], ["focal", "focal"], [ap, ap === null ? "–" : String(ap)]],
  ...more,
});
const runs = (rows) => rows.map((each) => each.run);

test("a search is its words in lower case", () => {
  assert.deepEqual(parseSearch("  Focal  #Good "), ["focal", "#good"]);
  assert.deepEqual(parseSearch("   "), []);
});

test("every word has to occur, in name, state, settings or tags", () => {
  const found = (text, each) => matchesSearch(each, parseSearch(text), COLUMNS);
  const one = row("2024-run", 2, 0.25, { title: "Baseline", tags: ["Good", "first"] });
  const hits = ["", "base", "2024", "FINISHED", "gamma", "goo", "#goo", "base #first focal"];
  const misses = ["other", "base other", "#base", "#ood", "0.25"];  // AP is no setting
  for (const text of hits) assert.ok(found(text, one), text);
  for (const text of misses) assert.ok(!found(text, one), text);
});

test("a lone # is the beginning of any tag", () => {
  assert.equal(matchesSearch(row("a", 1, 1), ["#"], COLUMNS), false);
  assert.equal(matchesSearch(row("a", 1, 1, { tags: ["x"] }), ["#"], COLUMNS), true);
});

test("settings that are the same in all rows are left out, results stay", () => {
  const keys = (rows) => selectColumns(COLUMNS, rows).map(({ key, at }) => [key, at]);
  assert.deepEqual(keys([row("a", 1, 1), row("b", 2, 1)]), [["loss.gamma", 0], ["ap", 2]]);
  assert.deepEqual(keys([row("a", 1, 1)]), [["ap", 2]]);
  assert.deepEqual(keys([]), [["ap", 2]]);
});

test("numbers are sorted as numbers, and rows without a value are last in both directions", () => {
  const rows = [row("a", 10, null), row("b", 9, 0.5), row("c", 2, 0.125)];
  const sorted = (key, ascending) => runs(sortRows(rows, { key, ascending }, COLUMNS));
  assert.deepEqual(sorted("loss.gamma", true), ["c", "b", "a"]);
  assert.deepEqual(sorted("loss.gamma", false), ["a", "b", "c"]);
  assert.deepEqual(sorted("ap", true), ["c", "b", "a"]);
  assert.deepEqual(sorted("ap", false), ["b", "c", "a"]);
  assert.deepEqual(runs(rows), ["a", "b", "c"]);  // as they were
});

test("names are sorted without regard to case, equal ones and unknown columns stay in order", () => {
  const rows = [row("b", 1, 1), row("C", 1, 1), row("a", 1, 1)];
  assert.deepEqual(runs(sortRows(rows, { key: "name", ascending: true }, COLUMNS)), ["a", "b", "C"]);
  assert.deepEqual(runs(sortRows(rows, { key: "state", ascending: false }, COLUMNS)), ["b", "C", "a"]);
  assert.deepEqual(runs(sortRows(rows, { key: "gone", ascending: true }, COLUMNS)), ["b", "C", "a"]);
  assert.equal(sortRows(rows, { key: "", ascending: true }, COLUMNS), rows);
});

test("a second click on a column reverses it, another column begins ascending", () => {
  assert.deepEqual(nextOrder({ key: "", ascending: true }, "ap"), { key: "ap", ascending: true });
  assert.deepEqual(nextOrder({ key: "ap", ascending: true }, "ap"), { key: "ap", ascending: false });
  assert.deepEqual(nextOrder({ key: "ap", ascending: false }, "ap"), { key: "ap", ascending: true });
  assert.deepEqual(nextOrder({ key: "ap", ascending: false }, "name"), { key: "name", ascending: true });
});
