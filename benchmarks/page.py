"""Milliseconds from moving a slider to the new picture, on the real page in Chromium.

`python -m benchmarks.page --json latencies.json`; wants Chromium, and a machine that does nothing else. With
`--training` a run goes on meanwhile, as one would start it on the page.
"""

import argparse
import json
import shutil
import statistics
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, sync_playwright

from core.config import Config
from core.files import write_text
from playground.page import build_page, launch_options
from playground.steps.training import RUNS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Moves a slider and waits until the component that shows its effect has drawn again.
MOVE = """async ([knob, value, watched]) => {
  const slider = document.querySelector(`#knob-${knob} input[type=range]`);
  const target = document.querySelector(watched);
  const before = target.dataset.drawn;
  const drawn = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (target.dataset.drawn === before) return;
      observer.disconnect();
      // The canvas draws within a frame, all else before one; a message comes right after the frame that shows it.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve(performance.now());
      if (watched === ".pic") port2.postMessage(null);
      else requestAnimationFrame(() => port2.postMessage(null));
    });
    observer.observe(target, { attributes: true });
    setTimeout(() => resolve(NaN), 5000);
  });
  const start = performance.now();
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(slider, value);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  return (await drawn) - start;
}"""


class Work(NamedTuple):
    """What is measured: a step of the page with settings, a slider with its ends and step, and what is drawn again."""

    name: str
    query: str
    knob: str
    low: float
    high: float
    watched: str = ".pic"
    step: float = 0.01


STRIDE = 7  # from a slider's place to the next, so that each value is far from the one before
LONG_RUN = {"training.steps": 5000, "training.eval_interval": 0}
# Ten objects in as many pixels as 640×480 has, and about 2,000 boxes before NMS.
CROWD = "scenes.min_objects=10&scenes.max_objects=10&inference.image_size=554&scenes.image_size=554"
MANY = "step=detections&layers=before&inference.topk_candidates=600&inference.score_threshold=0.005&" + CROWD
WORKS = (
    Work("score threshold", MANY, "inference-score-threshold", 0.01, 0.1),
    Work("NMS threshold", MANY, "inference-nms-threshold", 0.3, 0.8),
    Work("top-K", MANY, "inference-topk-candidates", 400, 800, step=1),
    Work("cap", MANY, "inference-max-detections", 20, 100, step=1),
    Work("anchor size", "step=anchors&" + CROWD, "anchors-size-p3", 10, 60, step=1),
    Work("foreground threshold", "step=assignment&" + CROWD, "matching-fg-iou-threshold", 0.45, 0.9),
    Work("α", "step=loss&" + CROWD, "loss-alpha", 0.1, 0.9, ".plot"),
    Work("γ", "step=loss&" + CROWD, "loss-gamma", 0, 5, ".plot"),
    Work("γ, its map of anchors", "step=loss&" + CROWD, "loss-gamma", 0, 5),
    Work("channels", "step=network&model.weights=random", "model-fpn-channels", 32, 512, ".readout", 32),
)


def main() -> None:
    """Prints median and 95th percentile of each work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--training", action="store_true", help="while a training run goes on")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    page = build_page()
    run = RUNS.start(Config.from_flat(LONG_RUN)) if options.training else ""
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    results = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for work in WORKS:
            view = browser.new_page(viewport={"width": 1280, "height": 900})
            times = measure(view, address, work, options.events)
            results[work.name] = {"p50": statistics.median(times), "p95": sorted(times)[int(0.95 * len(times))]}
            boxes = sum(json.loads(view.get_attribute(".pic", "data-layers")).values())
            line = "  ".join(f"{name} {value:.0f} ms" for name, value in results[work.name].items())
            print(f"{work.name:22} {line}  ({boxes:,} boxes on show)", flush=True)
            view.close()
        browser.close()
    if run:
        RUNS.stop(run)
    page.close()
    if options.json:
        write_text(options.json, json.dumps(results, indent=1) + "\n")


def measure(view: Page, address: str, work: Work, events: int) -> list[float]:
    """Returns the milliseconds of single events, each with another value, after five that are not counted."""
    view.goto(f"{address}?{work.query}")
    view.wait_for_selector(".pic[data-drawn]", timeout=60_000)
    view.wait_for_timeout(2000)
    times = []
    for number in range(events + 5):
        count = round((work.high - work.low) / work.step) + 1
        value = round(work.low + number * STRIDE % count * work.step, 2)
        times.append(view.evaluate(MOVE, [work.knob, str(value), work.watched]))
        view.wait_for_timeout(150)
    return [each for each in times[5:] if each == each]  # NaN: nothing new was drawn


if __name__ == "__main__":
    main()
