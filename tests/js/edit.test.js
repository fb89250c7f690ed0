import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FakeClock } from "./page.js";
import { load } from "./programs.js";

const FILES = ["geometry", "boxes", "suggestions", "classes", "history", "drawing", "gestures", "edit"];
let clock, view, sent, edits, changes, messages, said, asked, editor;

const truth = (...boxes) => ({
  key: "truth", count: boxes.length, boxes: new Float32Array(boxes.flat()), labels: boxes.map(() => 0),
});
const viewOf = (...boxes) => ({
  width: 100, height: 80, editable: true, classes: ["cat", "dog"], class_colours: [], max_boxes: 2, rejected: [],
  layers: [truth(...boxes)],
});
const shown = () => [...view.layers[0].boxes];
const at = (x, y) => ({ x, y });

function drag(from, to, { reach = 3, drawNew = false } = {}) {
  editor.down(from, reach, drawNew);
  editor.move(to);
  editor.up();
}

beforeEach(() => {
  [clock, sent, edits, changes, messages, said, asked] = [new FakeClock(), [], [], [], [], [], 0];
  const { createEditor } = load(FILES.map((name) => `canvas/${name}.js`), ["createEditor"], clock.globals);
  view = viewOf([10, 10, 50, 50]);
  editor = createEditor({
    view: () => view,
    repaint: () => {},
    send: (edit) => { sent.push(edit.boxes); edits.push(edit); },
    sendClass: (change) => changes.push(change),
    showMessage: (sentence) => messages.push(sentence),
    announce: (sentence) => said.push(sentence),
    askClass: () => { asked++; },
  }, () => {});
  editor.adopt(view);
  editor.choose(1);
});

test("a drag on free ground draws a box of the chosen class", () => {
  drag(at(90, 70), at(60, 55));
  const [first, second] = [{ x1: 10, y1: 10, x2: 50, y2: 50, label: 0 }, { x1: 60, y1: 55, x2: 90, y2: 70, label: 1 }];
  assert.deepEqual(sent, [[first, second]]);
  assert.deepEqual(editor.selection(), { x1: 60, y1: 55, x2: 90, y2: 70, label: 1 });
});

test("a click selects, sends nothing, and a trembling one moves nothing", () => {
  drag(at(20, 20), at(21, 21));
  assert.deepEqual([sent, editor.selection().x1], [[], 10]);
});

test("a drag inside a box moves it, with Shift it draws inside", () => {
  drag(at(20, 20), at(25, 30));
  assert.deepEqual(sent.at(-1), [{ x1: 15, y1: 20, x2: 55, y2: 60, label: 0 }]);
  drag(at(20, 25), at(30, 35), { drawNew: true });
  assert.deepEqual(sent.at(-1)[1], { x1: 20, y1: 25, x2: 30, y2: 35, label: 1 });
});

test("the selected box is resized at its handles", () => {
  drag(at(20, 20), at(20, 20));
  drag(at(51, 49), at(61, 69));
  assert.deepEqual(sent, [[{ x1: 10, y1: 10, x2: 60, y2: 70, label: 0 }]]);
});

test("a box thinner than a pixel is dropped", () => {
  drag(at(60, 60), at(60.5, 75), { reach: 1 });
  assert.deepEqual(sent, [[{ x1: 10, y1: 10, x2: 50, y2: 50, label: 0 }]]);
  assert.equal(editor.selection(), null);
});

test("no more boxes than the limit can be drawn", () => {
  drag(at(60, 60), at(70, 70));
  drag(at(80, 60), at(90, 70));
  assert.deepEqual([sent.length, messages], [1, ["At most 2 boxes can be drawn: delete one first."]]);
});

test("a gesture can be cancelled", () => {
  editor.down(at(20, 20), 3, false);
  editor.move(at(40, 40));
  assert.deepEqual(shown(), [30, 30, 70, 70]);
  editor.cancel();
  assert.deepEqual([shown(), sent], [[10, 10, 50, 50], []]);
  editor.down(at(60, 60), 3, false);
  editor.move(at(70, 70));
  editor.deselect();
  assert.deepEqual([shown(), sent], [[10, 10, 50, 50], []]);
});

