"""An evaluation that explains itself: what is good, what goes wrong, what that costs and in which pictures to look."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from faster_coco_eval import COCOeval_faster

from core.evaluation.calibration import Calibration, calibrate
from core.evaluation.coco_metrics import Metrics, compare, metrics_of
from core.evaluation.confusion import Confusion, confuse
from core.evaluation.detection_matching import Overlap, Pairs, overlaps, pair
from core.evaluation.error_types import KINDS, ErrorTypes, explain_errors
from core.evaluation.precision_recall import (
    RECALLS,
    PrecisionRecallCurve,
    Threshold,
    average_precision,
    best_threshold,
    interpolated,
    make_curve,
    scores_at_recalls,
)
from core.structures import Detections, GroundTruth

USUAL_IOU = 0.5  # of curves, calibration and thresholds; of the confusion matrix unless another is chosen
USUAL_SCORE = 0.5  # of the confusion matrix where there is no best threshold
BACKGROUND_NAME = "background"


class ClassReport(NamedTuple):
    """One class.

    Attributes:
        objects: How many there are, crowds left out.
        detections: How many count, right or wrong, at any score.
        ap: Mean over IoU 0.50:0.95; this and the next five are COCO's and nan without an object of that size.
        ap50: At IoU 0.5.
        ap75: At IoU 0.75.
        ap_small: `ap` of objects below 32² pixels.
        ap_medium: `ap` of those between.
        ap_large: `ap` of objects from 96².
        curve: Precision and recall at IoU 0.5.
        best: The threshold of the highest F1; None without objects or detections.
        calibration: Of its scores, at IoU 0.5.
    """

    objects: int
    detections: int
    ap: float
    ap50: float
    ap75: float
    ap_small: float
    ap_medium: float
    ap_large: float
    curve: PrecisionRecallCurve
    best: Threshold | None
    calibration: Calibration


class PictureReport(NamedTuple):
    """One picture at the report's score and IoU.

    Attributes:
        index: Its place among those that were evaluated.
        image_id: The data set's number of it.
        name: Its file, or what it is called.
        right: Detections that found an object.
        wrong: Detections that found none.
        missed: Objects that were not found.
        f1: 2 · right / (2 · right + wrong + missed); 1 where there is nothing and nothing was found.
    """

    index: int
    image_id: int
    name: str
    right: int
    wrong: int
    missed: int
    f1: float


class Report(NamedTuple):
    """All that can be said of an evaluation.

    Attributes:
        metrics: The COCO figures.
        classes: By name.
        best: The one threshold for all classes of the highest F1; None without objects or detections.
        calibration: Of all scores, at IoU 0.5.
        error_types: Kinds of errors and their cost.
        score: Score from which detections count in `confusion` and `pictures`.
        iou: IoU from which they are right there.
        confusion: What was taken for what.
        pictures: The worst first: lowest F1, then most errors.
    """

    metrics: Metrics
    classes: dict[str, ClassReport]
    best: Threshold | None
    calibration: Calibration
    error_types: ErrorTypes
    score: float
    iou: float
    confusion: Confusion
    pictures: tuple[PictureReport, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON, None for nan; pictures are given by their index."""
        return {
            "metrics": self.metrics.to_dict(),
            "classes": {name: _class_to_dict(each) for name, each in self.classes.items()},
            "best_threshold": _plain(self.best),
            "calibration": _plain(self.calibration),
            "error_types": _errors_to_dict(self.error_types),
            "confusion": {"score": self.score, "iou": self.iou, **_confusion_to_dict(self.confusion, self.classes)},
            "pictures": [_plain(each) for each in self.pictures],
        }


def explain(
    predictions: Sequence[Detections],
    truths: Sequence[GroundTruth],
    class_names: Sequence[str],
    *,
    pictures: Sequence[tuple[int, str]],
    score: float | None = None,
    iou: float,
) -> Report:
    """Evaluates detections and explains the result.

    Args:
        predictions: What was found, a picture each, down to a low score.
        truths: The objects, in the same order.
        class_names: What label 0 … K−1 means, all different.
        pictures: Number and name of each picture.
        score: Score of the confusion matrix and of the pictures' figures; None for the one with the best F1.
        iou: IoU of both.

    Raises:
        ValueError: The numbers of pictures differ, or a label has no name.
    """
    comparison = compare(predictions, truths, class_names)
    boxes = overlaps(predictions, truths)
    pairs = pair(boxes, USUAL_IOU, len(class_names))
    best = best_threshold(_curve(pairs, pairs.counted), int(pairs.positives.sum()))
    if score is None:
        score = best.score if best else USUAL_SCORE
    return Report(
        metrics=metrics_of(comparison, class_names),
        classes={name: _class_report(label, pairs, comparison) for label, name in enumerate(class_names)},
        best=best,
        calibration=calibrate(pairs.score[pairs.counted], pairs.hit[pairs.counted]),
        error_types=explain_errors(boxes, len(class_names)),
        score=score,
        iou=iou,
        confusion=confuse(boxes, len(class_names), score=score, iou=iou),
        pictures=worst_first(boxes, pictures, len(class_names), score=score, iou=iou),
    )


