"""Pauses of the garbage collector."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class _Pauses:
    """The pauses that overlap, of all threads; the collector runs again after the last one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._was_enabled = False

    def begin(self) -> None:
        with self._lock:
            if self._count == 0:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._count += 1

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0 and self._was_enabled:
                gc.enable()


_PAUSES = _Pauses()


@contextmanager
def pause_collection() -> Iterator[None]:
    """Pauses the garbage collector, which looks through the million objects of a large data set again and again."""
    _PAUSES.begin()
    try:
        yield
    finally:
        _PAUSES.end()
