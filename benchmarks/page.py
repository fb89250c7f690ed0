"""Latency from moving a knob to the new picture, on the real page in Chromium.

`python -m benchmarks.page --json latencies.json` needs Chromium and an otherwise idle machine. With `--training` a run
started on the page trains meanwhile. For each knob, single events are timed, each with another value; then a drag of
sixty events, one per frame, is made and the frames that show a new picture are counted.
"""

import argparse
import json
import shutil
import statistics
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, sync_playwright

from core.config import Config
from core.io.atomic import write_text
from playground.page import build_page, launch_options
from playground.runs.service import RUNS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Moves a knob (a slider, or a checkbox, which is clicked) and observes when a component has drawn again.
TOOLS = """
const find = (knob) => document.querySelector(`#knob-${knob} :is(input[type=range], input[type=checkbox])`);
function move(knob, value) {
  const input = find(knob);
  if (input.type === "checkbox") return input.click();
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, value);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}
function whenDrawn(watched, then) {
  const observer = new MutationObserver(() => then(observer));
  observer.observe(document.querySelector(watched), { attributes: true, attributeFilter: ["data-drawn"] });
}
"""
# The time ends when the frame with the new picture has been presented: a frame callback schedules a task that runs
# before any other after its frame. Drawing is observed before the frame that shows it or, for animated lines, in its
# frame callback.
EVENT = f"""async ([knob, value, watched]) => {{{TOOLS}
  const onceOut = (then) => scheduler.postTask(then, {{ priority: "user-blocking" }});
  let beginning = false;
  let next = 0;
  const eachFrame = () => {{
    beginning = true;
    onceOut(() => {{ beginning = false; }});
    next = requestAnimationFrame(eachFrame);
  }};
  eachFrame();
  const drawn = new Promise((resolve) => {{
    whenDrawn(watched, (observer) => {{
      observer.disconnect();
      const ask = () => onceOut(() => resolve(performance.now()));
      if (beginning) ask();
      else requestAnimationFrame(ask);
    }});
    setTimeout(() => resolve(NaN), 5000);
  }});
  const start = performance.now();
  move(knob, value);
  const end = await drawn;
  cancelAnimationFrame(next);
  return end - start;
}}"""
DRAG = f"""async ([knob, values, watched]) => {{{TOOLS}
  const frames = new Set();
  let frame = 0;
  whenDrawn(watched, () => frames.add(frame));
  for (const value of values) {{
    await new Promise(requestAnimationFrame);
    frame += 1;
    move(knob, value);
  }}
  await new Promise((resolve) => setTimeout(resolve, 500));
  return frames.size;
}}"""
HOLD = """(knob) => {
  const input = document.querySelector(`#knob-${knob} input[type=range]`);
  input.dispatchEvent(new Event("pointerdown", { bubbles: true }));
}"""


class Knob(NamedTuple):
    """A knob, the range in which it is moved, and its step; a checkbox needs only the name."""

    name: str
    low: float = 0
    high: float = 1
    step: float = 0.01

    def value(self, number: int) -> str:
        """Returns the knob's values one after another, each far from the previous one."""
        count = round((self.high - self.low) / self.step) + 1
        return str(round(self.low + number * STRIDE % count * self.step, 2))


class Work(NamedTuple):
    """One measurement.

    Attributes:
        name: Name for display.
        query: URL query with the step of the page and settings.
        knob: The knob to move.
        goal: Goals for the median, or None, and the 95th percentile in ms.
        watched: Selector of the component that draws again.
        between: Another knob moved between events, if the first has few values, so that no answer is cached.
        is_held: Whether the pointer stays pressed: the network runs only on release.
    """

    name: str
    query: str
    knob: Knob
    goal: tuple[int | None, int]
    watched: str = ".pic"
    between: Knob | None = None
    is_held: bool = False


