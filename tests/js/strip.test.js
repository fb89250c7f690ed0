import assert from "node:assert/strict";
import { test } from "node:test";

import { fakePage } from "./page.js";
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
  const selectors = [`${step}.strip button[data-step="loss"]`, `${step}.of-loss`, `${step}#loss`];
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
