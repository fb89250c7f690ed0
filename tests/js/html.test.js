import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FakeClock, fakeElement, fakePage } from "./page.js";
import { load } from "./programs.js";

let clock, painted, paint, inside, anywhere;

const listenTo = (listeners) => (kind, act) => { listeners[kind] = act; };

beforeEach(() => {
  [clock, painted, inside, anywhere] = [new FakeClock(), [], {}, {}];
  const readout = {
    ...fakeElement(), addEventListener: listenTo(inside), contains: () => false,
    querySelector: () => null, set innerHTML(value) { painted.push(value); },
  };
  const page = fakePage();
  const globals = {
    ...page, ...clock.globals,
    element: { ...fakeElement(), closest: () => null, querySelector: () => readout },
    document: { ...page.document, addEventListener: listenTo(anywhere) },
    live: {
      part(_, paintValue) {
        paint = paintValue;
        return () => {};
      },
    },
  };
  load(["components/block.js", "components/html.js"], [], globals);
});

test("what comes while something is pressed is painted after the click", async () => {
  paint("1 %");
  inside.pointerdown({ button: 0 });
  for (const value of ["2 %", "3 %"]) paint(value);
  await clock.wait(5000);
  assert.deepEqual(painted, ["1 %"]);
  anywhere.pointerup();
  await clock.wait(1);  // the click comes now
  assert.deepEqual(painted, ["1 %"]);
  await clock.wait(100);
  assert.deepEqual(painted, ["1 %", "3 %"]);
  paint("4 %");
  assert.equal(painted.at(-1), "4 %");
});

test("a second press at once goes on waiting, and one that is broken off ends", async () => {
  inside.pointerdown({ button: 0 });
  paint("1 %");
  anywhere.pointerup();
  inside.pointerdown({ button: 0 });
  await clock.wait(5000);
  assert.deepEqual(painted, []);
  anywhere.pointercancel();
  await clock.wait(100);
  assert.deepEqual(painted, ["1 %"]);
});

test("the right button and presses elsewhere hold nothing back", async () => {
  inside.pointerdown({ button: 2 });
  paint("1 %");
  anywhere.pointerup();
  await clock.wait(100);
  assert.deepEqual(painted, ["1 %"]);
});
