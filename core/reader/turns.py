"""The order in which those who wait for a reading process get one: in turn, however many files each of them brings."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

MAX_WAITING, MAX_OF_GROUP, MAX_OF_ONE = 24, 18, 12  # tasks in the queue: in total, of one group, and of one visitor
_reading_for: ContextVar[tuple[Hashable, Hashable]] = ContextVar("reading_for", default=("", ""))


@contextmanager
def reading_for(who: Hashable, group: Hashable = "") -> Iterator[None]:
    """Names for whom this thread reads meanwhile; all who have no name count as one.

    Args:
        who: The visitor.
        group: Those among whom somebody can have invented names; all who have none count as one, too.
    """
    token = _reading_for.set((who, group))
    try:
        yield
    finally:
        _reading_for.reset(token)


class Waiting(NamedTuple):
    """A task that waits for a process.

    Attributes:
        round: Those of an earlier round come first.
        arrival: Within a round, who came first.
        who: For whom it is.
        group: Where that one belongs, see `reading_for`.
        is_long: Whether honest files can take minutes.
    """

    round: int
    arrival: int
    who: Hashable
    group: Hashable
    is_long: bool


class Turns:
    """Tasks that wait: each round has one of everybody, so that many of one hold up nobody else. Not thread-safe."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._rounds: dict[Hashable, int] = {}  # the latest of everybody who has waited since all had their turn
        self._round = self._arrivals = 0

    def has_room(self) -> bool:
        """True if another task may wait for whom this thread reads."""
        who, group = _reading_for.get()
        own = sum(each.who == who for each in self._waiting)
        of_group = sum(each.group == group for each in self._waiting)
        return own < MAX_OF_ONE and of_group < MAX_OF_GROUP and len(self._waiting) < MAX_WAITING

    def add(self, *, is_long: bool) -> Waiting:
        """Adds a task for whom this thread reads."""
        who, group = _reading_for.get()
        round_ = max(self._round, self._rounds.get(who, self._round - 1) + 1)
        self._rounds[who] = round_
        self._arrivals += 1
        waiting = Waiting(round_, self._arrivals, who, group, is_long)
        self._waiting.append(waiting)
        return waiting

    def find_next(self, *, may_be_long: bool) -> Waiting | None:
        """Returns whose turn it is, None if nobody waits."""
        return min((each for each in self._waiting if may_be_long or not each.is_long), default=None)

    def remove(self, waiting: Waiting) -> None:
        """Removes a task that begins, or that nobody wants any more."""
        self._waiting.remove(waiting)
        self._round = min((each.round for each in self._waiting), default=0)
        if not self._waiting:
            self._rounds.clear()