STRIDE = 11  # coprime to the number of values of each knob, so that every value is used
PAUSE_MS = 150  # after an event …
LINES_PAUSE_MS = 500  # … and after one that animates lines, whose axes are updated at the end
DRAGGED = 60  # events of a drag
TRAINING_GOAL = (None, 200)  # for all measurements while a run trains
LONG_RUN = {"training.steps": 5000, "training.eval_interval": 0}
# As many pixels as an image of 640×480.
SIZE = "&inference.image_size=554&scenes.image_size=554"
CROWD = "scenes.min_objects=10&scenes.max_objects=10" + SIZE
# Shows more than 2,000 boxes at every value.
MANY = "step=detections&layers=before&inference.topk_candidates=600&inference.score_threshold=0.01&" + CROWD
MORE = "step=detections&layers=before&scenes.min_objects=50&scenes.max_objects=50" + SIZE
LOSS, NETWORK = "step=loss&" + CROWD, "step=network&model.weights=random"
DECODE, ASSIGN, PAY, AT_ONCE = (50, 100), (None, 120), (None, 100), (None, 100)
NMS, GAMMA = Knob("inference-nms-threshold", 0.3, 0.8), Knob("loss-gamma", 0, 5)
CHANNELS, CONVS = Knob("model-fpn-channels", 32, 512, 32), Knob("model-num-convs", 0, 6, 1)
WORKS = (
    Work("score threshold", MORE, Knob("inference-score-threshold", 0.01, 0.1), DECODE),
    Work("NMS threshold", MANY, NMS, DECODE),
    Work("top-K", MANY, Knob("inference-topk-candidates", 400, 800, 1), DECODE),
    Work("cap", MANY, Knob("inference-max-detections", 20, 100, 1), DECODE),
    Work("class-agnostic", MANY, Knob("inference-class-agnostic-nms"), DECODE, between=NMS),
    Work("anchor size", "step=anchors&" + CROWD, Knob("anchors-size-p3", 10, 60, 1), ASSIGN),
    Work("foreground threshold", "step=assignment&" + CROWD, Knob("matching-fg-iou-threshold", 0.45, 0.9), ASSIGN),
    Work("α, its curve", LOSS, Knob("loss-alpha", 0.1, 0.9), PAY, ".plot"),
    Work("γ, its curve", LOSS, GAMMA, PAY, ".plot"),
    Work("γ, map of the loss", LOSS + "&loss.alpha=0.3", GAMMA, PAY),
    Work("channels", NETWORK, CHANNELS, AT_ONCE, ".readout", between=CONVS, is_held=True),
    Work("convs", NETWORK, CONVS, AT_ONCE, ".readout", between=CHANNELS, is_held=True),
)


def main() -> None:
    """Prints the median and the 95th percentile of each measurement, and the number of frames a drag shows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument(
        "--only", default="", help="measurements whose names contain one of these comma-separated words"
    )
    parser.add_argument("--training", action="store_true", help="measure while a run trains")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    works = [work for work in WORKS if any(word in work.name for word in options.only.split(","))]
    page = build_page()
    run = RUNS.start(Config.from_flat(LONG_RUN)) if options.training else ""
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    results = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for work in works:
            view = browser.new_page(viewport={"width": 1280, "height": 900})
            results[work.name] = measure(view, address, work, options.events)
            print(format_line(results[work.name], work, TRAINING_GOAL if options.training else work.goal), flush=True)
            view.close()
        browser.close()
    if run:
        RUNS.stop(run)
    page.close()
    if options.json:
        write_text(options.json, json.dumps(results, indent=1) + "\n")


def measure(view: Page, address: str, work: Work, events: int) -> dict[str, float]:
    """Returns percentiles of single events (after five for warm-up), the fewest boxes, and the frames of a drag."""
    view.goto(f"{address}?{work.query}")
    view.wait_for_selector(".pic[data-drawn]", timeout=60_000)
    view.wait_for_timeout(2000)
    if work.is_held:
        view.evaluate(HOLD, work.knob.name)
    times, boxes, pause = [], [], LINES_PAUSE_MS if work.watched == ".plot" else PAUSE_MS
    for number in range(events + 5):
        if work.between:
            view.evaluate(EVENT, [work.between.name, work.between.value(number), work.watched])
            view.wait_for_timeout(PAUSE_MS)
        times.append(view.evaluate(EVENT, [work.knob.name, work.knob.value(number), work.watched]))
        boxes.append(sum(json.loads(view.get_attribute(".pic", "data-layers")).values()))
        view.wait_for_timeout(pause)
    times = sorted(each for each in times[5:] if each == each)  # NaN: nothing was drawn in time
    values = [work.knob.value(number) for number in range(events, events + DRAGGED)]
    frames = view.evaluate(DRAG, [work.knob.name, values, work.watched])
    percentiles = {"p50": statistics.median(times), "p95": times[int(0.95 * len(times))]}
    return {**percentiles, "events": len(times), "boxes": min(boxes), "frames": frames}


def format_line(result: dict[str, float], work: Work, goal: tuple[int | None, int]) -> str:
    """Formats a result together with its goal."""
    bound = "/".join("–" if each is None else str(each) for each in goal)
    return (
        f"{work.name:27} p50 {result['p50']:4.0f}  p95 {result['p95']:4.0f} ms  goal {bound:7}  "
        f"{result['boxes']:6,} boxes  {result['frames']:2} of {DRAGGED} frames of a drag"
    )


if __name__ == "__main__":
    main()
