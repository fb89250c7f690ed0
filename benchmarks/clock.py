"""Times functions in turn, so that a slowdown of the machine affects all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch

_clock = time.perf_counter


def share_machine() -> None:
    """Measures processor time with one thread from now on, which other work on the machine changes less."""
    global _clock
    torch.set_num_threads(1)
    _clock = time.process_time


def time_in_turn(works: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    """Returns the median time of each function in seconds, after one warm-up call."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(repeats):
        for name, work in works.items():
            start = _clock()
            work()
            seconds[name].append(_clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}
