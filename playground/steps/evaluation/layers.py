"""The picture of an evaluation: what was found rightly, wrongly or not at all, and the boxes that are asked for."""

from collections.abc import Sequence

import torch

from core.evaluation.confusion import ConfusionCase
from core.evaluation.report import BACKGROUND_NAME, Report
from core.retinanet.boxes import rescale
from playground.canvas.view import Layer
from playground.evaluations.query import CELL, KIND, EvaluationQuery
from playground.evaluations.results import EvaluationResult
from playground.pipeline.pipeline import Pipeline
from playground.steps.step import truth_layer

Box = tuple[int, int]  # numbers of a detection and of an object, −1 for none


def layers(pipeline: Pipeline, result: EvaluationResult, report: Report, query: EvaluationQuery) -> tuple[Layer, ...]:
    """Returns what is drawn over the picture on show, which must be one of those that were evaluated."""
    index = pipeline.image_ref.index
    names = (*result.class_names, BACKGROUND_NAME)
    cases = [case for case in report.confusion.cases if case.image == index]
    found, truth = result.images[index].detections, result.images[index].truth
    right = [case for case in cases if case.true_label == case.predicted_label]
    wrong = [case for case in cases if case.true_label != case.predicted_label and case.detection >= 0]
    missed = [case for case in cases if case.detection < 0]

    def said(case: ConfusionCase) -> str:
        return f"{names[case.predicted_label]} {found.scores[case.detection]:.2f}"

    return (
        truth_layer(pipeline, visible=False),
        _layer("right", "right", "foreground", _seen(pipeline, found.boxes, [case.detection for case in right]),
               tuple(map(said, right))),
        _layer("wrong", "wrong", "suppressed", _seen(pipeline, found.boxes, [case.detection for case in wrong]),
               tuple(f"{said(case)}, is {names[case.true_label]}" for case in wrong)),
        _layer("missed", "missed", "ignored", _seen(pipeline, truth.boxes, [case.object for case in missed]),
               tuple(names[case.true_label] for case in missed), dashed=True),
        *_asked(pipeline, result, report, query),
    )  # fmt: skip


def _asked(pipeline: Pipeline, result: EvaluationResult, report: Report, query: EvaluationQuery) -> tuple[Layer, ...]:
    """Returns the boxes of the chosen cell or kind of errors; none where nothing or all is chosen."""
    boxes = _chosen(report, query.choice, pipeline.image_ref.index)
    if not boxes:
        return ()
    found, truth = result.images[pipeline.image_ref.index].detections, result.images[pipeline.image_ref.index].truth
    parts = [
        _seen(pipeline, found.boxes, [detection for detection, _ in boxes if detection >= 0]),
        _seen(pipeline, truth.boxes, [each for detection, each in boxes if detection < 0]),
    ]
    return (_layer("asked", "asked for", "before", torch.cat(parts), width=3.5),)


def _chosen(report: Report, choice: str, index: int) -> list[Box]:
    kind, *rest = choice.split(" ")
    if kind == CELL:
        cell = tuple(map(int, rest))
        cases = (case for case in report.confusion.cases if case.image == index)
        return [(case.detection, case.object) for case in cases if (case.true_label, case.predicted_label) == cell]
    if kind == KIND:
        errors = (error for error in report.error_types.select(rest[0]) if error.image == index)
        return [(error.detection, error.object) for error in errors]
    return []


def _seen(pipeline: Pipeline, boxes: torch.Tensor, chosen: Sequence[int]) -> torch.Tensor:
    """Returns boxes of the data set's picture in the network's pixels, [M, 4]."""
    across, down = pipeline.picture.scale
    return rescale(boxes[list(chosen)], across, down) / pipeline.batch.factors[0]


def _layer(
    key: str,
    label: str,
    colour: str,
    boxes: torch.Tensor,
    captions: tuple[str, ...] = (),
    *,
    dashed: bool = False,
    width: float = 2,
) -> Layer:
    return Layer(key, label, colour, boxes.numpy(), dashed=dashed, width=width, captions=captions)
