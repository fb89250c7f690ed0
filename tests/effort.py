"""Bounds on the work of a call, for tests that hostile input is refused without the work it asks for."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

LOOP = 400_000  # additions
LOOP_SECONDS = 0.02  # that they take on the computer to which the bounds refer


@contextmanager
def little_effort(seconds: float) -> Iterator[None]:
    """Fails if the block takes this thread more than `seconds` of processor time, on a computer of usual speed.

    Other threads and the garbage collector, which takes longer the larger the process is, do not count, and a computer
    that is slower at the moment has more time. A bound is several times what the block takes: without what it tests,
    the block would take minutes.
    """
    gc.disable()
    try:
        slowness = measure_slowness()
        begin = time.thread_time()
        yield
        taken = time.thread_time() - begin
        slowness = max(slowness, measure_slowness())
    finally:
        gc.enable()
    assert taken < seconds * slowness, f"took {taken:.2f} s of processor time, more than {seconds} × {slowness:.2f}"


def measure_slowness() -> float:
    """Returns how many times as long as usual the computer takes at the moment, at least 1."""
    begin = time.thread_time()
    total = 0
    for number in range(LOOP):
        total += number
    return max(1.0, (time.thread_time() - begin) / LOOP_SECONDS)
