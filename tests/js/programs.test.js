import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { sep } from "node:path";
import { test } from "node:test";

import { joinProgram, PROGRAMS, ROOT } from "./programs.js";

test("every script is part of a program", () => {
  const scripts = readdirSync(ROOT, { recursive: true }).filter((file) => file.endsWith(".js"));
  const used = new Set(Object.values(PROGRAMS).flat());
  assert.deepEqual(scripts.map((file) => file.split(sep).join("/")).sort(), [...used].sort());
});

test("a file's lines are found in the joined program", () => {
  const { text, files } = joinProgram("runs_table", new Map([["components/plot.js", "one\ntwo\n"]]));
  const lines = text.split("\n");
  assert.deepEqual(lines.slice(files[0].start, files[0].start + 2), ["one", "two"]);
  assert.match(lines[files[3].start], /^\/\/ Filtering and sorting/);
});
