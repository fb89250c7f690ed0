import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FakeClock } from "./page.js";
import { load } from "./programs.js";

class FakeField extends EventTarget {
  #value = "";
  get value() { return this.#value; }
  set value(text) { this.#value = text; }
}

let clock, live, requests, painted, field, body, page, findPath;

const wait = (ms) => clock.wait(ms);

/** Answers the oldest request. */
const answer = (...pieces) => answerOne(0, ...pieces);

/** Answers one of the requests, counted from the oldest. */
async function answerOne(index, ...pieces) {
  const [{ pieces: sent }] = requests.splice(index, 1);
  sent.push(...pieces, null);
  await wait(10);
}

/** Moves the knob to some values, one after another. */
async function drag(...values) {
  for (const value of values) {
    live.set("loss.gamma", value);
    await wait(20);
  }
}

const asked = () => requests.map(({ settings }) => JSON.parse(settings)["loss.gamma"]);

beforeEach(() => {
  clock = new FakeClock();
  [requests, painted, field] = [[], [], new FakeField()];
  body = { attributes: new Set(), toggleAttribute(name, on) { this.attributes[on ? "add" : "delete"](name); } };
  const window = {};
  page = Object.assign(new EventTarget(), { body, querySelector: () => field });
  async function* fetchAnswer(request) {
    const pieces = [];
    requests.push({ ...request, pieces });
    for (;;) {
      if (!pieces.length) await new Promise((resolve) => { clock.globals.setTimeout(resolve, 1); });
      else if (pieces[0] === null) return;
      else yield pieces.shift();
    }
  }
  ({ findPath } = load(["server/painter.js", "server/requests.js", "server/live.js"], ["findPath"], {
    window, document: page, fetchAnswer, PAINT_STAGES: [["canvas", "notice"], ["readout"]],
    ...clock.globals,
    requestAnimationFrame: (callback) => clock.globals.setTimeout(callback),
    cancelAnimationFrame: clock.globals.clearTimeout,
    Element: FakeField, HTMLInputElement: FakeField, HTMLTextAreaElement: FakeField,
  }));
  ({ live } = window);
  live.part("canvas", (value) => painted.push(value), () => "own", () => ({ truth: false }));
});

/** One of Gradio's events has shown these settings. */
async function open(settings = { "loss.gamma": 2 }) {
  field.value = JSON.stringify(settings);
  live.receiveAnswer({ token: "t", settings: JSON.stringify(settings), look: { curve: "loss" } });
  await wait(100);
}

test("a knob's path is found by the id of its element", () => {
  assert.equal(findPath(["loss.gamma", "loss.box_weight"], "knob-loss-box-weight"), "loss.box_weight");
  assert.equal(findPath(["loss.gamma"], "knob-loss"), undefined);
});

test("before the first answer nothing is requested", async () => {
  live.set("loss.gamma", 1);
  live.choose("curve", "slope");
  await wait(1000);
  assert.deepEqual([requests, live.currentRequest()], [[], null]);
});

test("an answer of Gradio's gives parts their own values and needs no request", async () => {
  await open();
  assert.deepEqual([painted, requests], [["own"], []]);
  assert.deepEqual(live.currentRequest(), { token: "t", settings: '{"loss.gamma":2}' });
});

test("a new value is requested with everything else that was chosen, the same value is not", async () => {
  await open();
  live.set("loss.gamma", 2);
  await wait(50);
  assert.equal(requests.length, 0);
  live.set("loss.gamma", 1);
  await wait(50);
  const [{ token, settings, curve, held, switched }] = requests;
  assert.deepEqual([token, settings, curve, held, switched], ["t", '{"loss.gamma":1}', "loss", true, { truth: false }]);
  await answer({ canvas: "new" });
  assert.deepEqual(painted, ["own", "new"]);
  await wait(2000);
  assert.equal(requests.length, 0);
});

test("two requests are in progress at most; of values that change meanwhile, the newest is requested", async () => {
  await open();
  await drag(1, 0.5, 0.2, 0);
  assert.deepEqual(asked(), [1, 0.5]);
  assert.deepEqual(requests.map(({ number }) => number), [1, 2]);
  await answer({ canvas: "first" });
  assert.deepEqual(asked(), [0.5, 0]);
  await answer({ canvas: "second" });
  await answer({ canvas: "third", postponed: false });
  assert.deepEqual([painted, requests], [["own", "first", "second", "third"], []]);
});

for (const order of [[0, 0], [1, 0]]) {
  test(`the last value is on show, picture and numbers, if answers arrive in the order ${order}`, async () => {
    const numbers = [];
    live.part("readout", (value) => numbers.push(value), () => "own");
    await open();
    await drag(1, 0.5);
    for (const index of order) {
      const value = asked()[index];
      await answerOne(index, { canvas: `c${value}` }, { readout: `r${value}`, postponed: false });
    }
    await wait(2000);
    assert.deepEqual([painted.at(-1), numbers.at(-1), requests], ["c0.5", "r0.5", []]);
  });
}

test("a value to which the knob returns is requested again", async () => {
  await open();
  await drag(1, 0.5, 1);
  await answer({ canvas: "1" });
  assert.deepEqual(asked(), [0.5, 1]);
});

for (const [failing, shown] of [[0, "0.5"], [1, "1"]]) {
  test(`of two requests, number ${failing} fails and takes nothing from the other`, async () => {
    await open();
    await drag(1, 0.5);
    const answers = [[{ canvas: "1" }], [{ canvas: "0.5", postponed: false }]];
    answers[failing] = [{ failed: true, postponed: true, notice: "gone" }];
    await answer(...answers[0]);
    await answer(...answers[1]);
    await wait(2000);
    assert.deepEqual([painted.at(-1), requests], [shown, []]);
  });
}

test("slow results are those of the newest answer, even if an older one ends after it", async () => {
  await open();
  await drag(1, 0.5);
  await answerOne(1, { canvas: "quick", postponed: true });
  await wait(1000);
  assert.deepEqual(asked(), [1]);
  await answer({ canvas: "old", postponed: true });
  assert.deepEqual(requests.map(({ settings, held }) => [settings, held]), [['{"loss.gamma":0.5}', false]]);
  await answer({ canvas: "slow", postponed: false });
  await wait(2000);
  assert.deepEqual([painted, requests], [["own", "quick", "slow"], []]);
});

test("a knob that moves does not wait for slow results", async () => {
  await open();
  await drag(1);
  await answer({ canvas: "quick", postponed: true });
  await wait(500);
  await drag(0.5);
  assert.deepEqual(requests.map(({ held }) => held), [false, true]);
  await answerOne(1, { canvas: "new", postponed: false });
  await answer({ canvas: "slow", postponed: false });
  assert.deepEqual([painted.at(-1), requests], ["new", []]);
});

test("both requests are out of date after an event of Gradio's, which is followed by one", async () => {
  await open();
  await drag(1, 0.5);
  const aborted = [...requests];
  live.receiveAnswer({ token: "u", settings: '{"loss.gamma":2}', look: {} });
  await wait(100);
  assert.deepEqual(requests.slice(2).map(({ token, settings }) => [token, settings]), [["u", '{"loss.gamma":0.5}']]);
  for (const { pieces } of aborted) pieces.push({ canvas: "old" }, null);
  requests.splice(0, 2);
  await wait(20);
  await answer({ canvas: "new", postponed: false });
  await wait(2000);
  assert.ok(!painted.includes("old"));
  assert.deepEqual([painted.at(-1), requests], ["new", []]);
});

test("a state that the server has forgotten is asked for once, however many requests were in progress", async () => {
  await open();
  const asks = [];
  page.addEventListener("live-forgotten", () => asks.push(field.value));
  await drag(1, 0.5);
  await answer({ forgotten: true });
  await answer({ forgotten: true });
  assert.deepEqual(asks, ['{"loss.gamma":0.5}']);
});

test("the page says that it is computing until no request takes long", async () => {
  await open();
  await drag(1, 0.5);
  await wait(300);
  await answer({ canvas: "c" });
  assert.equal(body.attributes.has("data-waiting"), true);
  await answer({ canvas: "c" });
  assert.equal(body.attributes.has("data-waiting"), false);
});

test("slow results follow once no knob has moved for a while", async () => {
  await open();
  live.set("loss.gamma", 1);
  await wait(20);
  await answer({ canvas: "quick", postponed: true });
  await wait(300);
  assert.equal(requests.length, 0);
  await wait(150);
  assert.deepEqual(requests.map(({ held }) => held), [false]);
  await answer({ canvas: "slow", postponed: false });
  await wait(2000);
  assert.deepEqual([painted.at(-1), requests], ["slow", []]);
});

test("a layer that is switched on is requested at once", async () => {
  await open();
  live.set("loss.gamma", 1);
  await wait(20);
  await answer({ canvas: "quick", postponed: true });
  live.reveal();
  await wait(20);
  assert.deepEqual(requests.map(({ held }) => held), [false]);
});

test("a failed answer is not requested again", async () => {
  await open();
  live.set("loss.gamma", 1);
  await wait(20);
  await answer({ failed: true, postponed: true });
  await wait(2000);
  assert.equal(requests.length, 0);
});

test("settings are handed to Gradio once a knob rests, and their echo is no news", async () => {
  await open();
  const inputs = [];
  field.addEventListener("input", () => inputs.push(field.value));
  live.set("loss.gamma", 1);
  await wait(390);
  assert.deepEqual([inputs, live.currentRequest()], [[], null]);
  await wait(20);
  assert.deepEqual(inputs, ['{"loss.gamma":1}']);
  await answer({ canvas: "one" });
  live.set("loss.gamma", 0);
  live.receiveSettings('{"loss.gamma":1}');  // the echo comes late
  await wait(50);
  assert.deepEqual(requests.map(({ settings }) => settings), ['{"loss.gamma":0}']);
});

test("settings that the server has changed are taken over", async () => {
  await open();
  live.receiveSettings('{"loss.gamma":5}');
  await wait(50);
  assert.deepEqual(requests.map(({ settings }) => settings), ['{"loss.gamma":5}']);
});

test("only those settings that an event has changed are taken over: a knob moved meanwhile stays", async () => {
  await open({ "loss.gamma": 2, "loss.alpha": 0.25, "anchors.scales": [1] });
  live.set("loss.gamma", 4);
  await wait(20);
  await answer({ canvas: "moved" });
  const told = { "loss.gamma": 2, "loss.alpha": 0.25, "anchors.scales": [1, 2] };
  field.value = JSON.stringify({ ...told, changed: ["anchors.scales"] });
  live.receiveSettings(field.value);
  live.receiveAnswer({ token: "u", settings: JSON.stringify(told), look: {} });
  await wait(100);
  const merged = JSON.stringify({ ...told, "loss.gamma": 4 });
  assert.deepEqual(requests.map(({ token, settings }) => [token, settings]), [["u", merged]]);
  assert.equal(field.value, merged);  // for Gradio's next event
});

test("the message of an event stays when what was set meanwhile is requested, until a knob is moved", async () => {
  const messages = [];
  live.part("notice", (value) => messages.push(value), () => "Fitted");
  await open({ "loss.gamma": 2, "loss.alpha": 0.25 });
  live.set("loss.alpha", 0.5);  // while the event is in progress
  await wait(20);
  await answer({ canvas: "moved" });
  live.receiveAnswer({ token: "t", settings: '{"loss.gamma":1,"loss.alpha":0.25}', look: {} });
  await wait(90);
  await answer({ canvas: "same", notice: "" });
  live.set("loss.gamma", 1);  // the widget of what the event has changed reports it, however late
  live.receiveSettings('{"loss.gamma":1,"loss.alpha":0.25,"changed":["loss.gamma"]}');
  await wait(100);
  assert.deepEqual(requests.map(({ settings }) => settings), ['{"loss.gamma":1,"loss.alpha":0.5}']);
  await answer({ canvas: "same", notice: "" });
  assert.deepEqual(new Set(messages), new Set(["Fitted"]));
  live.set("loss.gamma", 0);
  await wait(50);
  await answer({ canvas: "new", notice: "" });
  assert.equal(messages.at(-1), "");
});

test("a piece that arrives after another event of Gradio's is not painted", async () => {
  await open();
  live.set("loss.gamma", 1);
  await wait(20);
  live.receiveAnswer({ token: "u", settings: '{"loss.gamma":2}', look: {} });
  await answer({ canvas: "old" });
  assert.ok(!painted.includes("old"));
  await wait(100);
  assert.deepEqual(requests.map(({ token, settings }) => [token, settings]), [["u", '{"loss.gamma":1}']]);
});

test("the page says that it is computing if an answer takes long", async () => {
  await open();
  live.set("loss.gamma", 1);
  await wait(200);
  assert.equal(body.attributes.has("data-waiting"), false);
  await wait(100);
  assert.equal(body.attributes.has("data-waiting"), true);
  await answer({ canvas: "c" });
  assert.equal(body.attributes.has("data-waiting"), false);
});

test("a dial joins the others, and one that the server has set replaces what was chosen", async () => {
  await open();
  live.dial("counted", "7");
  live.dial("of", "a b");
  await wait(1);
  assert.equal(requests[0].dials, "counted=7&of=a+b");
  assert.equal(field.value, "counted=7&of=a+b");  // where Gradio's events read it
  await answer({ canvas: "c" });
  live.dial("of", "");
  await wait(1);
  assert.equal(requests[0].dials, "counted=7");
  await answer({ canvas: "c" });
  live.receiveAnswer({ token: "u", settings: '{"loss.gamma":2}', look: { dials: "graph=ap" } });
  live.dial("counted", "3");
  await wait(100);
  assert.equal(requests[0].dials, "graph=ap&counted=3");
});

test("a refresh requests the state on show again, without waiting signs and whole", async () => {
  await open();
  const shown = live.refresh();
  await wait(300);
  assert.deepEqual(requests.map(({ held, refresh }) => [held, refresh]), [[false, true]]);
  assert.equal(body.attributes.has("data-waiting"), false);
  await answer({ canvas: "new" });
  assert.equal(await shown, true);
  await wait(2000);
  assert.deepEqual([painted, requests], [["own", "new"], []]);
});

test("a refresh leaves the message on show unless its own has changed", async () => {
  const said = [];
  live.part("notice", (value) => said.push(value), () => "Taught.");
  await open();
  for (const notice of ["", "A fault.", "A fault.", ""]) {
    live.refresh();
    await wait(20);
    await answer({ canvas: "c", notice });
  }
  assert.deepEqual(said, ["Taught.", "A fault.", ""]);
});

test("a refresh during a request follows it; a knob that moves during a refresh, too", async () => {
  await open();
  live.set("loss.gamma", 1);
  await wait(20);
  assert.equal(await live.refresh(), false);
  await answer({ canvas: "one" });
  assert.deepEqual(requests.map(({ refresh }) => refresh), [true]);
  live.set("loss.gamma", 0);
  await wait(20);
  await answer({ canvas: "two" });
  assert.deepEqual(requests.map(({ settings, refresh, held }) => [settings, refresh, held]), [
    ['{"loss.gamma":0}', false, true],
  ]);
});

test("a refresh that fails is not repeated by itself, and says so", async () => {
  await open();
  const shown = live.refresh();
  await wait(20);
  await answer({ failed: true, postponed: true });
  assert.equal(await shown, false);
  await wait(2000);
  assert.equal(requests.length, 0);
});
