import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { beforeEach, test } from "node:test";

import { fakeElement, fakePage } from "./page.js";
import { load } from "./programs.js";

let visible, asked, stopped, brought, nodes, resized;

/** An element of the component that can be clicked. */
function createNode() {
  const listeners = {};
  return {
    ...fakeElement(), focus() {},
    addEventListener: (kind, act) => { listeners[kind] = act; },
    fire: (kind) => listeners[kind](),
  };
}

/** The element with its parts by selector, and a dialog that is shown only in a visible element. */
function createIntake() {
  nodes = new Map();
  const element = {
    ...createNode(),
    querySelector(selector) {
      if (!nodes.has(selector)) nodes.set(selector, createNode());
      return nodes.get(selector);
    },
    checkVisibility: () => visible,
  };
  const dialog = Object.assign(element.querySelector(".intake-dialog"), {
    open: false, querySelector: element.querySelector, checkVisibility: () => visible,
    showModal() { dialog.open = true; },
    close() {
      if (dialog.open) setTimeout(() => dialog.fire("close"));
      dialog.open = false;
    },
  });
  Object.assign(element.querySelector("video"), { videoWidth: 8, videoHeight: 6, play: async () => {} });
  const canvas = element.querySelector("canvas");
  Object.assign(canvas, { getContext: () => null, toBlob: (act) => setTimeout(act, 5, { type: "image/jpeg" }) });
  return element;
}

beforeEach(() => {
  [visible, asked, stopped, brought] = [true, [], 0, []];
  const page = {
    ...fakePage(), crypto: webcrypto, element: createIntake(),
    navigator: { mediaDevices: { getUserMedia: () => new Promise((give) => asked.push(give)) } },
    ResizeObserver: class {
      constructor(act) { resized = act; }

      observe() {}
    },
    bringFiles: (files) => brought.push(...files),
  };
  load(["layout/camera.js"], [], page, "const say = () => {}; const bring = bringFiles;");
});

const press = (name) => nodes.get(name).fire("click");
const later = () => new Promise((done) => setTimeout(done, 15));

/** The browser gives the camera that was asked for first. */
async function grant() {
  asked.shift()({ getTracks: () => [{ stop() { stopped++; } }] });
  await later();
}

const isOpen = () => nodes.get(".intake-dialog").open;

test("a picture is taken and brought once, and the camera stops", async () => {
  press(".intake-camera");
  await grant();
  assert.deepEqual([isOpen(), stopped], [true, 0]);
  press('[data-do="take"]');
  press('[data-do="use"]');
  if (isOpen()) press('[data-do="use"]');  // a double click
  await later();
  assert.deepEqual([isOpen(), stopped, brought.map(({ name }) => name)], [false, 1, ["camera 1.jpg"]]);
});

test("a camera that is given after its step has been left stops at once, and opens nothing", async () => {
  press(".intake-camera");
  visible = false;
  await grant();
  assert.deepEqual([isOpen(), stopped, nodes.get("video").srcObject], [false, 1, null]);
  visible = true;
  press(".intake-camera");  // it can be asked for again
  await grant();
  assert.deepEqual([isOpen(), stopped], [true, 1]);
});

test("while the browser asks, the button asks no second time", () => {
  press(".intake-camera");
  press(".intake-camera");
  assert.equal(asked.length, 1);
});

test("leaving the step closes the dialog, so that it does not block the page", async () => {
  press(".intake-camera");
  await grant();
  resized();
  assert.equal(isOpen(), true);
  visible = false;
  resized();
  await later();
  assert.deepEqual([isOpen(), stopped], [false, 1]);
});
