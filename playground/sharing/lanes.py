"""Lanes in which answers are computed: a few at a time, visitors in turn, and slow answers among themselves."""

import os
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from core.errors import UserError
from playground.support.threads import ALL

MAX_OF_ONE = 8  # waiting answers of a visitor: windows, and figures in other pages
MAX_WAITING = 1000  # waiting answers of all visitors
MAX_LIGHT = 4  # answers at a time: more of them wait for the interpreter's lock
HEAVY_NICENESS = 5  # of the thread for slow answers: the others come first
Result = TypeVar("Result")


class BusyError(UserError):
    """The answer is not computed, since too many others wait."""


class Lane:
    """Threads that compute answers. Visitors take turns, however many answers each of them waits for.

    Args:
        name: Name of the threads.
        workers: Number of answers that are computed at a time.
        niceness: How far the threads stand back behind others (Linux only).
    """

    def __init__(self, name: str, workers: int, niceness: int = 0) -> None:
        self._pool = ThreadPoolExecutor(workers, f"{name}-answers", _stand_back, (niceness,))
        self._waiting: OrderedDict[Hashable, deque[_Work]] = OrderedDict()  # by visitor, the next one first
        self._lock = Lock()

    def submit(self, visitor: Hashable, compute: Callable[[], Result]) -> Future[Result]:
        """Has something computed as soon as it is the visitor's turn.

        Returns:
            What has the result. Cancel it if nobody waits for it any more. It has a `BusyError` if too much waits: of
            a visitor's own answers the oldest is given up.
        """
        work = _Work(partial(copy_context().run, compute))
        with self._lock:
            mine = self._waiting.setdefault(visitor, deque())
            kept = [each for each in mine if not each.future.cancelled()]
            given_up = [*kept[: max(0, len(kept) + 1 - MAX_OF_ONE)]]
            mine.clear()
            mine.extend([*kept[len(given_up) :], work])
            if sum(map(len, self._waiting.values())) > MAX_WAITING:
                given_up.append(mine.pop())
                if not mine:
                    del self._waiting[visitor]
        for each in given_up:
            each.give_up()
        self._pool.submit(self._run_next)
        return work.future

    def run(self, visitor: Hashable, compute: Callable[[], Result]) -> Result:
        """Waits for something to be computed, and returns it; raises what `compute` raises, and `BusyError`."""
        return self.submit(visitor, compute).result()

    def _run_next(self) -> None:
        with self._lock:
            if not self._waiting:  # what was to be computed has been given up
                return
            visitor, mine = next(iter(self._waiting.items()))
            work = mine.popleft()
            if mine:
                self._waiting.move_to_end(visitor)
            else:
                del self._waiting[visitor]
        work.run()


class _Work:
    """Something to compute, and what has the result."""

    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute = compute
        self.future: Future[Any] = Future()

    def run(self) -> None:
        """Computes it, unless nobody waits for it any more."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._compute())
        except BaseException as error:  # raised again where somebody waits for the result
            self.future.set_exception(error)

    def give_up(self) -> None:
        """Raises `BusyError` where somebody waits for the result."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(
                BusyError("The server has more to compute than it can: close other windows of this page, or try later.")
            )


def _stand_back(niceness: int) -> None:
    """Lowers the priority of this thread; a page that was started with a lower one keeps it, as it may not raise it."""
    if niceness and sys.platform == "linux":  # elsewhere it would be the whole process
        os.setpriority(os.PRIO_PROCESS, 0, max(niceness, os.getpriority(os.PRIO_PROCESS, 0)))


LIGHT = Lane("light", min(ALL, MAX_LIGHT))
HEAVY = Lane("heavy", 1, HEAVY_NICENESS)


def lane_for(is_heavy: bool) -> Lane:
    """Returns the lane for slow answers or that for all others."""
    return HEAVY if is_heavy else LIGHT
