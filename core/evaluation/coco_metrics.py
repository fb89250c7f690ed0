"""The twelve COCO metrics of detections, and average precision by class."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from core.structures import Detections, GroundTruth, Sample

if TYPE_CHECKING:  # imported by the first evaluation
    from faster_coco_eval import COCOeval_faster


class ClassMetrics(NamedTuple):
    """Average precision of one class, mean over IoU 0.50:0.05:0.95 and at IoU 0.5; NaN without objects."""

    ap: float
    ap50: float


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The twelve COCO metrics, 0 … 1; NaN without objects.

    Small objects have less than 32² pixels, large ones at least 96². COCO measures the area of segments, this module
    the area of boxes.

    Attributes:
        ap: Average precision, mean over IoU 0.50:0.05:0.95 and classes.
        ap50: Average precision at IoU 0.5.
        ap75: Average precision at IoU 0.75.
        ap_small: `ap` of small objects.
        ap_medium: `ap` of medium objects.
        ap_large: `ap` of large objects.
        ar1: Average recall, mean over IoU 0.50:0.05:0.95 and classes, with the best detection per image and class.
        ar10: Average recall with the best 10 detections per image and class.
        ar100: Average recall with the best 100 detections per image and class.
        ar_small: `ar100` of small objects.
        ar_medium: `ar100` of medium objects.
        ar_large: `ar100` of large objects.
        per_class: Average precision by class name.
    """

    ap: float
    ap50: float
    ap75: float
    ap_small: float
    ap_medium: float
    ap_large: float
    ar1: float
    ar10: float
    ar100: float
    ar_small: float
    ar_medium: float
    ar_large: float
    per_class: dict[str, ClassMetrics]

    def to_dict(self) -> dict[str, Any]:
        """Returns the metrics as plain values for JSON, with None for NaN."""
        per_class = {name: _replace_nan(each._asdict()) for name, each in self.per_class.items()}
        return {**_replace_nan({name: getattr(self, name) for name in _NAMES}), "per_class": per_class}


_NAMES = tuple(name for name in Metrics.__dataclass_fields__ if name != "per_class")  # in the order of COCO's summary


def evaluate(
    predictions: Sequence[Detections], truths: Iterable[GroundTruth | Sample], class_names: Sequence[str]
) -> Metrics:
    """Computes the COCO metrics with faster-coco-eval; they equal those of pycocotools.

    Detections with non-finite values, as a diverged network produces, are left out.

    Args:
        predictions: The detections of each image.
        truths: The ground truth of each image, in the same order.
        class_names: The distinct class names of labels 0 … K−1.

    Raises:
        ValueError: The numbers of images differ, or a label has no name.
    """
    return read_metrics(run_coco_evaluation(predictions, truths, class_names), class_names)


def run_coco_evaluation(
    predictions: Sequence[Detections], truths: Iterable[GroundTruth | Sample], class_names: Sequence[str]
) -> "COCOeval_faster":
    """Runs COCO's evaluation; arguments and errors are those of `evaluate`."""
    from faster_coco_eval import COCO, COCOeval_faster

    objects = [truth if isinstance(truth, GroundTruth) else GroundTruth.of(truth) for truth in truths]
    if len(predictions) != len(objects):
        raise ValueError(f"There are detections for {len(predictions)} pictures but objects for {len(objects)}.")
    finite = [drop_non_finite(detections) for detections in predictions]
    for labels in (*(each.labels for each in finite), *(each.labels for each in objects)):
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(class_names):
            raise ValueError(f"Label {int(labels.max())} has no name: there are {len(class_names)} class names.")
    truth = build_coco_dict(objects, class_names, iscrowd=[each.crowd for each in objects])
    detected = build_coco_dict(finite, class_names, score=[each.scores for each in finite])
    evaluation = COCOeval_faster(COCO(truth), COCO(detected), "bbox")
    evaluation.run()
    return evaluation


def read_metrics(evaluation: "COCOeval_faster", class_names: Sequence[str]) -> Metrics:
    """Reads the metrics of a finished evaluation."""
    values = {name: _to_nan(float(value)) for name, value in zip(_NAMES, evaluation.stats, strict=True)}
    return Metrics(**values, per_class=_read_class_metrics(evaluation, class_names))


def measure_classes(names: Sequence[str], metrics: Metrics) -> float:
    """Returns the mean AP of those of the named classes that have held-out objects; NaN if there are none."""
    found = [metrics.per_class[name].ap for name in names if name in metrics.per_class]
    measured = [ap for ap in found if not math.isnan(ap)]
    return fmean(measured) if measured else math.nan


def build_coco_results(
    predictions: Sequence[Detections], image_ids: Sequence[int], category_ids: Sequence[int]
) -> list[dict[str, Any]]:
    """Returns detections in the format of COCO's results file, with boxes as x, y, width, height.

    Args:
        predictions: The detections of each image; non-finite ones are left out.
        image_ids: The data set's id of each image.
        category_ids: The data set's category ids of labels 0 … K−1.
    """
    results = []
    for detections, image_id in zip(predictions, image_ids, strict=True):
        finite = drop_non_finite(detections)
        rows = zip(to_xywh(finite.boxes), finite.scores.tolist(), finite.labels.tolist(), strict=True)
        results += [
            {"image_id": image_id, "category_id": category_ids[label], "bbox": box, "score": score}
            for box, score, label in rows
        ]
    return results


def drop_non_finite(detections: Detections) -> Detections:
    """Returns the detections without those that have non-finite values, as a diverged network produces."""
    keep = detections.boxes.isfinite().all(dim=1) & detections.scores.isfinite()
    return Detections(*(part[keep] for part in detections))


def to_xywh(boxes: Tensor) -> list[list[float]]:
    """Converts boxes [N, 4] from xyxy to COCO's x, y, width, height, in double precision."""
    boxes = boxes.double()  # so that x + width restores the corner
    return torch.cat((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), dim=1).tolist()


def build_coco_dict(
    images: Sequence[GroundTruth | Detections], class_names: Sequence[str], **extra: Sequence[Tensor]
) -> dict[str, Any]:
    """Returns boxes and labels in the format of COCO's annotation file, with images and labels numbered from 0.

    Args:
        images: The ground truth or the detections of each image.
        class_names: The class names of labels 0 … K−1.
        extra: One additional value per box, by its name in the file: a tensor per image.
    """
    ((key, values),) = extra.items()
    number = itertools.count(1)  # from 1, because the evaluation treats a match with id 0 as none
    return {
        "images": [{"id": image_id} for image_id in range(len(images))],
        "categories": [{"id": label, "name": name} for label, name in enumerate(class_names)],
        "annotations": [
            {
                "id": next(number),
                "image_id": image_id,
                "category_id": label,
                "bbox": box,
                "area": box[2] * box[3],
                key: value,
            }
            for image_id, each in enumerate(images)
            for label, box, value in zip(
                each.labels.tolist(), to_xywh(each.boxes), values[image_id].tolist(), strict=True
            )
        ],
    }


def _read_class_metrics(evaluation: "COCOeval_faster", class_names: Sequence[str]) -> dict[str, ClassMetrics]:
    precision = evaluation.eval["precision"][..., 0, -1]  # [T, R, K], all sizes, 100 detections; −1 without objects
    return {
        name: ClassMetrics(ap=_to_nan(float(precision[..., k].mean())), ap50=_to_nan(float(precision[0, :, k].mean())))
        for k, name in enumerate(class_names)
    }


def _to_nan(value: float) -> float:
    return math.nan if value == -1 else value


def _replace_nan(values: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}
