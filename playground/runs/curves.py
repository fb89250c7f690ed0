"""Curves of runs: their losses and their AP by step, and where they diverged."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from statistics import fmean
from typing import Any, NamedTuple

from core.errors import UserError
from core.runs.divergence import Divergence
from playground.components.figures import PALETTE, Figure, Line, Mark, colour, mark, show_points
from playground.components.step_figures import overlay, training
from playground.runs.progress import RunProgress

MAX_POINTS = 300  # of a curve
SAMPLED = 500  # points of the curve of a single run; up to twice as many are drawn
MAX_SINGLE, TAIL = 2000, 200  # points of a run that diverged, all of them if possible, and its last ones
MIN_MEAN = 10  # steps whose mean loss is a point of a curve: the losses of single batches of four vary a lot
DASHES = ("solid", "dash", "dashdot")  # of the first runs, of the next ones in the same colours, …
MAX_RUNS = len(PALETTE) * len(DASHES)


class Curves(NamedTuple):
    """The curves of a run: steps with their losses, and steps with their AP; how it diverged, None if it has not."""

    loss_steps: tuple[int, ...]
    losses: tuple[float, ...]
    ap_steps: tuple[int, ...]
    aps: tuple[float, ...]
    divergence: Divergence | None = None


def build_curves(
    steps: Sequence[Mapping[str, Any]],
    evaluations: Sequence[Mapping[str, Any]],
    divergence: Divergence | None = None,
) -> Curves:
    """Returns the curves of a run: the sum of both losses, and AP. Values that are not finite are left out.

    Args:
        steps: Its records of steps.
        evaluations: Its records of evaluations.
        divergence: How it diverged, None if it has not. The losses of a run that diverged are not averaged.
    """
    losses = [(each["step"], each["classification"] + each["box"]) for each in steps]
    aps = [(each["step"], each["metrics"]["ap"]) for each in evaluations if each["metrics"]["ap"] is not None]
    finite_losses = [each for each in losses if math.isfinite(each[1])]
    finite_aps = [each for each in aps if math.isfinite(each[1])]
    thin = keep_points if divergence else average_points
    return Curves(*thin(finite_losses), *_sample_points(finite_aps), divergence)


def describe_divergence(divergence: Divergence) -> str:
    """Returns how a run diverged as a sentence."""
    return f"It diverged at step {divergence.step}: {divergence.cause}."


def build_run_figure(progress: RunProgress) -> Figure:
    """Returns the curves of a run that has trained at least one step; one that diverged with every step."""
    divergence = progress.divergence
    shown = progress.steps if divergence else progress.steps[:: 1 + len(progress.steps) // SAMPLED]
    steps, at = [record["step"] for record in shown], [record["step"] for record in progress.evaluations]
    losses: list[Line] = [
        (name, tint, steps, [record[name] for record in shown])
        for name, tint in (("classification", colour("before")), ("box", colour("foreground")))
    ]
    held_out = [
        (f"held-out {name}", tint, at, [record.get("losses", {}).get(name) for record in progress.evaluations])
        for name, tint, _, _ in losses
    ]
    precision = [
        (name, colour(role), at, [record["metrics"][name.lower()] for record in progress.evaluations])
        for name, role in (("AP", "kept"), ("AP50", "ignored"))
    ]
    made = training(losses, precision, held_out)
    if divergence is None:
        return made
    name = name_last_step(divergence, steps[-1])
    ends = [Mark(name, tint, xs[-1], ys[-1]) for loss, tint, xs, ys in losses if loss in divergence.broken]
    return mark(show_points(made, [loss for loss, *_ in losses]), ends)


def name_last_step(divergence: Divergence, last: float) -> str:
    """Returns what the legend says of the last recorded step of a run."""
    where = "the last finite one; then" if divergence.is_non_finite else "the last before it was ended:"
    return f"step {last:,.0f}, {where} {divergence.cause}"


def keep_points(points: Sequence[tuple[int, float]]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Returns all points; of very many the last ones, where a run diverges, and a sample of those before."""
    early, late = points[:-TAIL], points[-TAIL:]
    kept = points if len(points) <= MAX_SINGLE else [*early[:: math.ceil(len(early) / (MAX_SINGLE - TAIL))], *late]
    return tuple(step for step, _ in kept), tuple(value for _, value in kept)


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
    marks: list[Mark] = []
    precision: list[Line] = []
    dashes = []
    for (name, each), (dash, tint) in zip(runs, product(DASHES, PALETTE), strict=False):
        losses.append((name, tint, each.loss_steps, each.losses))
        precision.append((name, tint, each.ap_steps, each.aps))
        dashes.append(dash)
        if each.divergence and each.losses:
            last = name_last_step(each.divergence, each.loss_steps[-1])
            marks.append(Mark(f"{name}: {last}", tint, each.loss_steps[-1], each.losses[-1]))
    diverged = {name for (name, *_), (_, each) in zip(losses, runs, strict=True) if each.divergence}
    return mark(show_points(overlay(losses, precision, dashes), diverged), marks)
