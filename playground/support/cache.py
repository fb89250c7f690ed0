"""Results that are expensive to make, kept for all visitors."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from torch import Tensor

from core.weights.sources import WeightsError

RETRY_SECONDS = 30  # a failed download is not tried again at every move of a knob


class PostponedError(WeightsError):
    """What is asked for takes long and is not wanted yet; no cache keeps this."""


class Cache:
    """The most recent results of something expensive; each is computed once, whoever asks meanwhile waits for it.

    Args:
        size: How many are kept.
        room: Bytes that their tensors may take together; the latest is kept even if it takes more.
    """

    def __init__(self, size: int, room: float = math.inf) -> None:
        self._size, self._room = size, room
        self._results: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()  # with their bytes
        self._taken = 0  # bytes of all of them
        self._work: dict[Hashable, threading.Lock] = {}
        self._errors: dict[Hashable, tuple[float, WeightsError]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Returns the result kept under a key, made if there is none.

        Raises:
            WeightsError: What `make` raised; it raises again, without trying, for `RETRY_SECONDS`.
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
                self._errors = {k: e for k, e in self._errors.items() if time.monotonic() - e[0] < RETRY_SECONDS}
                if key in self._errors:
                    raise self._errors[key][1]
            return self._make(key, make)

    def __contains__(self, key: Hashable) -> bool:
        """Whether `get` would answer at once."""
        with self._lock:
            return key in self._results

    def _make(self, key: Hashable, make: Callable[[], Any]) -> Any:
        try:
            result = make()
            with self._lock:
                self._results[key] = result, tensor_bytes(result)
                self._taken += self._results[key][1]
                while len(self._results) > self._size or (len(self._results) > 1 and self._taken > self._room):
                    _, (_, freed) = self._results.popitem(last=False)
                    self._taken -= freed
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


def tensor_bytes(value: object) -> int:
    """Returns the bytes of a tensor, or of all tensors in a tuple, however deep."""
    if isinstance(value, Tensor):
        return value.nbytes
    return sum(map(tensor_bytes, value)) if isinstance(value, tuple) else 0
