"""Peak memory of a function call, measured in resident pages (Linux only)."""

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path


def measure_peak_mib(work: Callable[[], object]) -> float:
    """Returns the peak growth of the process's resident memory during one call, in MiB."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # otherwise the call could reuse memory freed earlier
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # resets the peak to the current value
    before = _peak_kib()
    result = work()
    peak = _peak_kib() - before
    del result
    return peak / 1024


def _peak_kib() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
