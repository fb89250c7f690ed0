"""Drawn answers: a curve of the loss, or boxes around missed objects.

Before the answer the browser gets the axes and what is there now, with the answer the truth; it compares the two.
"""

from typing import Any

import numpy as np
import torch

from core.analysis.loss_concentration import compute_cumulative_loss
from playground.lessons.lesson import LessonStep
from playground.lessons.quantities import found_objects
from playground.pipeline.pipeline import Pipeline
from playground.steps.loss.curves import CROSS_ENTROPY, FOREGROUND, GRADIENT, VALUE, WEIGHT, one_score, slope
from playground.steps.loss.step import CUMULATIVE

DRAWABLE = (VALUE, GRADIENT, WEIGHT, CUMULATIVE)  # figures of the loss step
HEIGHTS = {VALUE: 5.0, GRADIENT: 1.0, WEIGHT: 1.0, CUMULATIVE: 1.0}  # of the vertical axes
NAMES = {VALUE: "loss", GRADIENT: "slope", WEIGHT: "share of cross-entropy", CUMULATIVE: "share of background's loss"}
PROBABILITY, SORTED = "pₜ", "share of background anchors, easiest first"
POINTS = 41  # of a curve, at equal distances


def build_drawing(
    step: LessonStep, pipeline: Pipeline, before: Pipeline, *, is_answered: bool
) -> dict[str, Any] | None:
    """Returns what the browser needs for the drawing of a step, None for a step without one.

    Args:
        step: The step.
        pipeline: The picture and the settings on show.
        before: The same before the answer.
        is_answered: True to include the truth.
    """
    if step.draw == "curve":
        kind = step.curve
        curve = curve_points(kind, pipeline) if is_answered else None
        axes = {"x": SORTED if kind == CUMULATIVE else PROBABILITY, "y": NAMES[kind], "height": HEIGHTS[kind]}
        return {"kind": "curve", **axes, "given": curve_points(kind, before), "truth": curve}
    if step.draw == "boxes":
        height, width = pipeline.size
        boxes = missed_boxes(pipeline) if is_answered else None
        return {"kind": "boxes", "width": width, "height": height, "truth": boxes}
    return None


def curve_points(kind: str, pipeline: Pipeline) -> list[float]:
    """Returns the heights of one of the `DRAWABLE` curves at `POINTS` positions from 0 to 1."""
    loss, counts = pipeline.config.loss, pipeline.gradient_counts
    if kind == CUMULATIVE:
        return _cumulative(pipeline)
    at = torch.linspace(0, 1, POINTS, dtype=torch.float64).clamp(0.001, 0.999)
    if kind == GRADIENT:
        values = slope(at, FOREGROUND, loss, counts)
    else:
        values = one_score(at, FOREGROUND, loss, counts)
        if kind == WEIGHT:
            values = values / one_score(at, FOREGROUND, CROSS_ENTROPY)
    return [round(value, 5) for value in values.clamp(max=HEIGHTS[kind]).tolist()]


def missed_boxes(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Returns the objects with their boxes and names, and which of them are missed."""
    found = found_objects(pipeline).tolist()
    names = [pipeline.class_names[label] for label in pipeline.labels.tolist()]
    boxes = pipeline.objects[0].tolist()
    return [
        {"box": [round(side, 1) for side in box], "name": name, "missed": not is_found}
        for box, name, is_found in zip(boxes, names, found, strict=True)
    ]


def _cumulative(pipeline: Pipeline) -> list[float]:
    running = compute_cumulative_loss(pipeline.anchor_logits.compute_losses(pipeline.config.loss)[1]).numpy()
    if not len(running):
        return [0.0] * POINTS
    shares = np.arange(1, len(running) + 1) / len(running)
    return np.round(np.interp(np.linspace(0, 1, POINTS), [0.0, *shares], [0.0, *running]), 5).tolist()
