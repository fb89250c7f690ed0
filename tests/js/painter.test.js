import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { load } from "./programs.js";

const STAGES = [["canvas", "notice"], ["figure"], ["strip", "readout"]];
let log, frames, painter;

/** Ends one frame: what was asked for is painted. */
const endFrame = () => frames.splice(0).forEach((callback) => callback());

function fakePart(name) {
  let current = null;
  return {
    paint(value) {
      current = value;
      log.push(`${name} ${value}`);
    },
    painted: () => current,
    isQuick: (value) => value.startsWith("quick"),
  };
}

beforeEach(() => {
  [log, frames] = [[], []];
  const { createPainter } = load(["server/painter.js"], ["createPainter"], {
    requestAnimationFrame: (callback) => frames.push(callback),
    cancelAnimationFrame: (frame) => { if (frame) frames.splice(frame - 1, 1); },
    setTimeout: (callback) => callback(),
    clearTimeout() {},
  });
  const parts = ["canvas", "notice", "figure", "strip", "readout"].map((name) => [name, fakePart(name)]);
  painter = createPainter(new Map(parts), STAGES);
});

test("the picture is painted at once, the other stages one per frame", () => {
  painter.paint({ readout: "r", canvas: "c", strip: "s", figure: "f" });
  assert.deepEqual(log, ["canvas c"]);
  endFrame();
  assert.deepEqual(log, ["canvas c", "figure f"]);
  endFrame();
  assert.deepEqual(log, ["canvas c", "figure f", "strip s", "readout r"]);
  endFrame();
  assert.equal(log.length, 4);
});

test("a quick part shares the picture's frame", () => {
  painter.paint({ canvas: "c", figure: "quick f", strip: "s", readout: "quick r" });
  assert.deepEqual(log, ["canvas c", "figure quick f", "readout quick r"]);
  endFrame();
  assert.deepEqual(log.slice(3), ["strip s"]);
});

test("without a new picture the next stage is painted at once", () => {
  painter.paint({ strip: "s" });
  assert.deepEqual([log, frames], [["strip s"], []]);
});

test("null, a value that is painted already, and parts that are not on the page change nothing", () => {
  painter.paint({ canvas: "c" });
  endFrame();
  painter.paint({ canvas: "c", figure: null, other: "o", postponed: true });
  assert.deepEqual(log, ["canvas c"]);
});

test("only the newest value of a part is painted", () => {
  painter.paint({ canvas: "c1", figure: "f1" });
  painter.paint({ canvas: "c2", figure: "f2" });
  endFrame();
  assert.deepEqual(log, ["canvas c1", "canvas c2", "figure f2"]);
});

test("a stage that has waited is painted before those that were painted meanwhile", () => {
  painter.paint({ canvas: "c1", figure: "f1", strip: "s1" });
  endFrame();
  painter.paint({ canvas: "c2", figure: "f2", strip: "s2" });
  endFrame();
  assert.deepEqual(log, ["canvas c1", "figure f1", "canvas c2", "strip s2"]);
  endFrame();
  assert.equal(log.at(-1), "figure f2");
});

test("what is cleared is never painted", () => {
  painter.paint({ canvas: "c", figure: "f" });
  painter.clear();
  endFrame();
  painter.paint({ canvas: "c" });
  endFrame();
  assert.deepEqual(log, ["canvas c"]);
});
