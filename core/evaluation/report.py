"""The report of an evaluation: metrics, curves, kinds of errors with their cost, and the images to inspect."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from core.evaluation.calibration import Calibration, calibrate
from core.evaluation.coco_metrics import Metrics, read_metrics, run_coco_evaluation
from core.evaluation.confusion import Confusion, compute_confusion
from core.evaluation.detection_matching import ImageOverlaps, MatchedDetections, compute_overlaps, match_detections
from core.evaluation.error_types import ErrorTypes, analyse_errors
from core.evaluation.label_errors import LabelError, find_label_errors, list_label_errors
from core.evaluation.precision_recall import (
    RECALLS,
    PrecisionRecallCurve,
    Threshold,
    compute_average_precision,
    compute_curve,
    find_best_threshold,
    interpolate_precision,
    read_scores,
)
from core.evaluation.slices.measure import HUGE, Slice, measure_slices
from core.structures import Detections, GroundTruth

if TYPE_CHECKING:
    from faster_coco_eval import COCOeval_faster

USUAL_IOU = 0.5  # of curves, calibration and thresholds, and the default of the confusion matrix
USUAL_SCORE = 0.5  # of the confusion matrix without a best threshold
BACKGROUND_NAME = "background"


class ClassReport(NamedTuple):
    """The results of one class.

    The six average precisions are COCO's; each is NaN without objects of its size.

    Attributes:
        objects: Number of objects without crowd regions.
        detections: Number of true and false positives at any score.
        ap: Average precision, mean over IoU 0.50:0.05:0.95.
        ap50: Average precision at IoU 0.5.
        ap75: Average precision at IoU 0.75.
        ap_small: `ap` of objects with less than 32² pixels.
        ap_medium: `ap` of objects with at least 32² and less than 96² pixels.
        ap_large: `ap` of objects with at least 96² pixels.
        curve: The precision–recall curve at IoU 0.5.
        best: The threshold with the highest F1; None without objects or detections.
        calibration: The calibration of its scores at IoU 0.5.
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


@dataclass(frozen=True)
class ImageReport:
    """The results of one image at the report's score and IoU.

    Attributes:
        index: Index among the evaluated images.
        image_id: The data set's id of the image.
        name: File name or display name.
        right: Number of true positives.
        wrong: Number of false positives.
        missed: Number of missed objects.
        f1: 2 · right / (2 · right + wrong + missed); 1 without objects and detections.
    """

    index: int
    image_id: int
    name: str
    right: int
    wrong: int
    missed: int
    f1: float