test("delete and a new class apply to the selected box alone", () => {
  editor.remove();
  editor.relabel(1);
  assert.deepEqual(sent, []);
  drag(at(20, 20), at(20, 20));
  editor.relabel(1);
  assert.deepEqual(view.layers[0].captions, ["dog 1"]);
  editor.remove();
  assert.deepEqual(sent.map((boxes) => boxes.length), [1, 0]);
});

test("nudges are one change once they pause", async () => {
  drag(at(20, 20), at(20, 20));
  editor.nudge(1, 0);
  await clock.wait(200);
  editor.nudge(1, -10);
  await clock.wait(249);
  assert.deepEqual(sent, []);
  await clock.wait(1);
  assert.deepEqual(sent, [[{ x1: 12, y1: 0, x2: 52, y2: 40, label: 0 }]]);
});

test("a late answer to an earlier change does not undo a later one", () => {
  drag(at(20, 20), at(25, 20));
  drag(at(20, 20), at(26, 20));
  view = viewOf([15, 10, 55, 50]);  // Python's answer to the first change
  editor.adopt(view);
  assert.deepEqual(shown(), [21, 10, 61, 50]);
  view = viewOf([21, 10, 61, 50]);
  editor.adopt(view);
  assert.deepEqual(shown(), [21, 10, 61, 50]);
});

test("however late an answer to an earlier change is, nothing drawn since is lost", async () => {
  drag(at(20, 20), at(25, 20));
  drag(at(60, 60), at(70, 70));
  await clock.wait(60_000);
  view = viewOf([15, 10, 55, 50]);
  editor.adopt(view);
  editor.noteAnswer();
  assert.equal(shown().length, 8);
  drag(at(20, 20), at(30, 20));
  assert.deepEqual(sent.at(-1).map(({ x1 }) => x1), [25, 60]);
});

test("once all changes are answered, such a state is a new ground truth: the last change has failed", () => {
  drag(at(20, 20), at(25, 20));
  drag(at(20, 20), at(26, 20));
  for (let i = 0; i < 2; i++) editor.noteAnswer();
  view = viewOf([15, 10, 55, 50]);
  editor.adopt(view);
  drag(at(20, 20), at(30, 20));
  assert.equal(sent.at(-1)[0].x1, 25);
});

test("another ground truth from Python is taken over", () => {
  drag(at(20, 20), at(25, 20));
  view = viewOf([1, 2, 30, 40], [5, 5, 9, 9]);
  editor.adopt(view);
  editor.deselect();
  drag(at(7, 7), at(8, 7), { reach: 0.5 });
  assert.deepEqual(sent.at(-1).map(({ x1 }) => x1), [1, 6]);
});

test("after a reset nothing is selected or sent", () => {
  drag(at(20, 20), at(20, 20));
  editor.reset();
  assert.equal(editor.selection(), null);
  assert.deepEqual(sent, []);
});

// ---- undo

test("changes are undone and redone, and sent", () => {
  drag(at(20, 20), at(25, 20));
  drag(at(60, 60), at(70, 70));
  editor.travel("undo");
  assert.deepEqual(shown(), [15, 10, 55, 50]);
  editor.travel("undo");
  assert.deepEqual([shown(), sent.at(-1)[0].x1, editor.undoable()], [[10, 10, 50, 50], 10, [0, 2]]);
  editor.travel("undo");
  assert.deepEqual([sent.length, said.at(-1)], [4, "nothing to undo"]);
  editor.travel("redo");
  editor.travel("redo");
  assert.deepEqual([shown().length, editor.undoable()], [8, [2, 0]]);
});

test("a ground truth from Python can be undone, an answer is no step", () => {
  drag(at(20, 20), at(25, 20));
  view = viewOf([15.004, 10, 55, 50]);  // the answer
  editor.adopt(view);
  view = viewOf();  // all deleted elsewhere
  editor.adopt(view);
  assert.deepEqual(editor.undoable(), [2, 0]);
  editor.travel("undo");
  assert.equal(shown().length, 4);
});

test("another picture has its own history", () => {
  drag(at(20, 20), at(25, 20));
  editor.reset();
  editor.adopt(view);
  editor.travel("undo");
  assert.deepEqual(said.at(-1), "nothing to undo");
});

