"""How an input ends."""

import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import NamedTuple

import psutil

from core.errors import UserError

HANG_SECONDS = 60  # of processor time: longer than the page's own bounds on the work for a file
PATIENCE = 10  # times that bound, in seconds of the clock: for what waits and does not compute
TICK = 0.2  # seconds between two looks at the time
MAX_MESSAGE = 500  # characters

Attempt = Callable[[Random], None]  # tries one input, which follows from the random numbers
Prepare = Callable[[Path], Attempt]  # gets an empty folder


class Outcome(StrEnum):
    """How an input ends."""

    REFUSED = "refused"
    OPENED = "opened"
    TRACEBACK = "traceback"  # also a message that is too long, or tells a path of the server
    HANG = "hang"
    LOST = "lost"


class Refused(UserError):
    """A refusal that the page says in its answer instead of raising it."""


class Lost(Exception):
    """Something that was there is gone."""


class _HangError(BaseException):
    """Raised in the middle of what takes too long; no handler of ordinary errors catches it."""


class Ending(NamedTuple):
    """How an input ended, and what went wrong, "" for nothing."""

    outcome: Outcome
    trouble: str = ""


def try_input(attempt: Attempt, random: Random, folder: Path, bound: float = HANG_SECONDS) -> Ending:
    """Tries one input.

    Args:
        attempt: Tries it.
        random: The numbers from which it follows.
        folder: A folder of the server, whose path no message may tell.
        bound: Seconds of processor time, of this process and those that it starts, after which it is a hang; what waits
            without computing has `PATIENCE` times as long by the clock, since the machine may be busy.
    """
    try:
        with _alarm(bound):
            attempt(random)
    except UserError as error:
        return _judge_message(str(error), folder)
    except Lost as error:
        return Ending(Outcome.LOST, str(error))
    except _HangError:
        return Ending(Outcome.HANG, f"more than {bound:g} s")
    except Exception:
        return Ending(Outcome.TRACEBACK, traceback.format_exc())
    return Ending(Outcome.OPENED)


def _judge_message(message: str, folder: Path) -> Ending:
    if len(message) > MAX_MESSAGE or str(folder) in message or not message.strip():
        return Ending(Outcome.TRACEBACK, f"a message of {len(message)} characters: {message[:MAX_MESSAGE]}")
    return Ending(Outcome.REFUSED)


@contextmanager
def _alarm(bound: float) -> Iterator[None]:
    """Raises an error in what takes too long, on systems that have such an alarm."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    computed, clock = _compute_seconds(), time.monotonic()

    def ring(number: int, frame: object) -> None:
        if time.monotonic() - clock > PATIENCE * bound or _compute_seconds() - computed > bound:
            signal.setitimer(signal.ITIMER_REAL, 0)  # what cleans up now is not interrupted
            raise _HangError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _compute_seconds() -> float:
    """Returns the processor time of this process and of those that it has started."""
    own = psutil.Process()
    times = own.cpu_times()
    seconds = times.user + times.system + times.children_user + times.children_system
    for child in own.children(recursive=True):
        with suppress(psutil.Error):  # it has ended, and counts above
            times = child.cpu_times()
            seconds += times.user + times.system
    return float(seconds)
