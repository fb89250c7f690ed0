"""Time from the start of a training run to its first step, and from its stop to its end.

`python -m benchmarks.run_start`; runs are started by the same call as on the page, whose process is not needed.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from core.config import Config
from core.runs.folder import STOPPED
from playground.runs.service import Runs

RUNS = 5
FIRST_STEP_GOAL, STOP_GOAL = 3.0, 2.0  # seconds
PREPARING_SECONDS = 20  # within which the waiting process has imported PyTorch
PATIENCE = 120  # seconds
SETTINGS = {"training.steps": 5000, "training.eval_interval": 0}


def main() -> None:
    """Prints the medians and the longest times."""
    first_steps, stops = [], []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        runs = Runs(Path(folder) / "runs")
        runs.open()
        for _ in range(RUNS):
            time.sleep(PREPARING_SECONDS)
            start = time.perf_counter()
            name = runs.start(Config.from_flat(SETTINGS))
            first_steps.append(_wait(lambda name=name: bool(runs.read_progress(name).records), start))
            start = time.perf_counter()
            runs.stop(name)
            stops.append(_wait(lambda name=name: runs.statuses()[name].state == STOPPED, start))
        runs.close()
    _report("first step", first_steps, FIRST_STEP_GOAL)
    _report("stop", stops, STOP_GOAL)


def _wait(is_done: Callable[[], bool], start: float) -> float:
    """Waits for something to happen, and returns the seconds since the start."""
    while not is_done():
        if time.perf_counter() - start > PATIENCE:
            raise RuntimeError(f"It took longer than {PATIENCE} seconds.")
        time.sleep(0.02)
    return time.perf_counter() - start


def _report(name: str, seconds: list[float], goal: float) -> None:
    print(f"{name}: median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s (goal {goal:g} s)")


if __name__ == "__main__":
    main()
