import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

/** Returns the pieces of an answer whose bytes arrive in the given chunks; an Error among them breaks it off. */
async function receive(chunks, signal = new AbortController().signal) {
  const warnings = [];
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else if (chunk instanceof Error) controller.error(chunk);
      else controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
    },
  });
  const { fetchAnswer } = load(["server/fetch_answer.js"], ["fetchAnswer"], {
    fetch: async () => ({ body }),
    console: { warn: (error) => warnings.push(error) },
  });
  const pieces = [];
  for await (const piece of fetchAnswer({}, signal)) pieces.push(piece);
  return { pieces, warnings };
}

test("each line is a piece, however the bytes arrive", async () => {
  const { pieces } = await receive(['{"canv', 'as":"c"}\n{"not', 'ice":"n"}\n']);
  assert.deepEqual(pieces, [{ canvas: "c" }, { notice: "n" }]);
});

test("a character may be split between chunks", async () => {
  const bytes = new TextEncoder().encode('{"notice":"γ"}\n');
  const { pieces } = await receive([bytes.slice(0, 12), bytes.slice(12)]);
  assert.deepEqual(pieces, [{ notice: "γ" }]);
});

test("a broken or empty answer ends in a message", async () => {
  for (const chunks of [[], ['{"canvas":"c"}\n', new Error("gone")], ["<html>\n"]]) {
    const { pieces } = await receive(chunks);
    const { failed, postponed, notice } = pieces.at(-1);
    assert.deepEqual([failed, postponed], [true, true]);
    assert.match(notice, /^The server does not answer\./);
  }
});

test("an answer that was aborted is no reason for a warning", async () => {
  const controller = new AbortController();
  controller.abort();
  assert.equal((await receive([new Error("aborted")], controller.signal)).warnings.length, 0);
  assert.equal((await receive([new Error("gone")])).warnings.length, 1);
});
