"""Runs over each other: their losses and their AP by step."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import product
from statistics import fmean
from typing import Any, NamedTuple

from core.errors import UserError
from playground.components.figures import ARMS, Figure, Line, overlay

POINTS = 300  # of a curve, at most
SMOOTH = 10  # steps whose losses are averaged for a point of a curve: single batches of four jump about
DASHES = ("solid", "dash", "dashdot")  # of the first runs, of the next ones in the same colours, …
MOST = len(ARMS) * len(DASHES)


class Curves(NamedTuple):
    """What a run has to draw: steps with their losses, and steps with their AP."""

    loss_steps: tuple[int, ...]
    losses: tuple[float, ...]
    ap_steps: tuple[int, ...]
    aps: tuple[float, ...]


def curves_of(steps: Sequence[Mapping[str, Any]], evaluations: Sequence[Mapping[str, Any]]) -> Curves:
    """Returns the curves of a run's records, of both losses together; what is no number is left out."""
    paid = [(each["step"], each["classification"] + each["box"]) for each in steps]
    measured = [(each["step"], each["metrics"]["ap"]) for each in evaluations]
    return Curves(*thinned([each for each in paid if math.isfinite(each[1])]), *_some([
        each for each in measured if each[1] is not None and math.isfinite(each[1])
    ]))  # fmt: skip


def thinned(points: Sequence[tuple[int, float]]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Returns the first point, whose height tells most, and means of every few after it, each at the last of them."""
    first, rest = points[:1], points[1:]
    size = max(SMOOTH, math.ceil(len(rest) / (POINTS - 1)))
    groups = [first, *(rest[start : start + size] for start in range(0, len(rest), size))]
    groups = [group for group in groups if group]
    return tuple(group[-1][0] for group in groups), tuple(fmean(height for _, height in group) for group in groups)


def _some(points: Sequence[tuple[int, float]]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Returns at most `POINTS` of the points, the last among them."""
    kept = points[:: -math.ceil(len(points) / POINTS)][::-1] if points else []
    return tuple(step for step, _ in kept), tuple(height for _, height in kept)


def overlaid(runs: Sequence[tuple[str, Curves]]) -> Figure:
    """Returns the curves of runs by their names, over each other.

    Raises:
        UserError: They are more than can be told apart.
    """
    if len(runs) > MOST:
        raise UserError(f"These are {len(runs)} runs; at most {MOST} can be told apart: take the marks off some.")
    losses: list[Line] = []
    precision: list[Line] = []
    dashes = []
    for (name, each), (dash, tint) in zip(runs, product(DASHES, ARMS), strict=False):
        name = escape(name, quote=False)  # plotly.js reads tags in names
        losses.append((name, tint, each.loss_steps, each.losses))
        precision.append((name, tint, each.ap_steps, each.aps))
        dashes.append(dash)
    return overlay(losses, precision, dashes)
