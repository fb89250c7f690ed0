"""The picture in an evaluation: its right, wrong and missed detections, and the boxes that the visitor selected."""

from collections.abc import Sequence

import torch

from core.evaluation.confusion import ConfusionCase
from core.evaluation.report import BACKGROUND_NAME, Report
from core.retinanet.boxes import rescale
from playground.canvas.view import Layer
from playground.evaluations.query import CELL, KIND, LABEL, EvaluationQuery
from playground.evaluations.results import EvaluationResult
from playground.pipeline.pipeline import Pipeline
from playground.steps.evaluation.labels import label_layers
from playground.steps.step import truth_layer

Box = tuple[int, int]  # indices of a detection and of an object, −1 for none


def build_layers(
    pipeline: Pipeline, index: int, result: EvaluationResult, report: Report, query: EvaluationQuery
) -> tuple[Layer, ...]:
    """Returns the layers over the picture.

    Args:
        pipeline: The picture under the settings.
        index: Index of the picture among the evaluated ones.
        result: The evaluation.
        report: The report on it, at the chosen score and IoU.
        query: The visitor's selection.
    """
    names = (*result.class_names, BACKGROUND_NAME)
    cases = [case for case in report.confusion.cases if case.image == index]
    found, truth = result.images[index].detections, result.images[index].truth
    right = [case for case in cases if case.true_label == case.predicted_label]
    wrong = [case for case in cases if case.true_label != case.predicted_label and case.detection >= 0]
    missed = [case for case in cases if case.detection < 0]

    def caption(case: ConfusionCase) -> str:
        return f"{names[case.predicted_label]} {found.scores[case.detection]:.2f}"

    return (
        truth_layer(pipeline, visible=False),
        _layer("right", "right", "foreground", _to_network(pipeline, found.boxes, [case.detection for case in right]),
               tuple(map(caption, right))),
        _layer("wrong", "wrong", "suppressed", _to_network(pipeline, found.boxes, [case.detection for case in wrong]),
               tuple(f"{caption(case)}, is {names[case.true_label]}" for case in wrong)),
        _layer("missed", "missed", "ignored", _to_network(pipeline, truth.boxes, [case.object for case in missed]),
               tuple(names[case.true_label] for case in missed), dashed=True),
        *_selected_layer(pipeline, index, result, report, query),
    )  # fmt: skip


def _selected_layer(
    pipeline: Pipeline, index: int, result: EvaluationResult, report: Report, query: EvaluationQuery
) -> tuple[Layer, ...]:
    """Returns the boxes of the selected cell or kind of error as a layer; none if there are no such boxes."""
    if query.choice.split(" ")[0] == LABEL:
        return label_layers(pipeline, index, result, query)
    boxes = _select_boxes(report, query.choice, index)
    if not boxes:
        return ()
    found, truth = result.images[index].detections, result.images[index].truth
    parts = [
        _to_network(pipeline, found.boxes, [detection for detection, _ in boxes if detection >= 0]),
        _to_network(pipeline, truth.boxes, [each for detection, each in boxes if detection < 0]),
    ]
    return (_layer("asked", "selected", "before", torch.cat(parts), width=3.5),)


def _select_boxes(report: Report, choice: str, index: int) -> list[Box]:
    kind, *rest = choice.split(" ")
    if kind == CELL:
        cell = tuple(map(int, rest))
        cases = (case for case in report.confusion.cases if case.image == index)
        return [(case.detection, case.object) for case in cases if (case.true_label, case.predicted_label) == cell]
    if kind == KIND:
        errors = (error for error in report.error_types.select(rest[0]) if error.image == index)
        return [(error.detection, error.object) for error in errors]
    return []


def _to_network(pipeline: Pipeline, boxes: torch.Tensor, chosen: Sequence[int]) -> torch.Tensor:
    """Returns some boxes, converted from the data set's pixels to those of the resized picture, [M, 4]."""
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
