"""What is told of a training run: where it stands, its latest numbers, what a single step changed."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from markupsafe import Markup

from core.config import Config
from core.runs.folder import QUEUED
from core.runs.step_changes import StepChanges
from playground.components import html
from playground.runs.service import RunProgress

LATEST = 20  # steps of which the speed counts
POINTS = 80  # of a small curve
SMALL = (
    ("learning rate", "learning_rate", ".2g"),
    ("foreground anchors", "foreground", ",.0f"),
    ("images a second", "images_per_second", ".1f"),
    ("gradient norm", "gradient_norm", ".3g"),
)
FIGURES = {
    "AP": "ap", "AP50": "ap50", "AP75": "ap75", "AP small": "ap_small", "AP medium": "ap_medium",
    "AP large": "ap_large", "AR, 100 each": "ar100",
}  # fmt: skip


def state_text(state: str, place: int) -> str:
    """Returns where a run stands in words; what waits has a place in the queue, from 1."""
    return f"{state}, {ordinal(place)}" if state == QUEUED else state


def ordinal(number: int) -> str:
    """Returns 1st, 2nd, 3rd, …"""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def status(progress: RunProgress, name: str, called: str, config: Config) -> Markup:
    """Returns what a run has come to; what people call it may be ""."""
    title = f"{called} ({name})" if called else name
    text = html.paragraph(
        f"Run {title}: {state_text(progress.state, progress.status.queue_position)}. {progress.status.message}".strip()
    )
    if not progress.steps:
        return text
    last, steps = progress.steps[-1], config.training.steps
    numbers = [
        ("step", f"{last['step']:,} of {steps:,}"),
        ("classification loss", html.number(last["classification"])),
        ("box loss", html.number(last["box"])),
    ]
    if progress.active:
        numbers.append(("time left", duration(seconds_left(progress.steps, config))))
    if progress.evaluations:
        metrics = progress.evaluations[-1]["metrics"]
        numbers += [("AP", html.number(metrics["ap"])), ("AP50", html.number(metrics["ap50"]))]
    curves = [(title, format(last[key], digits), _small(progress.steps, key)) for title, key, digits in SMALL]
    return text + html.facts(numbers) + html.small_curves(curves) + _evaluation(progress.evaluations)


def _small(steps: Sequence[dict[str, Any]], key: str) -> list[float]:
    return [record[key] for record in steps[:: 1 + len(steps) // POINTS]]


def _evaluation(evaluations: Sequence[dict[str, Any]]) -> Markup:
    if not evaluations:
        return Markup()
    metrics = evaluations[-1]["metrics"]
    rows = tuple((name, html.number(metrics[key])) for name, key in FIGURES.items())
    title = f"Held-out pictures after step {evaluations[-1]['step']}"
    return html.table(html.Table(title, ("figure", "value"), rows))


def seconds_left(steps: Sequence[dict[str, Any]], config: Config) -> float:
    """Returns how long the remaining steps will take at the latest speed, evaluations apart."""
    speed = median(record["images_per_second"] for record in steps[-LATEST:])  # a step may have given way to a page
    return config.training.batch_size / max(speed, 1e-9) * (config.training.steps - steps[-1]["step"])


def duration(seconds: float) -> str:
    """Returns a time in words, as exact as is of use."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def changes(single: StepChanges) -> Markup:
    """Returns what a single step changed in each part of the network."""
    rows = tuple((part, html.percent(share) if share else "–") for part, share in single.changes.items())
    title = f"What step {single.step} changed: how far the weights moved, as a share of their length"
    found = f"Found in the picture before: {len(single.before.boxes)}, after: {len(single.after.boxes)}."
    return html.table(html.Table(title, ("part", "moved"), rows)) + html.paragraph(found)
