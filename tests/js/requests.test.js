import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FakeClock } from "./page.js";
import { load } from "./programs.js";

const PICTURE = { canvas: "c", postponed: null };
const REST = { canvas: null, postponed: false };

let clock, requests;

beforeEach(() => {
  clock = new FakeClock();
  requests = load(["server/requests.js"], ["createRequests"], clock.globals).createRequests();
});

/** Starts some requests; returns their numbers. */
const start = (count) => Array.from({ length: count }, () => requests.start().number);

test("requests of a window are numbered, and have its name", () => {
  const [first, second] = [requests.start(), requests.start()];
  assert.deepEqual([first.number, second.number], [1, 2]);
  assert.equal(first.window, second.window);
  assert.ok(first.window.length > 0 && first.window.length <= 40);  // MAX_NAME in windows.py
});

test("there is room for two requests", () => {
  assert.deepEqual([requests.isIdle(), requests.hasRoom()], [true, true]);
  const [first] = start(1);
  assert.equal(requests.hasRoom(), true);
  start(1);
  assert.equal(requests.hasRoom(), false);
  requests.end(first);
  assert.deepEqual([requests.isIdle(), requests.hasRoom()], [false, true]);
});

test("in a long drag without numbers, one answer is awaited whole", async () => {
  const [first] = start(2);
  requests.admit(first, PICTURE);
  await clock.wait(300);
  requests.end(first);
  assert.equal(requests.hasRoom(), false);
  requests.admit(2, REST);
  assert.equal(requests.hasRoom(), true);
});

test("pieces are painted until a newer picture is", () => {
  const [older, newer] = start(2);
  assert.equal(requests.admit(older, PICTURE), true);
  assert.equal(requests.admit(newer, PICTURE), true);
  assert.equal(requests.admit(older, REST), false);
  assert.equal(requests.admit(newer, REST), true);
});

test("of answers that arrive in reverse, the older is dropped whole", () => {
  const [older, newer] = start(2);
  assert.equal(requests.admit(newer, PICTURE), true);
  assert.equal(requests.admit(newer, REST), true);
  assert.equal(requests.end(newer), true);
  assert.deepEqual([requests.admit(older, PICTURE), requests.admit(older, REST)], [false, false]);
  assert.equal(requests.admit(older, { failed: true, postponed: true }), false);
  assert.equal(requests.end(older), false);
});

test("a newer answer without a picture, such as a refusal, drops nothing of the older one", () => {
  const [older, newer] = start(2);
  assert.equal(requests.admit(older, PICTURE), true);
  assert.equal(requests.admit(newer, { canvas: null, notice: "Not allowed." }), true);
  assert.equal(requests.admit(older, REST), true);
});

test("only the newest answer counts, and only if it was not aborted", () => {
  const [older, newer] = start(2);
  assert.deepEqual([requests.end(older), requests.end(newer)], [false, true]);
  const [last] = start(1);
  requests.abort();
  assert.deepEqual([requests.end(last), requests.isIdle(), requests.isAsking()], [false, true, false]);
});

test("nothing of an aborted answer is painted", () => {
  const { number, signal } = requests.start();
  requests.abort();
  assert.deepEqual([signal.aborted, requests.admit(number, PICTURE)], [true, false]);
  assert.equal(requests.admit(start(1)[0], PICTURE), true);
});

test("the newest request alone tells that the state is forgotten", () => {
  const [older, newer] = start(2);
  assert.equal(requests.admit(older, { forgotten: true }), false);
  assert.equal(requests.admit(newer, { forgotten: true }), true);
});
