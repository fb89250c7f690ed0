"""Times functions in turn, so that a slowdown of the machine affects all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping


def time_in_turn(works: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    """Returns the median time of each function in seconds, after one warm-up call."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(repeats):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}
