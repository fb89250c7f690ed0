"""The result of an evaluation, and what the page derives from it: the report at any threshold, selected pictures."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from core.evaluation.confusion import compute_confusion
from core.evaluation.dataset_predictions import ImageResult
from core.evaluation.detection_matching import ImageOverlaps, compute_overlaps
from core.evaluation.label_errors import LabelError
from core.evaluation.report import BACKGROUND_NAME, Report, build_report, rank_images
from core.evaluation.slices.measure import measure_slices
from playground.evaluations.query import CELL, KIND, LABEL, SLICES, WORST, EvaluationQuery
from playground.support.cache import Cache

_reports = Cache()
_ids = itertools.count()


class EvaluationResult(NamedTuple):
    """The result of an evaluation.

    Attributes:
        id: Unique in this process.
        images: Detections and ground truth of each picture, with the data set's class indices.
        overlaps: The IoU of detections and objects in each picture.
        names: The names of the pictures.
        class_names: The data set's classes.
        report: At the score threshold with the best F1.
    """

    id: int
    images: tuple[ImageResult, ...]
    overlaps: tuple[ImageOverlaps, ...]
    names: tuple[str, ...]
    class_names: tuple[str, ...]
    report: Report

    @property
    def left_out(self) -> tuple[str, ...]:
        """Why pictures were left out, one sentence for each that could not be used."""
        return tuple(each.problem for each in self.images if each.problem)

    @classmethod
    def from_images(
        cls, images: Sequence[ImageResult], names: Sequence[str], class_names: tuple[str, ...], iou: float
    ) -> "EvaluationResult":
        """Computes the report of pictures.

        Args:
            images: Detections and ground truth with the data set's class indices.
            names: The names of the pictures.
            class_names: The data set's classes.
            iou: IoU threshold of the confusion matrix.
        """
        detections, truths = [each.detections for each in images], [each.truth for each in images]
        pictures = [(each.image_id, name) for each, name in zip(images, names, strict=True)]
        report = build_report(detections, truths, class_names, images=pictures, iou=iou)
        return cls(
            next(_ids), tuple(images), tuple(compute_overlaps(detections, truths)), tuple(names), class_names, report
        )


class Selection(NamedTuple):
    """A group of pictures of an evaluation to browse: a label, and the indices of the pictures."""

    label: str
    pictures: tuple[int, ...]


def compute_report(result: EvaluationResult, query: EvaluationQuery) -> Report:
    """Returns the report with the confusion matrix and the pictures at the thresholds of a query.

    It has the slices if the query shows them: they take as long as everything else.
    """
    report = _report_at(result, query)
    if query.figure != SLICES:
        return report
    found, truths = [each.detections for each in result.images], [each.truth for each in result.images]
    slices = _reports.get((result.id, SLICES), lambda: measure_slices(found, truths, result.class_names))
    return report._replace(slices=slices)


def _report_at(result: EvaluationResult, query: EvaluationQuery) -> Report:
    base = result.report
    score = base.score if query.score is None else query.score
    if (score, query.iou) == (base.score, base.iou):
        return base

    def compute() -> Report:
        count = len(result.class_names)
        pictures = sorted((each.index, each.image_id, each.name) for each in base.images)
        named = [(image_id, name) for _, image_id, name in pictures]
        return base._replace(
            score=score,
            iou=query.iou,
            confusion=compute_confusion(result.overlaps, count, score=score, iou=query.iou),
            images=rank_images(result.overlaps, named, count, score=score, iou=query.iou),
        )

    report: Report = _reports.get((result.id, score, query.iou), compute)
    return report


def select_label_errors(report: Report, choice: str) -> tuple[LabelError, ...]:
    """Returns the suspected errors of the labels of the kind that a choice names; all of them if it names none."""
    word, _, kind = choice.partition(" ")
    chosen = kind if word == LABEL else ""
    return tuple(each for each in report.label_errors if not chosen or each.kind == chosen)


def select_pictures(result: EvaluationResult, query: EvaluationQuery) -> Selection | None:
    """Returns the pictures that a query selects, None if it selects none or names a cell outside of the matrix."""
    kind, *rest = query.choice.split(" ")
    report = compute_report(result, query)
    if kind == WORST:
        return Selection("worst first", tuple(each.index for each in report.images))
    if kind == KIND:
        of_kind = report.error_types.select(rest[0])
        return Selection(f"{rest[0]} errors", tuple(sorted({error.image for error in of_kind})))
    if kind == LABEL:
        errors = select_label_errors(report, query.choice)
        label = f"{' '.join(rest) or 'suspected'} labels, likeliest first"
        return Selection(label, tuple(dict.fromkeys(each.image for each in errors)))
    if kind == CELL:
        names = (*result.class_names, BACKGROUND_NAME)
        row, column = map(int, rest)
        if max(row, column) < len(names):
            pictures = report.confusion.images_by_cell().get((row, column), [])
            return Selection(f"{names[row]} predicted as {names[column]}", tuple(pictures))
    return None