// ---- keys

test("a box is drawn, resized and found without a pointer", async () => {
  editor.place({ x1: 40, y1: 30, x2: 60, y2: 50 });
  assert.deepEqual([sent.at(-1)[1], said.at(-1)], [{ x1: 40, y1: 30, x2: 60, y2: 50, label: 1 }, "dog 2 added"]);
  editor.stretch(5, 0);
  await clock.wait(250);
  assert.deepEqual([sent.at(-1)[1].x2, said.at(-1)], [65, "dog 2 at 40, 30, 25 × 20 pixels"]);
  editor.deselect();
  editor.selectNext(1, false);
  editor.selectNext(1, false);
  assert.deepEqual([editor.selection().label, editor.nextPlace(1, false), editor.nextPlace(1, true)], [1, -1, 0]);
  assert.equal(said.at(-1), "dog 2 selected");
});

// ---- suggestions

const suggest = (...boxes) => view.layers.push({
  ...truth(...boxes), key: "suggestions", values: new Float32Array(boxes.map(() => 0.5)),
});
const suggested = () => view.layers[1].count;

test("a click accepts a suggestion, which undo gives back", () => {
  view.max_boxes = 9;
  suggest([60, 10, 90, 40], [60, 50, 90, 70]);
  editor.adopt(view);
  drag(at(75, 60), at(75, 60));
  assert.deepEqual(sent[0][1], { x1: 60, y1: 50, x2: 90, y2: 70, label: 0 });
  assert.deepEqual([suggested(), said.at(-1), editor.selection().y1], [1, "suggestion accepted, 1 left", 50]);
  editor.travel("undo");
  assert.deepEqual([suggested(), sent.at(-1).length], [2, 1]);
  editor.acceptAll();
  assert.deepEqual([suggested(), sent.at(-1).length, said.at(-1)], [0, 3, "2 suggestions accepted, 0 left"]);
});

test("a tap selects a suggestion, a second one accepts it; a drag draws over it", () => {
  suggest([60, 10, 90, 40]);
  editor.adopt(view);
  const tap = () => {
    editor.down(at(75, 20), 3, false);
    editor.up(true);
  };
  tap();
  assert.deepEqual([editor.offer(), sent], [0, []]);
  tap();
  assert.equal(sent.length, 1);
  editor.travel("undo");
  drag(at(65, 15), at(85, 35));
  assert.deepEqual([suggested(), sent.at(-1)[1].x1], [1, 65]);
});

test("a rejected suggestion is sent, stays away, and comes back with undo", () => {
  view.rejected = [[1, 1, 5, 5]];
  suggest([60, 10, 90, 40], [60, 50, 90, 70]);
  editor.reset();
  editor.adopt(view);
  editor.selectNext(1, false);
  editor.selectNext(1, false);
  editor.remove();
  assert.deepEqual(edits.at(-1).rejected, [{ x1: 1, y1: 1, x2: 5, y2: 5 }, { x1: 60, y1: 10, x2: 90, y2: 40 }]);
  view = viewOf([10, 10, 50, 50]);
  suggest([60, 10, 90, 40], [60, 50, 90, 70]);  // as before: the answer to something earlier
  editor.adopt(view);
  assert.equal(suggested(), 1);
  editor.travel("undo");
  assert.deepEqual([suggested(), edits.at(-1).rejected.length], [2, 1]);
});

test("accepting all stops where there is no room", () => {
  suggest([60, 10, 90, 40], [60, 50, 90, 70]);
  editor.adopt(view);
  editor.acceptAll();
  assert.deepEqual([sent.at(-1).length, suggested()], [2, 1]);
  assert.equal(messages.at(-1), "At most 2 boxes can be drawn: 1 suggestion left.");
  editor.accept(0);
  assert.equal(sent.length, 1);
});

// ---- classes of the visitor's own

function useFreeClasses(names = ["cat", "dog"]) {
  Object.assign(view, {
    free_classes: true, classes: names, class_colours: names.map(() => "#000000"), palette: ["#ff0000"], max_boxes: 9,
  });
  editor.adopt(view);
}

