"""The most memory a piece of work needs beyond what is there before it, as Linux counts resident pages."""

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path


def peak_mib(work: Callable[[], object]) -> float:
    """Returns the growth of the process's resident memory at its highest during one call, in MiB; Linux only."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # or work would find its memory among what others have left
    Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark to what is resident now
    before = _high_water()
    result = work()
    peak = _high_water() - before
    del result
    return peak / 1024


def _high_water() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
