"""How much memory a call takes."""

import tracemalloc
from collections.abc import Callable


def measure_peak(call: Callable[[], object]) -> int:
    """Returns the most bytes of memory that a call holds at once."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
