"""A training run as HTML: its status, its latest numbers, and the changes of a single step."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from markupsafe import Markup

from core.config import Config
from core.data.left_out import describe_count
from core.experiments.recipes import RECIPES
from core.runs.about import About
from core.runs.folder import QUEUED
from core.runs.metrics import find_kept, read_held_out
from core.runs.overfitting import describe_overfitting
from core.runs.step_changes import StepChanges
from playground.components import html
from playground.runs.progress import RunProgress
from playground.runs.reader import hide_source

LATEST_STEPS = 20  # steps that the speed is measured over
POINTS = 80  # of a small curve
MAX_EXAMPLES = 8  # of one kind of things that were left out
NOTHING_KNOWN = About()
SMALL_CURVES = (
    ("learning rate", "learning_rate", ".2g"),
    ("foreground anchors", "foreground", ",.0f"),
    ("images per second", "images_per_second", ".1f"),
    ("gradient norm", "gradient_norm", ".3g"),
)
METRICS = {
    "AP": "ap", "AP50": "ap50", "AP75": "ap75", "AP small": "ap_small", "AP medium": "ap_medium",
    "AP large": "ap_large", "AR at 100 detections": "ar100",
}  # fmt: skip


def format_state(state: str, queue_position: int) -> str:
    """Returns the state of a run; for a queued run with its position, from 1."""
    return f"{state}, {format_ordinal(queue_position)}" if state == QUEUED else state


def format_ordinal(number: int) -> str:
    """Returns 1st, 2nd, 3rd, …"""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def build_status(progress: RunProgress, name: str, label: str, config: Config, about: About = NOTHING_KNOWN) -> Markup:
    """Returns the status and the latest numbers of a run.

    Args:
        progress: The progress of the run.
        name: The name of the run.
        label: The name that visitors gave it, "" for none.
        config: Its settings.
        about: How its data was read, and what was left out.
    """
    title = f"{label} ({name})" if label else name
    state = format_state(progress.state, progress.status.queue_position)
    overfits = describe_overfitting(progress.steps, progress.evaluations, config.training)
    said = (f"Run {title}: {state}.", progress.status.message, overfits, progress.lost)
    text = html.paragraph(" ".join(filter(None, said))) + _build_data(about)
    text += html.said(f"Run {title}: {state}.")
    if not progress.steps:
        return text
    last = progress.steps[-1]
    curves = [(title, html.number(last[key], spec), _sample(progress.steps, key)) for title, key, spec in SMALL_CURVES]
    text += html.facts(_latest_numbers(progress, config, about)) + html.small_curves(curves)
    return text + _build_metrics(find_kept(progress.evaluations, config.training))


def _build_data(about: About) -> Markup:
    """Returns how the data of a run was read and what was left out, folded; nothing for scenes."""
    if not about.reading:
        return Markup()
    lines = [html.paragraph(hide_source(about.reading, about))]
    for kind, count in about.left_out.counts.items():
        examples = (hide_source(each, about) for each in about.left_out.examples[kind][:MAX_EXAMPLES])
        items = html.join(Markup("<li>{}</li>").format(each) for each in examples)
        lines.append(html.paragraph(f"Left out: {describe_count(kind, count)}.") + Markup("<ul>{}</ul>").format(items))
    total = sum(about.left_out.counts.values())
    return html.details(f"Data, {total:,} left out" if total else "Data", html.join(lines))


def _latest_numbers(progress: RunProgress, config: Config, about: About) -> list[tuple[str, str]]:
    last = progress.steps[-1]
    numbers = [
        ("step", f"{last['step']:,} of {config.training.steps:,}"),
        ("classification loss", html.number(last["classification"])),
        ("box loss", html.number(last["box"])),
    ]
    if about.recipe in RECIPES:
        numbers.append(("recipe", about.recipe))
    if progress.active:
        numbers.append(("time left", format_duration(estimate_seconds_left(progress.steps, config))))
    if kept := find_kept(progress.evaluations, config.training):
        metrics, losses = kept["metrics"], read_held_out(kept)
        numbers += [("AP", html.number(metrics["ap"])), ("AP50", html.number(metrics["ap50"]))]
        if losses:
            whole, classification, box = (html.number(value) for value in (losses.total, *losses))
            numbers.append(("held-out loss", f"{whole} ({classification} class, {box} box)"))
    return numbers


def _sample(steps: Sequence[dict[str, Any]], key: str) -> list[float]:
    return [record[key] for record in steps[:: 1 + len(steps) // POINTS]]


def _build_metrics(evaluation: dict[str, Any] | None) -> Markup:
    if not evaluation:
        return Markup()
    metrics = evaluation["metrics"]
    rows = [(name, html.number(metrics.get(key))) for name, key in METRICS.items()]
    if "rare_ap" in evaluation:
        rows.append(("AP of rare classes", html.number(evaluation["rare_ap"])))
    title = f"Held-out pictures after step {evaluation['step']}"
    return html.table(html.Table(title, ("metric", "value"), tuple(rows)))


def estimate_seconds_left(steps: Sequence[dict[str, Any]], config: Config) -> float:
    """Returns the duration of the remaining steps at the latest speed, in seconds, without evaluations."""
    speed = median(record["images_per_second"] for record in steps[-LATEST_STEPS:])  # single steps may be throttled
    seconds: float = config.training.batch_size / max(speed, 1e-9) * (config.training.steps - steps[-1]["step"])
    return seconds


def format_duration(seconds: float) -> str:
    """Returns a duration in seconds, minutes or hours, rounded to a sensible precision."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def build_changes(single: StepChanges) -> Markup:
    """Returns how far a single step moved the weights of each part of the network, and its effect on detections."""
    rows = tuple((part, html.percent(share) if share else "–") for part, share in single.changes.items())
    title = f"Changes of step {single.step}: how far the weights moved, relative to their norm"
    before, after = len(single.before.boxes), len(single.after.boxes)
    detections = html.paragraph(f"Detections in the picture before the step: {before}, after it: {after}.")
    return html.table(html.Table(title, ("part", "moved"), rows)) + detections
