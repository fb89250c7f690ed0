import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FakeClock } from "./page.js";
import { load } from "./programs.js";

const QUIET = { stamp: "", soon: false, controls: "", event: "tick" };
let clock, news, asked, events, eventCount, refreshed, element, props, document, showingMs, changeStep;

const wait = (ms) => clock.wait(ms);

beforeEach(async () => {
  clock = new FakeClock();
  [news, asked, events, eventCount, refreshed, showingMs] = [QUIET, 0, [], 0, 0, 0];
  element = { isConnected: true };
  props = { step: "training", value: "", followed: "followed " };
  document = Object.assign(new EventTarget(), { body: { dataset: { step: "training" } }, hidden: false });
  const every = (callback, ms) => clock.globals.setTimeout(() => { callback(); every(callback, ms); }, ms);
  load(["server/poll.js"], [], {
    element, props, document, ...clock.globals,
    setInterval: every, clearInterval() {},
    MutationObserver: class {
      constructor(callback) {
        changeStep = (step) => {
          document.body.dataset.step = step;
          callback();
        };
      }
      observe() {}
    },
    server: { news: async () => { asked += 1; return news; } },
    trigger: (event) => {
      events.push(event);
      eventCount += 1;
    },
    live: {
      currentRequest: () => ({ token: "t", settings: "{}" }),
      eventCount: () => eventCount,
      refresh: async () => {
        refreshed += 1;
        await new Promise((resolve) => { clock.globals.setTimeout(resolve, showingMs); });
        return true;
      },
    },
  });
});

/** Gradio has handled the event: the component has the new value. */
async function handle(controls) {
  props.value = controls;
  eventCount += 1;
  await wait(10_000);
}

test("without news it asks now and then", async () => {
  await wait(30_000);
  assert.deepEqual([events, refreshed], [[], 0]);
  assert.ok(asked >= 5 && asked <= 7, String(asked));
});

test("new numbers are shown the short way, once", async () => {
  news = { ...QUIET, stamp: "a" };
  await wait(20_000);
  assert.deepEqual([events, refreshed], [[], 1]);
  news = { ...QUIET, stamp: "b" };
  await wait(20_000);
  assert.deepEqual([events, refreshed], [[], 2]);
});

test("numbers that change all the time are shown every other second, more rarely if that takes long", async () => {
  const count = async () => {
    [news, refreshed] = [{ ...QUIET, soon: true }, 0];
    for (let second = 0; second < 60; second++) {
      news = { ...news, stamp: String(Math.random()) };
      await wait(1000);
    }
    return refreshed;
  };
  const fast = await count();
  assert.ok(fast >= 15 && fast <= 30, String(fast));
  showingMs = 200;
  const slow = await count();
  assert.ok(slow >= 8 && slow < fast, String(slow));
});

test("numbers that another event may have painted over are shown again", async () => {
  news = { ...QUIET, stamp: "a" };
  await wait(10_000);
  eventCount += 1;
  await wait(10_000);
  assert.equal(refreshed, 2);
});

test("components of Gradio's are changed by an event, which is announced again if it was lost", async () => {
  news = { ...QUIET, stamp: "a", controls: "x", soon: true };
  await wait(2000);
  assert.deepEqual([events, refreshed], [["tick"], 0]);
  await wait(6000);
  assert.deepEqual(events, ["tick", "tick"]);
  await handle("x");
  assert.deepEqual([events.length, refreshed], [2, 1]);
});

test("in other steps nothing is shown and, after the first answer, nothing is asked", async () => {
  document.body.dataset.step = "detections";
  news = { ...QUIET, controls: "x", soon: true };
  await wait(20_000);
  assert.deepEqual([asked, events, refreshed], [1, [], 0]);
});

for (const step of ["training", "detections"]) {
  test(`what has ended before anything was heard of it is announced as ended, in the step ${step}`, async () => {
    document.body.dataset.step = step;
    await wait(20_000);
    props.value = "followed queued";  // the answer to the event that started it
    news = { ...QUIET, controls: "finished", event: "end" };
    await wait(6000);
    await handle("finished");
    assert.deepEqual(new Set(events), new Set(["end"]));
  });
}

test("what an event of the step before has started is heard of, however soon the visitor leaves it", async () => {
  document.body.dataset.step = "picture";
  await wait(2000);
  changeStep("training");
  changeStep("detections");
  news = { ...QUIET, controls: "followed queued", soon: true };
  await wait(1000);
  assert.deepEqual(events, ["tick"]);
});

test("what is followed is followed in every step, and its end is an event of its own", async () => {
  document.body.dataset.step = "detections";
  news = { ...QUIET, controls: "followed running", soon: true };
  await wait(3000);
  await handle("followed running");
  assert.deepEqual(events, ["tick"]);
  news = { ...QUIET, controls: "finished", event: "end" };
  await wait(8000);  // the event is lost once
  assert.deepEqual(events, ["tick", "end", "end"]);
  await handle("finished");
  const before = asked;
  await wait(20_000);
  assert.deepEqual([events.length, asked, refreshed], [3, before, 0]);
});

test("an end that was not followed is no end", async () => {
  news = { ...QUIET, stamp: "a", controls: "finished", event: "end" };
  await wait(1000);
  assert.deepEqual(events, ["tick"]);
});

test("a hidden page asks nothing, and at once when it is seen again", async () => {
  document.hidden = true;
  await wait(20_000);
  assert.equal(asked, 0);
  document.hidden = false;
  await wait(1000);
  assert.equal(asked, 1);
});

test("after a click it asks without idling", async () => {
  await wait(2000);
  asked = 0;
  document.dispatchEvent(new Event("click"));
  await wait(3000);
  assert.ok(asked >= 4, String(asked));
});