test("a box without a class waits for one, and is then sent with it", () => {
  useFreeClasses();
  editor.choose(-1);
  drag(at(60, 60), at(70, 70));
  assert.deepEqual([asked, sent, editor.unnamed().length], [1, [], 1]);
  editor.adopt(viewOf([10, 10, 50, 50]));  // an update takes nothing away
  editor.relabel(editor.addClass("owl"));
  assert.deepEqual([edits.at(-1).classes, sent.at(-1)[1].label], [["cat", "dog", "owl"], 2]);
  assert.deepEqual([said.at(-1), view.class_colours.at(-1)], ["owl 2 added", "#ff0000"]);
  drag(at(80, 60), at(90, 70));
  assert.equal(sent.at(-1)[2].label, 2);  // stays chosen
});

test("a gesture, a nudge that is not sent and a box without a class are unfinished", async () => {
  const seen = [editor.isUnfinished()];
  editor.down(at(20, 20), 3, false);
  seen.push(editor.isUnfinished());
  editor.up();
  seen.push(editor.isUnfinished());
  editor.nudge(1, 0);
  seen.push(editor.isUnfinished());
  await clock.wait(1000);
  seen.push(editor.isUnfinished());
  useFreeClasses();
  editor.choose(-1);
  drag(at(60, 60), at(70, 70));
  seen.push(editor.isUnfinished());
  editor.dropUnnamed();
  assert.deepEqual([...seen, editor.isUnfinished()], [false, true, false, true, false, true, false]);
});

test("a box without a class can be given up", () => {
  useFreeClasses();
  editor.choose(-1);
  drag(at(60, 60), at(70, 70));
  assert.deepEqual([editor.dropUnnamed(), editor.dropUnnamed(), sent, shown().length], [1, 0, [], 4]);
});

test("a class that Python does not know yet stays in the list and is changed here alone", () => {
  useFreeClasses();
  editor.addClass("owl");
  useFreeClasses(["cat", "dog"]);
  assert.deepEqual(view.classes, ["cat", "dog", "owl"]);
  editor.alterClass({ action: "rename", index: 2, value: "elk" });
  assert.deepEqual([view.classes, changes], [["cat", "dog", "elk"], []]);
  editor.alterClass({ action: "merge", index: 2, value: 0 });
  assert.deepEqual([view.classes, changes, sent], [["cat", "dog"], [], []]);
  editor.alterClass({ action: "merge", index: 0, value: editor.addClass("owl") });
  const change = { action: "rename", index: 0, value: "owl", classes: ["cat", "dog"] };
  assert.deepEqual([view.classes, changes], [["dog", "owl"], [change]]);
});

test("renaming, merging and recolouring are shown at once, and undo keeps them", () => {
  useFreeClasses(["cat", "dog", "owl"]);
  editor.choose(2);
  drag(at(60, 60), at(70, 70));
  editor.alterClass({ action: "rename", index: 2, value: "Eule" });
  editor.alterClass({ action: "merge", index: 0, value: 2 });
  editor.alterClass({ action: "recolour", index: 1, value: "#123456" });
  assert.deepEqual([view.classes, view.class_colours], [["dog", "Eule"], ["#000000", "#123456"]]);
  assert.deepEqual(view.layers[0].captions, ["Eule 1", "Eule 2"]);
  assert.deepEqual(changes.map(({ action, index, value }) => [action, index, value]),
    [["rename", 2, "Eule"], ["merge", 0, 2], ["recolour", 1, "#123456"]]);
  editor.travel("undo");
  assert.deepEqual(view.layers[0].captions, ["Eule 1"]);
});

test("a late answer from before a class was changed is left alone", () => {
  useFreeClasses();
  editor.alterClass({ action: "rename", index: 1, value: "wolf" });
  view = viewOf([10, 10, 50, 50]);
  useFreeClasses(["cat", "dog"]);
  assert.deepEqual(view.classes, ["cat", "wolf"]);
  view = viewOf([10, 10, 50, 50]);
  useFreeClasses(["cat", "wolf"]);
  view = viewOf([10, 10, 50, 50]);
  useFreeClasses(["cat", "fox"]);
  assert.deepEqual(view.classes, ["cat", "fox"]);
});
