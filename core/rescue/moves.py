"""The other values of a hyperparameter, by how many steps of its own scale they are away."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from core.config import Knob

DIGITS = 10  # decimals that values are rounded to: 0.05 + 0.01 is 0.06


class Move(NamedTuple):
    """Another value of a hyperparameter.

    Attributes:
        path: Its path, `section.name`.
        value: The value.
        steps: How many steps of its scale it is away, from 1.
    """

    path: str
    value: Any
    steps: int


def count_steps(knob: Knob, value: Any) -> tuple[int, int]:
    """Returns how many steps a hyperparameter can go down and up; (0, 0) for one without a scale."""
    if knob.step is None or knob.ge is None or knob.le is None:
        return 0, 0
    place = _find_place(knob, value)
    last = math.floor(round((knob.le - knob.ge) / knob.step, DIGITS))
    return math.ceil(place), last - math.floor(place)


def step_away(knob: Knob, value: Any, steps: int) -> Move:
    """Returns a value so many steps away, below for a negative number; from one between two steps, the next is one.

    Args:
        knob: A hyperparameter with a scale.
        value: Its present value.
        steps: Not 0; within what `count_steps` returns.
    """
    place = _find_place(knob, value)
    number = (math.floor(place) if steps > 0 else math.ceil(place)) + steps
    there = round((knob.ge or 0) + number * (knob.step or 1), DIGITS)
    return Move(knob.path, int(there) if knob.kind == "int" else float(there), abs(steps))


def _find_place(knob: Knob, value: Any) -> float:
    """Returns on which step a value is, counted from the lowest; a fraction between two."""
    return round((value - (knob.ge or 0)) / (knob.step or 1), DIGITS)


def list_choices(knob: Knob, value: Any) -> Iterator[Move]:
    """Yields the values that are one choice away: any other of a list, or a list with one entry more or less."""
    if knob.kind == "bool":
        yield Move(knob.path, not value, 1)
    elif knob.kind == "choice":
        yield from (Move(knob.path, each, 1) for each in knob.choices if each != value)
    elif knob.kind == "list":
        yield from (Move(knob.path, (*value, each), 1) for each in knob.options if each not in value)
        for each in value if len(value) > 1 else ():
            yield Move(knob.path, tuple(other for other in value if other != each), 1)


def list_near(knob: Knob, value: Any, most: int) -> Iterator[Move]:
    """Yields the values up to so many steps away; those that are one choice away if there is no scale."""
    down, up = count_steps(knob, value)
    if down + up == 0:
        yield from list_choices(knob, value)
    yield from (step_away(knob, value, steps) for steps in range(1, min(up, most) + 1))
    yield from (step_away(knob, value, -steps) for steps in range(1, min(down, most) + 1))


def list_spread(knob: Knob, value: Any, most: int) -> Iterator[Move]:
    """Yields every value of a scale of so many steps; of a longer one those 1, 2, 4, 8, … steps away, and its ends."""
    down, up = count_steps(knob, value)
    if down + up <= most:
        yield from list_near(knob, value, most)
        return
    for sign, end in ((1, up), (-1, down)):
        distances = [2**each for each in range(end.bit_length()) if 2**each < end]
        yield from (step_away(knob, value, sign * steps) for steps in (*distances, *([end] if end else ())))
