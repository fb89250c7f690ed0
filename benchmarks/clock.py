"""Times functions side by side: in turn, so that a machine that slows down slows all of them."""

import statistics
import time
from collections.abc import Callable


def side_by_side(works: dict[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    """Returns the median seconds of each work, after one call of each that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(repeats):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}
