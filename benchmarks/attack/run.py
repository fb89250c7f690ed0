"""Runs attacks and counts how their inputs end."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.attack.classes import CLASSES
from benchmarks.attack.outcome import Ending, Outcome, try_input
from core.reader import PAGE, Kind, read_apart_from_now_on

BAD = (Outcome.TRACEBACK, Outcome.HANG, Outcome.LOST)


class Input(NamedTuple):
    """One input: its class, and its number, from which it follows together with the seed."""

    name: str
    number: int


class Report(NamedTuple):
    """How the inputs ended, per class, and those that ended badly."""

    counts: dict[str, Counter[Outcome]]
    troubles: list[tuple[Input, Ending]]


def attack(names: Sequence[str], seed: int, number: int, seconds: float, first: int = 0) -> Iterator[Report]:
    """Tries inputs of some classes until there were enough, or the time is over; yields the report after each.

    Args:
        names: The classes.
        seed: Seeds all inputs.
        number: The number of inputs, of which each class has its share, at least one.
        seconds: The time for all; each class has its share of what is left.
        first: The number of the first input of each class.
    """
    report, end = Report({}, []), time.monotonic() + seconds
    total = sum(CLASSES[name].share for name in names)
    for index, name in enumerate(names):
        count = max(1, round(number * CLASSES[name].share / total))
        until = time.monotonic() + (end - time.monotonic()) / (len(names) - index)
        report.counts[name] = Counter()
        with _reading(CLASSES[name].apart), tempfile.TemporaryDirectory() as folder:
            attempt = CLASSES[name].prepare(Path(folder))
            for each in range(first, first + count):
                if each > first and time.monotonic() > until:
                    break
                random = Random(f"{seed} {name} {each}")
                ending = try_input(attempt, random, Path(folder), CLASSES[name].bound)
                report.counts[name][ending.outcome] += 1
                if ending.outcome in BAD:
                    report.troubles.append((Input(name, each), ending))
        yield report


@contextmanager
def _reading(apart: bool) -> Iterator[None]:
    """Leaves untrusted files to another process meanwhile, or reads them in this one."""
    read_apart_from_now_on(PAGE, tuple(Kind) if apart else ())
    try:
        yield
    finally:
        read_apart_from_now_on(PAGE, ())


def format_row(name: str, counts: Counter[Outcome]) -> str:
    """Returns a line of the table."""
    return f"{name:14}" + "".join(f"{count:>10,}" for count in (counts.total(), *(counts[each] for each in Outcome)))


HEADER = f"{'':14}" + "".join(f"{name:>10}" for name in ("tried", *Outcome))
