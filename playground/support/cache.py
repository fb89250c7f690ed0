"""Caches of expensive results that all visitors share, bounded by the memory that the results take."""

import ctypes
import gc
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, TypeVar

from core.weights.sources import WeightsError
from playground.support.sizes import count_bytes

RETRY_SECONDS = 30  # a failed download is not repeated at every move of a knob
OVERHEAD = 2000  # bytes of an entry beside its result: its key holds settings
MB = 10**6
IDLE_SECONDS = 600  # after which a result that nobody has used is forgotten
SHRINK_SECONDS = 60  # between two looks for such results
Result = TypeVar("Result")


class PostponedError(WeightsError):
    """The result takes long to compute and is not wanted yet, since a knob is being dragged; never cached."""


class _Room:
    """The most recently used results; the latest is kept even if it alone is larger than the room."""

    def __init__(self, max_bytes: int, clock: Callable[[], float]) -> None:
        self.max_bytes, self.total, self._clock = max_bytes, 0, clock
        self._results: OrderedDict[Hashable, tuple[Any, int, float]] = OrderedDict()  # by key: size and when last used

    def __contains__(self, key: Hashable) -> bool:
        return key in self._results

    def find(self, key: Hashable) -> Any:
        result, size, _ = self._results.pop(key)
        self._results[key] = result, size, self._clock()
        return result

    def store(self, key: Hashable, result: object, size: int) -> None:
        self.total += size - self._results.pop(key, (None, 0, 0.0))[1]
        self._results[key] = result, size, self._clock()
        while len(self._results) > 1 and self.total > self.max_bytes:
            self._forget_first()

    def forget_unused(self) -> None:
        """Forgets what has not been used for `IDLE_SECONDS`."""
        last = self._clock() - IDLE_SECONDS
        while self._results and next(iter(self._results.values()))[2] <= last:
            self._forget_first()

    def _forget_first(self) -> None:
        _, (_, freed, _) = self._results.popitem(last=False)
        self.total -= freed


class Memory:
    """Memory that several caches share: where it does not suffice, what was used least recently is forgotten.

    Large results have a room of their own, so that those of one visitor do not push out the small ones of many.

    Args:
        small: Bytes of all small results together.
        large: Bytes of all large results together.
        border: Bytes from which a result is large.
        clock: Tells the time in seconds.
    """

    def __init__(self, small: int, large: int, border: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._small, self._large, self._border = _Room(small, clock), _Room(large, clock), border
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Bytes of all results."""
        return self._small.total + self._large.total

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._small or key in self._large

    def find(self, key: Hashable) -> tuple[Any] | None:
        """Returns the result for a key in a tuple, None if there is none."""
        with self._lock:
            room = next((room for room in (self._small, self._large) if key in room), None)
            return (room.find(key),) if room else None

    def store(self, key: Hashable, result: object) -> None:
        """Keeps a result."""
        size = count_bytes(result) + OVERHEAD
        with self._lock:
            (self._large if size >= self._border else self._small).store(key, result, size)

    def forget_unused(self) -> bool:
        """Forgets the results that have not been used for `IDLE_SECONDS`; returns True if there were any."""
        with self._lock:
            before = self.total
            for room in (self._small, self._large):
                room.forget_unused()
            return self.total < before


# What follows from a picture of 256 px takes 2 to 4 MB: those of some 150 visitors fit.
RESULTS = Memory(400 * MB, 200 * MB, 8 * MB)
# The default network takes 50 MB and one with 152 layers 240 MB, each once more as the weights that it was made of.
NETWORKS = Memory(250 * MB, 500 * MB, 100 * MB)


def shrink_when_idle() -> None:
    """Gives back the memory of results that have not been used for `IDLE_SECONDS`, as long as the process runs."""

    def repeat() -> None:
        while True:
            time.sleep(SHRINK_SECONDS)
            if RESULTS.forget_unused() + NETWORKS.forget_unused():
                give_back_memory()

    threading.Thread(target=repeat, name="shrink", daemon=True).start()


def give_back_memory() -> None:
    """Returns freed memory to the system, where the C library can be asked for that (Linux with glibc)."""
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


class Cache:
    """The results of an expensive computation that were used last.

    Each result is computed once: other threads that ask for it in the meantime wait for it.

    Args:
        memory: Where results are kept; shared with other caches.
    """

    def __init__(self, memory: Memory = RESULTS) -> None:
        self._memory = memory
        self._work: dict[Hashable, threading.Lock] = {}  # held by the thread that computes the result
        self._errors: dict[Hashable, tuple[float, WeightsError]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """Returns the result for a key, which is computed if it is not in the cache.

        Raises:
            WeightsError: `compute` raised it, now or less than `RETRY_SECONDS` ago.
        """
        if found := self._memory.find((self, key)):
            return found[0]
        with self._lock:
            work = self._work.setdefault(key, threading.Lock())
        with work:
            if found := self._memory.find((self, key)):
                return found[0]
            with self._lock:
                self._raise_recent_error(key)
            return self._compute(key, compute)

    def __contains__(self, key: Hashable) -> bool:
        """True if `get` returns without computing anything."""
        return (self, key) in self._memory

    def _raise_recent_error(self, key: Hashable) -> None:
        now = time.monotonic()
        self._errors = {key: entry for key, entry in self._errors.items() if now - entry[0] < RETRY_SECONDS}
        if key in self._errors:
            raise self._errors[key][1]

    def _compute(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        try:
            result = compute()
            self._memory.store((self, key), result)
            return result
        except PostponedError:
            raise
        except WeightsError as error:
            with self._lock:
                self._errors[key] = (time.monotonic(), error)
            raise
        finally:
            with self._lock:
                self._work.pop(key, None)
