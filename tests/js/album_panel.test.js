import assert from "node:assert/strict";
import { test } from "node:test";

import { fakePage } from "./page.js";
import { load } from "./programs.js";

const { titleOf, pictureText } = load(["layout/album_panel.js"], ["titleOf", "pictureText"], fakePage());
const PICTURE = { index: 2, count: 12, labelled_here: true, objects: 1, place: "used for training" };

test("the title has the numbers of pictures", () => {
  assert.equal(titleOf({ count: 0, labelled: 0, mine: false }), "My pictures");
  assert.equal(titleOf({ count: 12, labelled: 3, mine: true }), "My pictures: 12, 3 labelled");
  assert.equal(titleOf({ count: 12, labelled: 3, mine: false }), "Shared pictures: 12, 3 labelled");
});

test("the picture on show is described by its objects and its split", () => {
  assert.equal(pictureText(PICTURE), "Picture 3 of 12: 1 object, used for training");
  assert.equal(pictureText({ ...PICTURE, objects: 0, place: "held out" }), "Picture 3 of 12: no objects, held out");
  assert.equal(pictureText({ ...PICTURE, labelled_here: false }), "Picture 3 of 12: not labelled yet");
  assert.equal(pictureText({ ...PICTURE, index: -1 }), "");
});
