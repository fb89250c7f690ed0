"""Response time while ten visitors drag a slider at the same time: `python -m benchmarks.crowd`.

Each visitor has another picture and sends requests as the page does: the newest value as soon as the last answer has
arrived. Drawing in the browser is not included, since it happens on the visitors' machines.
"""

import json
import statistics
import threading
import time
import urllib.request

from core.config import Config
from playground.page import build_page, launch_options
from playground.server.live import PATH
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.settings import settings_of

PEOPLE, EVENTS = 10, 60
FRAME = 1 / 60  # minimum time between two values, in seconds
GOAL_MS = 300
DRAGS = {
    "score threshold": ("detections", "inference.score_threshold"),
    "NMS threshold": ("detections", "inference.nms_threshold"),
    "foreground threshold": ("assignment", "matching.fg_iou_threshold"),
    "γ": ("loss", "loss.gamma"),
}


def main() -> None:
    """Prints the median and the 95th percentile of the response time for each knob."""
    page = build_page()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    url = address.rstrip("/") + PATH
    for name, (step, path) in DRAGS.items():
        times: list[float] = []
        people = [threading.Thread(target=_drag, args=(url, step, path, seed, times)) for seed in range(PEOPLE)]
        for each in people:
            each.start()
        for each in people:
            each.join()
        times.sort()
        p50, p95 = statistics.median(times), times[int(0.95 * len(times))]
        print(f"{name:22} {PEOPLE} people, {len(times)} answers: p50 {p50:.0f}  p95 {p95:.0f} ms  goal –/{GOAL_MS}")
    page.close()


def _drag(url: str, step: str, path: str, seed: int, times: list[float]) -> None:
    token, looks = "", {"curve": "loss", "p_t": 0.9, "frame": 1, "held": True, "switched": {}}
    for number in range(EVENTS):
        settings = settings_of(Config.from_flat({"scenes.seed": seed, path: 0.51 + 0.006 * number}))
        token = token or json.loads(render(PageState(step, settings=settings)).strip)["token"]
        body = {"token": token, "settings": settings, **looks}
        request = urllib.request.Request(url, json.dumps(body).encode())
        start = time.perf_counter()
        with urllib.request.urlopen(request) as response:
            found, *_ = [json.loads(line) for line in response]
        seconds = time.perf_counter() - start
        if not found.get("canvas"):
            raise RuntimeError(f"{path}: the answer has no picture but a notice: {found.get('notice')}")
        if number:  # the first answer includes the forward pass
            times.append(1e3 * seconds)
        time.sleep(max(FRAME - seconds, 0))


if __name__ == "__main__":
    main()
