"""Bounds on what each visitor does at the same time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from core.errors import UserError
from playground.sharing.shares import find_share


class Slots:
    """Bounds what each visitor does at a time; who does too much is refused rather than kept waiting.

    Args:
        field: The field of `Share` with the number.
        refusal: The message to who does too much.
    """

    def __init__(self, field: str, refusal: str) -> None:
        self._field, self._refusal = field, refusal
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def take(self, visitor: str) -> Iterator[None]:
        """Counts what a visitor does meanwhile.

        Raises:
            UserError: The visitor does too much already.
        """
        share = find_share()
        with self._lock:
            if share and self._taken[visitor] >= getattr(share, self._field):
                raise UserError(self._refusal)
            self._taken[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[visitor] -= 1
                self._taken = +self._taken


IMPORTS = Slots("uploads", "Your last data set is still being read: wait until it is ready, then bring the next one.")
