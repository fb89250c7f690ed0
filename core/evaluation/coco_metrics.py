"""How good detections are: the twelve COCO figures, and average precision by class."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from faster_coco_eval import COCO, COCOeval_faster
from torch import Tensor

from core.structures import Detections, GroundTruth, Sample


class ClassMetrics(NamedTuple):
    """Average precision of one class, mean over IoU 0.50:0.95 and at IoU 0.5; nan without an object."""

    ap: float
    ap50: float


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The twelve COCO figures, 0 … 1; nan where there is no object to find.

    Small objects are below 32² pixels, large ones from 96²; COCO measures segments, this measures boxes.

    Attributes:
        ap: Average precision, mean over IoU 0.50:0.05:0.95 and classes.
        ap50: At IoU 0.5.
        ap75: At IoU 0.75.
        ap_small: `ap` of small objects.
        ap_medium: `ap` of medium objects.
        ap_large: `ap` of large objects.
        ar1: Recall, mean over IoU 0.50:0.05:0.95 and classes, with the best detection of each picture and class.
        ar10: With the best 10.
        ar100: With the best 100.
        ar_small: `ar100` of small objects.
        ar_medium: `ar100` of medium objects.
        ar_large: `ar100` of large objects.
        per_class: By class name.
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
        """Returns plain values for JSON, None for nan."""
        per_class = {name: _with_null(figures._asdict()) for name, figures in self.per_class.items()}
        return {**_with_null({name: getattr(self, name) for name in _FIGURES}), "per_class": per_class}


_FIGURES = tuple(name for name in Metrics.__dataclass_fields__ if name != "per_class")  # in the order of COCO's summary


def evaluate(
    predictions: Sequence[Detections], truths: Iterable[GroundTruth | Sample], class_names: Sequence[str]
) -> Metrics:
    """Compares detections with the objects, by faster-coco-eval; the figures are those of pycocotools.

    Detections that are not finite, as of a network that diverged, are left out.

    Args:
        predictions: What was found, a picture each.
        truths: The objects, in the same order.
        class_names: What label 0 … K−1 means, all different.

    Raises:
        ValueError: The numbers of pictures differ, or a label has no name.
    """
    return metrics_of(compare(predictions, truths, class_names), class_names)


def compare(
    predictions: Sequence[Detections], truths: Iterable[GroundTruth | Sample], class_names: Sequence[str]
) -> COCOeval_faster:
    """Runs COCO's evaluation; arguments and errors as `evaluate`."""
    truths = [GroundTruth.of(truth) for truth in truths]
    if len(predictions) != len(truths):
        raise ValueError(f"There are detections for {len(predictions)} pictures but objects for {len(truths)}.")
    found = [_finite(detections) for detections in predictions]
    for labels in (part.labels for part in (*found, *truths)):
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(class_names):
            raise ValueError(f"Label {int(labels.max())} has no name: there are {len(class_names)} class names.")
    objects = coco_dict(truths, class_names, iscrowd=[truth.crowd for truth in truths])
    detected = coco_dict(found, class_names, score=[detections.scores for detections in found])
    comparison = COCOeval_faster(COCO(objects), COCO(detected), "bbox")
    comparison.run()
    return comparison


def metrics_of(comparison: COCOeval_faster, class_names: Sequence[str]) -> Metrics:
    """Reads the figures of a finished evaluation."""
    figures = {name: _nan(float(value)) for name, value in zip(_FIGURES, comparison.stats, strict=True)}
    return Metrics(**figures, per_class=_per_class(comparison, class_names))


def results_json(
    predictions: Sequence[Detections], image_ids: Sequence[int], category_ids: Sequence[int]
) -> list[dict[str, Any]]:
    """Returns detections as COCO's results file holds them, boxes as x, y, width, height.

    Args:
        predictions: What was found, a picture each; what is not finite is left out.
        image_ids: The data set's number of each picture.
        category_ids: The data set's category of label 0 … K−1.
    """
    results = []
    for detections, image_id in zip(predictions, image_ids, strict=True):
        kept = _finite(detections)
        rows = zip(xywh(kept.boxes), kept.scores.tolist(), kept.labels.tolist(), strict=True)
        results += [
            {"image_id": image_id, "category_id": category_ids[label], "bbox": box, "score": score}
            for box, score, label in rows
        ]
    return results


def _finite(detections: Detections) -> Detections:
    keep = detections.boxes.isfinite().all(dim=1) & detections.scores.isfinite()
    return Detections(*(part[keep] for part in detections))


def xywh(boxes: Tensor) -> list[list[float]]:
    """Returns boxes [N, 4] from xyxy as COCO has them, corner, width and height, in double precision."""
    boxes = boxes.double()  # x + width gives the corner back
    return torch.cat((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), dim=1).tolist()


def coco_dict(
    pictures: Sequence[GroundTruth] | Sequence[Detections], class_names: Sequence[str], **extra: Sequence[Tensor]
) -> dict[str, Any]:
    """Returns boxes and labels as COCO's file of annotations holds them, pictures and labels numbered from 0.

    Args:
        pictures: Objects or detections of each.
        class_names: What label 0 … K−1 means.
        extra: One more value of each box, by the name it has in the file; a tensor for each picture.
    """
    ((key, values),) = extra.items()
    number = itertools.count(1)  # the evaluation takes a match with number 0 for none
    return {
        "images": [{"id": image_id} for image_id in range(len(pictures))],
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
            for image_id, each in enumerate(pictures)
            for label, box, value in zip(each.labels.tolist(), xywh(each.boxes), values[image_id].tolist(), strict=True)
        ],
    }


def _per_class(comparison: COCOeval_faster, class_names: Sequence[str]) -> dict[str, ClassMetrics]:
    precision = comparison.eval["precision"][..., 0, -1]  # T R K, at any size and 100 detections; −1 without objects
    return {
        name: ClassMetrics(ap=_nan(float(precision[..., k].mean())), ap50=_nan(float(precision[0, :, k].mean())))
        for k, name in enumerate(class_names)
    }


def _nan(value: float) -> float:
    return math.nan if value == -1 else value


def _with_null(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in figures.items()}
