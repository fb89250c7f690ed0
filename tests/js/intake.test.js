import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";

import { fakeElement, fakePage } from "./page.js";
import { load } from "./programs.js";

const NAMES = ["refusal", "reasonToSkip", "describeOutcome", "explainNoCamera", "randomName"];
const PAGE = { ...fakePage(), navigator: {}, crypto: webcrypto };
const FILES = ["layout/camera.js", "layout/intake.js"];
const { refusal, reasonToSkip, describeOutcome, explainNoCamera, randomName } = load(FILES, NAMES, PAGE);
const NOTHING = { saved: 0, unsaved: 0, scaled: 0, failed: [], error: "" };
const MB = 1024 * 1024;

test("too many pictures are refused before any is sent", () => {
  assert.equal(refusal(300, 300), "");
  assert.equal(refusal(1301, 300), "1,301 pictures are too many at once: choose at most 300.");
});

test("a file that is no picture, or too large, is not sent; one of an unknown type is", () => {
  assert.equal(reasonToSkip({ type: "image/png", size: 64 * MB }, 64 * MB), "");
  assert.equal(reasonToSkip({ type: "", size: 1 }, 64 * MB), "");
  assert.equal(reasonToSkip({ type: "application/zip", size: 1 }, 64 * MB), "is not a picture");
  assert.equal(reasonToSkip({ type: "image/png", size: 64 * MB + 1 }, 64 * MB), "has 65 MB, more than the 64 allowed");
});

test("no two uploads have the same name, and all have the form that the server takes", () => {
  const names = Array.from({ length: 100 }, randomName);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^[0-9a-f]{32}$/);
});

test("the outcome counts what was added and names what was not", () => {
  assert.equal(describeOutcome({ ...NOTHING, saved: 1 }, 2048), "Added 1 picture to My pictures.");
  assert.equal(
    describeOutcome({ ...NOTHING, saved: 11, scaled: 1, failed: ["a.txt is not a picture"] }, 2048),
    "Added 11 pictures to My pictures. 1 was scaled down to 2048 px. Not added: a.txt is not a picture.",
  );
  const failed = ["1", "2", "3", "4", "5", "6", "7"];
  assert.equal(describeOutcome({ ...NOTHING, failed }, 2048), "Not added: 1; 2; 3; 4; 5 and 2 more.");
  const full = { ...NOTHING, saved: 2, error: "Full." };
  assert.equal(describeOutcome(full, 2048), "Added 2 pictures to My pictures. Full.");
  assert.match(describeOutcome({ ...NOTHING, unsaved: 1 }, 2048), /not saved: allow cookies/);
});

const filesOf = (names) => names.map((name) => ({ name, type: "image/png", size: 1 }));

/**
 * Brings files; `onTake` is called with the number of each that the server takes, the script, and what deletes all
 * pictures. Returns what happened.
 */
async function bringAll(names, onTake, isFree = true) {
  const [listeners, taken, shown, said] = [{}, [], [], []];
  const page = {
    ...PAGE,
    element: {
      ...PAGE.element,
      querySelector: (selector) => (selector !== ".intake-said" ? fakeElement()
        : { ...fakeElement(), set textContent(text) { said.push(text); } }),
    },
    document: {
      ...PAGE.document,
      addEventListener: (name, act) => { listeners[name] = act; },
      dispatchEvent: () => isFree,
      body: { dataset: { step: "loss", onShow: JSON.stringify({ step: "anchors", picture: "p" }) } },
    },
    props: { max_files: 300, max_bytes: MB, max_side: 2048 },
    upload: async () => ({ path: "/uploads/x" }),
    trigger: (name, data) => shown.push([name, data]),
    File: class { type = ""; },
    server: {
      take: async (request) => {
        taken.push(request);
        onTake(taken.length, script, () => listeners["pictures-deleted"]());
        return { pixels_key: `my-1/${taken.length}.png`, album: "my-1", scaled: false, error: "", stop: false };
      },
    },
  };
  const script = load(FILES, ["bring"], page);
  await script.bring(filesOf(names));
  return { taken, shown, said };
}

test("the first of several files is shown, and each says into which album those before it went", async () => {
  const { taken, shown } = await bringAll(["0.png", "1.png", "2.png"], () => {});
  const sent = [["0.png", ""], ["1.png", "my-1"], ["2.png", "my-1"]];
  assert.deepEqual(taken.map(({ name, album }) => [name, album]), sent);
  const first = { pixels_key: "my-1/1.png", path: "/uploads/x", name: "0.png" };
  assert.deepEqual(shown, [["upload", { ...first, began: { step: "loss", picture: "p" } }]]);
});

test("a picture that arrives while the visitor draws says so", async () => {
  const { shown: [[, { began }]] } = await bringAll(["0.png"], () => {}, false);
  assert.equal(began, null);
});

test("files that are on their way while all pictures are deleted are given up", async () => {
  const { taken, shown } = await bringAll(["a", "b", "c", "d"], (number, script, remove) => {
    if (number === 2) remove();
  });
  assert.deepEqual([taken.length, shown], [2, []]);
});

test("files that come during an upload are sent after it, and counted", async () => {
  const { taken, shown, said } = await bringAll(["a", "b"], (number, { bring }) => {
    if (number <= 2) bring(filesOf([`camera ${number}.jpg`]));
  });
  assert.deepEqual(taken.map(({ name }) => name), ["a", "b", "camera 1.jpg", "camera 2.jpg"]);
  assert.deepEqual(said, [
    "1 of 2", "1 of 3", "2 of 3", "2 of 4", "3 of 4", "4 of 4", "Added 4 pictures to My pictures.",
  ]);
  assert.equal(shown.length, 1);
});

test("too many files during an upload are refused in words that stay", async () => {
  const many = filesOf(Array.from({ length: 301 }, String));
  const { taken, said } = await bringAll(["a", "b"], (number, { bring }) => { if (number === 1) bring(many); });
  assert.equal(taken.length, 2);
  assert.equal(said.at(-1), `Added 2 pictures to My pictures. ${refusal(301, 300)}`);
});

test("each reason for no camera has its own sentence", () => {
  const reasons = [["", false], ["NotAllowedError", false], ["NotAllowedError", true], ["NotFoundError", false],
    ["NotReadableError", false]];
  const sentences = reasons.map(([name, framed]) => explainNoCamera(name, framed));
  assert.equal(new Set(sentences).size, reasons.length);
  for (const sentence of sentences) assert.match(sentence, /upload a picture instead\.$/);
});