class Report(NamedTuple):
    """The report of an evaluation.

    Attributes:
        metrics: The COCO metrics.
        classes: The results of each class by name.
        best: The common threshold of all classes with the highest F1; None without objects or detections.
        calibration: The calibration of all scores at IoU 0.5.
        error_types: The errors by kind and their cost.
        score: Minimum score of the detections in `confusion` and `images`.
        iou: Minimum IoU of true positives in `confusion` and `images`.
        confusion: The confusion matrix.
        images: The results of each image, worst first: by F1, then by the number of errors.
        label_errors: Suspected errors of the ground truth, the likeliest first.
        slices: Average precision by size, elongation, number of objects and position; empty if it was not asked for.
    """

    metrics: Metrics
    classes: dict[str, ClassReport]
    best: Threshold | None
    calibration: Calibration
    error_types: ErrorTypes
    score: float
    iou: float
    confusion: Confusion
    images: tuple[ImageReport, ...]
    label_errors: tuple[LabelError, ...]
    slices: tuple[Slice, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as plain values for JSON, with None for NaN; images are given by their index."""
        names = (*self.classes, BACKGROUND_NAME)
        return {
            "metrics": self.metrics.to_dict(),
            "classes": {name: _convert_class(each) for name, each in self.classes.items()},
            "best_threshold": _convert(self.best),
            "calibration": _convert(self.calibration),
            "error_types": self.error_types.to_dict(),
            "confusion": {"score": self.score, "iou": self.iou, **self.confusion.to_dict(names)},
            "pictures": [_convert(each) for each in self.images],
            "slices": [_convert(each._replace(high=min(each.high, HUGE))) for each in self.slices],
            "label_errors": list_label_errors(self.label_errors, names),
        }


def build_report(
    predictions: Sequence[Detections],
    truths: Sequence[GroundTruth],
    class_names: Sequence[str],
    *,
    images: Sequence[tuple[int, str]],
    score: float | None = None,
    iou: float,
    with_slices: bool = False,
) -> Report:
    """Evaluates detections and builds the report.

    Args:
        predictions: The detections of each image, down to a low score.
        truths: The ground truth of each image, in the same order.
        class_names: The distinct class names of labels 0 … K−1.
        images: Id and name of each image.
        score: Minimum score for the confusion matrix and the images' results; None for the score with the best F1.
        iou: Minimum IoU for both.
        with_slices: Measure the slices, too, which takes as long as everything else.

    Raises:
        ValueError: The numbers of images differ, or a label has no name.
    """
    evaluation = run_coco_evaluation(predictions, truths, class_names)
    overlaps = compute_overlaps(predictions, truths)
    matches = match_detections(overlaps, USUAL_IOU, len(class_names))
    positives = int(matches.positives.sum())
    best = find_best_threshold(_compute_curve(matches, matches.counted, positives), positives)
    if score is None:
        score = best.score if best else USUAL_SCORE
    return Report(
        metrics=read_metrics(evaluation, class_names),
        classes={name: _build_class_report(label, matches, evaluation) for label, name in enumerate(class_names)},
        best=best,
        calibration=calibrate(matches.score[matches.counted], matches.hit[matches.counted]),
        error_types=analyse_errors(overlaps, len(class_names)),
        score=score,
        iou=iou,
        confusion=compute_confusion(overlaps, len(class_names), score=score, iou=iou),
        images=rank_images(overlaps, images, len(class_names), score=score, iou=iou),
        label_errors=find_label_errors(predictions, truths, overlaps),
        slices=measure_slices(predictions, truths, class_names) if with_slices else (),
    )


def rank_images(
    overlaps: Sequence[ImageOverlaps],
    images: Sequence[tuple[int, str]],
    num_classes: int,
    *,
    score: float,
    iou: float,
) -> tuple[ImageReport, ...]:
    """Returns every image's results at a score and an IoU, worst first; arguments as in `build_report`."""
    matches = match_detections(overlaps, iou, num_classes)
    selected = matches.counted & (matches.score >= score)
    right = np.bincount(matches.image[selected & matches.hit], minlength=len(overlaps)).tolist()
    wrong = np.bincount(matches.image[selected & ~matches.hit], minlength=len(overlaps)).tolist()
    reports = []
    for index, (each, (image_id, name)) in enumerate(zip(overlaps, images, strict=True)):
        missed = int((~each.crowd).sum()) - right[index]
        total = 2 * right[index] + wrong[index] + missed
        f1 = 2 * right[index] / total if total else 1.0
        reports.append(ImageReport(index, image_id, name, right[index], wrong[index], missed, f1))
    return tuple(sorted(reports, key=lambda each: (each.f1, -each.wrong - each.missed, each.index)))


def _compute_curve(matches: MatchedDetections, selected: np.ndarray, positives: int) -> PrecisionRecallCurve:
    return compute_curve(matches.score[selected], matches.hit[selected], positives)


def _build_class_report(label: int, matches: MatchedDetections, evaluation: "COCOeval_faster") -> ClassReport:
    selected = matches.counted & (matches.label == label)
    positives = int(matches.positives[label])
    curve = _compute_curve(matches, selected, positives)
    precision = evaluation.eval["precision"][:, :, label, :, -1]  # [T, R, sizes] at 100 detections
    return ClassReport(
        objects=positives,
        detections=int(selected.sum()),
        ap=_average(precision[..., 0]),
        ap50=_average(precision[0, :, 0]),
        ap75=_average(precision[5, :, 0]),
        ap_small=_average(precision[..., 1]),
        ap_medium=_average(precision[..., 2]),
        ap_large=_average(precision[..., 3]),
        curve=curve,
        best=find_best_threshold(curve, positives),
        calibration=calibrate(matches.score[selected], matches.hit[selected]),
    )


def _average(precision: np.ndarray) -> float:
    return math.nan if precision.max() < 0 else float(precision.mean())  # −1 without objects


def _convert_class(each: ClassReport) -> dict[str, Any]:
    values = {name: _convert(value) for name, value in each._asdict().items() if name not in ("curve", "best")}
    values["best_threshold"] = _convert(each.best)
    has_objects = each.objects > 0
    values["precision_recall"] = {
        "recall": _convert(RECALLS),
        "precision": _convert(interpolate_precision(each.curve)) if has_objects else None,
        "score": _convert(read_scores(each.curve)) if has_objects else None,
        "area": _convert(compute_average_precision(each.curve, each.objects)),
    }
    return values


def _convert(value: Any) -> Any:
    """Converts named tuples and dataclasses to dictionaries, arrays to lists and NaN to None."""
    if hasattr(value, "_asdict"):
        return {name: _convert(each) for name, each in value._asdict().items()}
    if is_dataclass(value):
        return {each.name: _convert(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, np.ndarray):
        return _convert(value.tolist())
    if isinstance(value, list | tuple):
        return [_convert(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
