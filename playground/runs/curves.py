"""Curves of several runs in one figure: their losses and their AP by step."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import product
from statistics import fmean
from typing import Any, NamedTuple

from core.errors import UserError
from playground.components.figures import PALETTE, Figure, Line, overlay

MAX_POINTS = 300  # of a curve
MIN_MEAN = 10  # steps whose mean loss is a point of a curve: the losses of single batches of four vary a lot
DASHES = ("solid", "dash", "dashdot")  # of the first runs, of the next ones in the same colours, …
MAX_RUNS = len(PALETTE) * len(DASHES)


class Curves(NamedTuple):
    """The curves of a run: steps with their losses, and steps with their AP."""

    loss_steps: tuple[int, ...]
    losses: tuple[float, ...]
    ap_steps: tuple[int, ...]
    aps: tuple[float, ...]


def build_curves(steps: Sequence[Mapping[str, Any]], evaluations: Sequence[Mapping[str, Any]]) -> Curves:
    """Returns the curves of a run: the sum of both losses, and AP. Values that are not finite are left out."""
    losses = [(each["step"], each["classification"] + each["box"]) for each in steps]
    aps = [(each["step"], each["metrics"]["ap"]) for each in evaluations if each["metrics"]["ap"] is not None]
    finite_losses = [each for each in losses if math.isfinite(each[1])]
    finite_aps = [each for each in aps if math.isfinite(each[1])]
    return Curves(*average_points(finite_losses), *_sample_points(finite_aps))


def average_points(points: Sequence[tuple[int, float]]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Returns the first point, and the means of groups of the others, each at the last step of its group.

    The first loss is kept as it is, because it shows the effect of the initialisation.
    """
    first, rest = points[:1], points[1:]
    size = max(MIN_MEAN, math.ceil(len(rest) / (MAX_POINTS - 1)))
    groups = [first, *(rest[start : start + size] for start in range(0, len(rest), size))]
    groups = [group for group in groups if group]
    return tuple(group[-1][0] for group in groups), tuple(fmean(value for _, value in group) for group in groups)


def _sample_points(points: Sequence[tuple[int, float]]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Returns at most `MAX_POINTS` of the points, among them the last."""
    sampled = points[:: -math.ceil(len(points) / MAX_POINTS)][::-1] if points else []
    return tuple(step for step, _ in sampled), tuple(value for _, value in sampled)


def build_figure(runs: Sequence[tuple[str, Curves]]) -> Figure:
    """Returns a figure with the curves of runs.

    Args:
        runs: The name and the curves of each run.

    Raises:
        UserError: There are more runs than distinguishable lines.
    """
    if len(runs) > MAX_RUNS:
        raise UserError(f"{len(runs)} runs are selected; at most {MAX_RUNS} can be drawn: deselect some.")
    losses: list[Line] = []
    precision: list[Line] = []
    dashes = []
    for (name, each), (dash, colour) in zip(runs, product(DASHES, PALETTE), strict=False):
        escaped = escape(name, quote=False)  # plotly.js interprets tags in names
        losses.append((escaped, colour, each.loss_steps, each.losses))
        precision.append((escaped, colour, each.ap_steps, each.aps))
        dashes.append(dash)
    return overlay(losses, precision, dashes)
