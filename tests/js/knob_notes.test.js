import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FakeClock } from "./page.js";
import { load } from "./programs.js";

const NAMES = ["describeKnob", "paintIdle", "openHelp"];

class FakeElement {
  children = [];
  attributes = {};
  textContent = "";
  /** @param {string} id */
  constructor(id = "") { this.id = id; }
  setAttribute(name, value) { this.attributes[name] = value; }
  removeAttribute(name) { delete this.attributes[name]; }
  hasAttribute(name) { return name in this.attributes; }
  toggleAttribute(name, on) { if (on) this.attributes[name] = ""; else delete this.attributes[name]; }
  append(child) { this.children.push(child); }
}

class FakeTap {
  prevented = false;
  constructor(target, pointerType) { Object.assign(this, { target, pointerType }); }
  preventDefault() { this.prevented = true; }
}

/** A knob with a slider, its number and its button, as Gradio makes it. */
class FakeKnob extends FakeElement {
  help = new FakeElement();
  inputs = [new FakeElement(), new FakeElement()];
  button = new FakeElement();
  label = Object.assign(new FakeElement(), { closest: () => ({ closest: () => this }) });
  focused = false;
  querySelector(selector) {
    if (selector === ".info-text") return this.help;
    if (selector === "button.reset-button") return this.button;
    return this.children.find((child) => selector === `.${child.className}`) ?? null;
  }
  querySelectorAll() { return this.inputs; }
  closest(selector) { return selector === ".knob" ? this : null; }
}

let clock, knobs, listeners, document, notes, painted;

const opened = () => knobs.filter((knob) => knob.hasAttribute("data-help")).map(({ id }) => id);
const fire = (kind, event) => listeners[kind](event);

beforeEach(() => {
  clock = new FakeClock();
  knobs = [new FakeKnob("knob-loss-gamma"), new FakeKnob("knob-loss-cutoff")];
  listeners = {};
  document = {
    addEventListener: (kind, listener) => { listeners[kind] = listener; },
    createElement: () => new FakeElement(),
    getElementById: (id) => knobs.find((knob) => knob.id === id) ?? null,
    querySelector: (selector) => knobs.find((knob) => (
      selector.includes("data-help") ? knob.hasAttribute("data-help") : knob.focused
    )) ?? null,
    querySelectorAll: (selector) => knobs.filter((knob) => selector === ".knob" || knob.hasAttribute("data-help")),
  };
  notes = load(["layout/knob_notes.js"], NAMES, {
    document, Element: FakeElement, PointerEvent: FakeTap, watch() {}, ...clock.globals,
    props: { part: "idle", value: "", names: JSON.stringify({ "knob-loss-gamma": "Reset γ to 2", gone: "Reset x" }) },
    live: { part: (name, paint) => { painted = name; return () => paint(""); } },
  });
});

test("a knob that does not act says when it would, and no longer once it acts", () => {
  assert.equal(painted, "idle");
  notes.paintIdle(JSON.stringify({ "knob-loss-cutoff": ["Acts when the loss is cut-off", true] }));
  const note = knobs[1].querySelector(".idle-note");
  assert.equal(note.textContent, "Acts when the loss is cut-off");
  assert.ok(knobs[1].hasAttribute("data-idle") && !knobs[0].hasAttribute("data-idle"));
  notes.paintIdle(JSON.stringify({ "knob-loss-cutoff": ["Acts when …; now it changes only this figure", false] }));
  assert.ok(note.textContent.endsWith("this figure") && !knobs[1].hasAttribute("data-idle"));
  notes.paintIdle("{}");
  assert.equal(note.textContent, "");
  assert.ok(!knobs[1].hasAttribute("data-idle"));
  assert.equal(knobs[1].children.length, 1);
});

test("help and note describe every control of the knob", () => {
  const [knob] = knobs;
  notes.describeKnob(knob);
  assert.equal(knob.help.id, "knob-loss-gamma-help");
  assert.equal(knob.children[0].id, "knob-loss-gamma-idle");
  for (const input of knob.inputs) {
    assert.equal(input.attributes["aria-describedby"], "knob-loss-gamma-help knob-loss-gamma-idle");
  }
});

test("each button that resets a slider says which, and to what", () => {
  assert.equal(knobs[0].button.attributes["aria-label"], "Reset γ to 2");
  assert.equal(knobs[0].button.attributes.title, "Reset γ to 2");
});

test("help follows the keyboard's focus and closes on Escape", () => {
  knobs[0].focused = true;
  fire("focusin", { target: knobs[0] });
  assert.deepEqual(opened(), []);  // by a click
  fire("keydown", { key: "Tab" });
  fire("focusin", { target: knobs[0] });
  assert.deepEqual(opened(), ["knob-loss-gamma"]);
  fire("keydown", { key: "ArrowRight" });
  assert.deepEqual(opened(), ["knob-loss-gamma"]);
  fire("keydown", { key: "Escape" });
  assert.deepEqual(opened(), []);
  Object.assign(knobs[0], { focused: false });
  Object.assign(knobs[1], { focused: true });
  fire("focusin", { target: knobs[1] });
  assert.deepEqual(opened(), ["knob-loss-cutoff"]);
});

test("help opens when the pointer rests on the name, and closes after it has left", async () => {
  fire("pointerover", { target: knobs[0].label, pointerType: "mouse" });
  assert.deepEqual(opened(), []);
  await clock.wait(300);
  assert.deepEqual(opened(), ["knob-loss-gamma"]);
  fire("pointerover", { target: new FakeKnob(), pointerType: "mouse" });
  await clock.wait(300);
  assert.deepEqual(opened(), []);
});

test("a pointer that passes over a name opens nothing", async () => {
  fire("pointerover", { target: knobs[0].label, pointerType: "mouse" });
  fire("pointerover", { target: new FakeKnob(), pointerType: "mouse" });
  await clock.wait(300);
  assert.deepEqual(opened(), []);
});

test("a tap on the name opens help, a second one closes it", async () => {
  fire("pointerover", { target: knobs[0].label, pointerType: "touch" });
  await clock.wait(300);
  assert.deepEqual(opened(), []);
  fire("pointerdown", { target: knobs[0].label, pointerType: "touch" });
  assert.deepEqual(opened(), ["knob-loss-gamma"]);
  fire("pointerdown", { target: knobs[0].label, pointerType: "touch" });
  assert.deepEqual(opened(), []);
});

test("a tap on the name does not bring up the keyboard, a click may focus the control", () => {
  for (const kind of ["touch", "mouse"]) {
    const tap = new FakeTap(knobs[0].label, kind);
    fire("click", tap);
    assert.equal(tap.prevented, kind === "touch");
  }
});
