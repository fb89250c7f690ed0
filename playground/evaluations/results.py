"""What came of an evaluation, and what can be asked of it: the report at any score, pictures, boxes."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.evaluation.confusion import confuse
from core.evaluation.dataset_predictions import ImageResult
from core.evaluation.detection_matching import Overlap, overlaps
from core.evaluation.report import BACKGROUND_NAME, Report, explain, worst_first
from core.structures import GroundTruth
from core.weights.sources import WeightsError
from playground.evaluations.query import CELL, KIND, WORST, EvaluationQuery
from playground.support.cache import Cache

_reports = Cache(32)
_numbers = itertools.count()


class Evaluated(NamedTuple):
    """An evaluation's result.

    Attributes:
        number: Its own.
        findings: What was found and what is there, picture by picture, labels as the network numbers them.
        boxes: How much they overlap.
        names: Of the pictures.
        class_names: Of the network.
        report: At the score of the best F1.
    """

    number: int
    findings: tuple[ImageResult, ...]
    boxes: tuple[Overlap, ...]
    names: tuple[str, ...]
    class_names: tuple[str, ...]
    report: Report

    @classmethod
    def explained(
        cls, kept: Sequence[ImageResult], names: Sequence[str], class_names: tuple[str, ...], iou: float
    ) -> "Evaluated":
        """Explains what was found.

        Args:
            kept: The pictures, objects numbered as the network does.
            names: Of the pictures.
            class_names: The network's.
            iou: Of the confusion matrix.
        """
        found, truths = [each.found for each in kept], [each.truth for each in kept]
        pictures = [(each.image_id, name) for each, name in zip(kept, names, strict=True)]
        report = explain(found, truths, class_names, pictures=pictures, iou=iou)
        return cls(next(_numbers), tuple(kept), tuple(overlaps(found, truths)), tuple(names), class_names, report)

    @classmethod
    def of(
        cls, done: Sequence[ImageResult], names: Sequence[str], labels: Tensor, class_names: tuple[str, ...], iou: float
    ) -> "Evaluated":
        """Explains what was found.

        Args:
            done: The pictures, objects numbered as the data set does.
            names: Of the pictures.
            labels: int64 [K], how the network numbers the data set's classes.
            class_names: The network's.
            iou: Of the confusion matrix.
        """
        truths = [GroundTruth(each.truth.boxes, labels[each.truth.labels], each.truth.crowd) for each in done]
        kept = [each._replace(truth=truth) for each, truth in zip(done, truths, strict=True)]
        return cls.explained(kept, names, class_names, iou)


class Chosen(NamedTuple):
    """Pictures of an evaluation that belong together: what they are, and their numbers."""

    label: str
    pictures: tuple[int, ...]


def numbered_for(network: tuple[str, ...], data: tuple[str, ...], weights: str) -> Tensor:
    """Returns how a network numbers the classes of a data set, int64 [K].

    Raises:
        WeightsError: It does not know one of them.
    """
    unknown = [name for name in data if name not in network]
    if unknown:
        shown = ", ".join(unknown[:5]) + (" …" if len(unknown) > 5 else "")
        raise WeightsError(
            f"The weights {weights} know no {shown}: train on this data set first and use the run's weights, or choose "
            "other weights."
        )
    return torch.tensor([network.index(name) for name in data], dtype=torch.int64)


def report_at(result: Evaluated, query: EvaluationQuery) -> Report:
    """Returns the report with confusion matrix and pictures at the score and IoU that are asked for."""
    base = result.report
    score = base.score if query.score is None else query.score
    if (score, query.iou) == (base.score, base.iou):
        return base

    def compute() -> Report:
        count, at = len(result.class_names), {"score": score, "iou": query.iou}
        pictures = sorted((each.index, each.image_id, each.name) for each in base.pictures)
        named = [(image_id, name) for _, image_id, name in pictures]
        confusion = confuse(result.boxes, count, **at)
        return base._replace(**at, confusion=confusion, pictures=worst_first(result.boxes, named, count, **at))

    return _reports.get((result.number, score, query.iou), compute)


def chosen_pictures(result: Evaluated, query: EvaluationQuery) -> Chosen | None:
    """Returns the pictures that are asked for, None where none are or there is no such choice."""
    kind, *rest = query.choice.split(" ")
    report = report_at(result, query)
    if kind == WORST:
        return Chosen("worst first", tuple(each.index for each in report.pictures))
    if kind == KIND:
        errors = report.error_types.of(rest[0])
        return Chosen(f"{rest[0]} errors", tuple(sorted({error.picture for error in errors})))
    if kind == CELL:
        names = (*result.class_names, BACKGROUND_NAME)
        row, column = map(int, rest)
        if max(row, column) < len(names):
            pictures = report.confusion.pictures().get((row, column), [])
            return Chosen(f"{names[row]} found as {names[column]}", tuple(pictures))
    return None
