"""A cache of expensive results that all visitors share."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from torch import Tensor

from core.weights.sources import WeightsError

RETRY_SECONDS = 30  # a failed download is not repeated at every move of a knob
Result = TypeVar("Result")


class PostponedError(WeightsError):
    """The result takes long to compute and is not wanted yet, since a knob is being dragged; never cached."""


class Cache:
    """The most recent results of an expensive computation.

    Each result is computed once: other threads that ask for it in the meantime wait for it.

    Args:
        max_entries: Number of results to keep.
        max_bytes: Total size of the tensors in them; the latest result is kept even if it alone is larger.
    """

    def __init__(self, max_entries: int, max_bytes: float = math.inf) -> None:
        self._max_entries, self._max_bytes = max_entries, max_bytes
        self._results: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()  # key → result, size in bytes
        self._total_bytes = 0
        self._work: dict[Hashable, threading.Lock] = {}  # held by the thread that computes the result
        self._errors: dict[Hashable, tuple[float, WeightsError]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """Returns the result for a key, which is computed if it is not in the cache.

        Raises:
            WeightsError: `compute` raised it, now or less than `RETRY_SECONDS` ago.
        """
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key][0]
            work = self._work.setdefault(key, threading.Lock())
        with work:
            with self._lock:
                if key in self._results:
                    return self._results[key][0]
                self._raise_recent_error(key)
            return self._compute(key, compute)

    def __contains__(self, key: Hashable) -> bool:
        """True if `get` returns without computing anything."""
        with self._lock:
            return key in self._results

    def _raise_recent_error(self, key: Hashable) -> None:
        now = time.monotonic()
        self._errors = {key: entry for key, entry in self._errors.items() if now - entry[0] < RETRY_SECONDS}
        if key in self._errors:
            raise self._errors[key][1]

    def _compute(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        try:
            result = compute()
            with self._lock:
                self._store(key, result)
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

    def _store(self, key: Hashable, result: object) -> None:
        size = count_bytes(result)
        self._results[key] = result, size
        self._total_bytes += size
        while len(self._results) > self._max_entries or (
            len(self._results) > 1 and self._total_bytes > self._max_bytes
        ):
            _, (_, freed) = self._results.popitem(last=False)
            self._total_bytes -= freed


def count_bytes(value: object) -> int:
    """Returns the size in bytes of a tensor, or of all tensors in nested tuples; 0 for anything else."""
    if isinstance(value, Tensor):
        return value.nbytes
    return sum(map(count_bytes, value)) if isinstance(value, tuple) else 0