def worst_first(
    boxes: Sequence[Overlap], pictures: Sequence[tuple[int, str]], num_classes: int, *, score: float, iou: float
) -> tuple[PictureReport, ...]:
    """Returns every picture's figures at a score and an IoU, the worst first; arguments as `explain`."""
    pairs = pair(boxes, iou, num_classes)
    kept = pairs.counted & (pairs.score >= score)
    right = np.bincount(pairs.picture[kept & pairs.hit], minlength=len(boxes)).tolist()
    wrong = np.bincount(pairs.picture[kept & ~pairs.hit], minlength=len(boxes)).tolist()
    reports = []
    for index, (each, (image_id, name)) in enumerate(zip(boxes, pictures, strict=True)):
        missed = int((~each.crowd).sum()) - right[index]
        total = 2 * right[index] + wrong[index] + missed
        f1 = 2 * right[index] / total if total else 1.0
        reports.append(PictureReport(index, image_id, name, right[index], wrong[index], missed, f1))
    return tuple(sorted(reports, key=lambda each: (each.f1, -each.wrong - each.missed, each.index)))


def _curve(pairs: Pairs, here: np.ndarray, positives: int | None = None) -> PrecisionRecallCurve:
    total = int(pairs.positives.sum()) if positives is None else positives
    return make_curve(pairs.score[here], pairs.hit[here], total)


def _class_report(label: int, pairs: Pairs, comparison: COCOeval_faster) -> ClassReport:
    here = pairs.counted & (pairs.label == label)
    positives = int(pairs.positives[label])
    curve = _curve(pairs, here, positives)
    precision = comparison.eval["precision"][:, :, label, :, -1]  # [T, R, sizes] at 100 detections
    parts = (precision[..., 0], precision[0, :, 0], precision[5, :, 0], *(precision[..., size] for size in (1, 2, 3)))
    figures = [math.nan if part.max() < 0 else float(part.mean()) for part in parts]  # −1 without an object
    return ClassReport(
        positives,
        int(here.sum()),
        *figures,
        curve,
        best_threshold(curve, positives),
        calibrate(pairs.score[here], pairs.hit[here]),
    )


def _class_to_dict(each: ClassReport) -> dict[str, Any]:
    values = {name: _plain(value) for name, value in each._asdict().items() if name not in ("curve", "best")}
    values["best_threshold"] = _plain(each.best)
    has_objects = each.objects > 0
    values["precision_recall"] = {
        "recall": _plain(RECALLS),
        "precision": _plain(interpolated(each.curve)) if has_objects else None,
        "score": _plain(scores_at_recalls(each.curve)) if has_objects else None,
        "area": _plain(average_precision(each.curve, each.objects)),
    }
    return values


def _errors_to_dict(types: ErrorTypes) -> dict[str, Any]:
    kinds = {}
    for kind in KINDS:
        errors = types.of(kind)
        pictures = sorted({error.picture for error in errors})
        kinds[kind] = {"count": len(errors), "delta_ap50": _plain(types.cost[kind]), "pictures": pictures}
    return {"ap50": _plain(types.ap50), "kinds": kinds}


def _confusion_to_dict(confusion: Confusion, class_names: Mapping[str, Any]) -> dict[str, Any]:
    names = [*class_names, BACKGROUND_NAME]
    cells = [
        {
            "actual": names[row],
            "found": names[column],
            "count": int(confusion.counts[row, column]),
            "pictures": pictures,
        }
        for (row, column), pictures in sorted(confusion.pictures().items())
    ]
    return {"names": names, "counts": confusion.counts.tolist(), "cells": cells}


def _plain(value: Any) -> Any:
    """Turns named tuples into dictionaries, arrays into lists and nan into None."""
    if hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
