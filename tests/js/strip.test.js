import assert from "node:assert/strict";
import { test } from "node:test";

import { fakeElement, fakePage } from "./page.js";
import { load } from "./programs.js";

const NAMES = ["knobId", "hidingRules", "fullQuery"];
const FILES = ["layout/in_order.js", "layout/address.js", "layout/strip.js"];
const { knobId, hidingRules, fullQuery } = load(FILES, NAMES, fakePage());

test("a knob's id has no dots and underscores", () => {
  assert.equal(knobId("loss.box_weight"), "knob-loss-box-weight");
});

test("a link hides a knob by its path and a step by its name", () => {
  const knob = 'body:not([data-needs~="loss.gamma"]) #knob-loss-gamma { display: none !important; }';
  assert.equal(hidingRules("loss.gamma"), knob);
  const step = 'body:not([data-needs~="loss"]) ';
  const selectors = [`${step}.strip button[data-step="loss"]`, `${step}.of-loss`, `${step}#loss`, `${step}#loss-panel`];
  assert.equal(hidingRules(" loss "), `${selectors.join(",")} { display: none !important; }`);
  assert.equal(hidingRules("loss,loss.gamma").split("\n").length, 2);
});

test("names that could be anything else than a step or a knob are left out", () => {
  for (const names of ["", ",", "a b", "x{}", "*", 'x"]', "Ä"]) assert.equal(hidingRules(names), "", names);
});

test("the address keeps what only the browser knows", () => {
  const search = "?step=x&layers=a,-b&hide=training";
  assert.equal(fullQuery("loss.gamma=0", search), "loss.gamma=0&hide=training&layers=a,-b");
  assert.equal(fullQuery("", "?hide=training&layers="), "hide=training");
  assert.equal(fullQuery("", ""), "");
  assert.equal(fullQuery("", "?hide=a%26view=b%23c,d"), "hide=a%26view%3Db%23c,d");
});

/** Loads the strip; returns what it asks and hands on, and functions that choose, answer and end an event. */
function makeStrip() {
  const [asked, received, page] = [[], [], fakePage()];
  const written = [];
  page.trigger = (name, data) => { asked.push([name, data.step, data.keep_notice]); };
  page.live = { part: (_, paint, own) => () => paint(own()), receiveAnswer: (state) => received.push(state.token) };
  const listeners = {};
  page.document.addEventListener = (name, listener) => { (listeners[name] ??= []).push(listener); };
  page.document.body.hasAttribute = () => false;
  page.element.querySelector = () => ({ ...fakePage().element, children: [fakeElement()] });
  const clock = { setTimeout: (_, __, query) => { written.push(query); }, clearTimeout() {} };
  const names = ["choose", "onAnswer", "askForAddress"];
  const browser = { history: { state: {} }, sessionStorage: { getItem() {}, setItem() {} } };
  const strip = load(FILES, names, { ...page, ...clock, ...browser });
  const answer = (step, beganIn, token = step, run = "", beganWith = run) => {
    const [now, began] = [{ step, run }, beganIn && { step: beganIn, run: beganWith }];
    page.props.value = JSON.stringify({ cells: [], levels: [], step, now, began: began || null, query: step, token });
    strip.onAnswer();
  };
  const choose = (step) => strip.choose({ step, layer: null });
  const end = () => listeners["strip-answered"].forEach((listener) => listener());
  return { asked, received, written, answer, choose, end, goBack: strip.askForAddress, body: page.document.body };
}

/** Returns a strip on which the visitor has gone from the anchors to the network. */
function moveToNetwork() {
  const strip = makeStrip();
  strip.answer("anchors", "");
  strip.choose("network");
  strip.answer("network", "anchors");
  strip.end();
  return strip;
}

test("an answer that took long does not take the page back, and its message stays", () => {
  const strip = moveToNetwork();
  strip.answer("anchors", "anchors", "late");
  assert.deepEqual(strip.asked.slice(1), [["select", "network", true]]);
  assert.deepEqual(strip.received, ["anchors", "network", "network"]);
  assert.equal(strip.body.dataset.step, "network");
});

test("while a later choice is in progress, a late answer asks for that one", () => {
  const strip = moveToNetwork();
  strip.choose("loss");
  strip.answer("anchors", "anchors");
  strip.answer("loss", "network");
  strip.end();
  assert.deepEqual(strip.asked.slice(1).map(([, step]) => step), ["loss", "loss"]);
});

test("while a later choice waits, a late answer asks for nothing: what waits will show all", () => {
  const strip = makeStrip();
  strip.answer("anchors", "");
  strip.choose("network");
  strip.choose("loss");
  strip.answer("anchors", "anchors");
  strip.answer("network", "anchors");
  strip.end();
  strip.answer("loss", "network");
  strip.end();
  assert.deepEqual(strip.asked.map(([, step]) => step), ["network", "loss"]);
  assert.equal(strip.body.dataset.step, "loss");
});

test("going back wins over a late answer and over answers in progress", () => {
  const strip = moveToNetwork();
  strip.written.length = 0;
  strip.goBack();
  strip.answer("network", "network");
  strip.answer("anchors", "anchors", "late");
  assert.deepEqual([strip.written, strip.asked.slice(1)], [[], [["edit", undefined, undefined]]]);
  strip.answer("picture", "");
  strip.end();
  assert.deepEqual(strip.asked.slice(2), [["select", null, true]]);
  assert.equal(strip.written.at(-1), "picture");
});

test("an answer that is to be shown in any case is never late", () => {
  const strip = moveToNetwork();
  strip.answer("anchors", "");
  assert.deepEqual([strip.asked.length, strip.body.dataset.step], [1, "anchors"]);
});

test("an answer about the run on show before asks for the one that was chosen since", () => {
  const strip = makeStrip();
  strip.answer("training", "", "first", "a");
  strip.answer("training", "training", "chosen", "b", "a");
  strip.answer("training", "training", "late", "a");
  assert.deepEqual(strip.received, ["first", "chosen", "chosen"]);
  assert.deepEqual(strip.asked, [["select", "training", true]]);
  strip.answer("training", "", "again", "b");
  strip.end();
  assert.deepEqual([strip.received.at(-1), strip.asked.length], ["again", 1]);
});

test("a run that was chosen in its list is shown: the list held it before the event began", () => {
  const strip = makeStrip();
  strip.answer("training", "", "first", "a");
  strip.answer("training", "", "chosen", "b");
  assert.deepEqual([strip.received, strip.asked], [["first", "chosen"], []]);
});
