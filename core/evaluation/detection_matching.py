"""COCO's matching of detections with objects, kept per box so that every metric can be traced to its boxes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.evaluation.coco_metrics import to_xywh
from core.structures import Detections, GroundTruth

MAX_DETECTIONS = 100  # counted per image and class, as in COCO
NONE = -1
BELOW_ONE = 1 - 1e-10  # COCO's upper bound of the threshold, so that rounding does not exclude a perfect box


class ImageOverlaps(NamedTuple):
    """One image's detections, best first, and their overlaps with its objects.

    Attributes:
        detection: int64 [D], index in the image's `Detections`; non-finite detections and all but the best
            `MAX_DETECTIONS` of each class are left out.
        label: int64 [D].
        score: float64 [D], descending.
        object_label: int64 [M].
        crowd: bool [M].
        iou: float64 [D, M]; for a crowd region the share of the detection that lies in it, as in COCO.
    """

    detection: np.ndarray
    label: np.ndarray
    score: np.ndarray
    object_label: np.ndarray
    crowd: np.ndarray
    iou: np.ndarray


class MatchedDetections(NamedTuple):
    """All detections with the objects they are matched with, image by image, best first.

    Attributes:
        image: int64 [D], index of the image.
        detection: int64 [D], index in the image's `Detections`.
        label: int64 [D].
        score: float64 [D].
        object: int64 [D], index of the matched object in its image, −1 for none.
        ignored: bool [D], True if matched with a crowd region, so that it is not counted.
        positives: int64 [K], number of objects of each class, without crowd regions.
    """

    image: np.ndarray
    detection: np.ndarray
    label: np.ndarray
    score: np.ndarray
    object: np.ndarray
    ignored: np.ndarray
    positives: np.ndarray

    @property
    def hit(self) -> np.ndarray:
        """bool [D], True for detections that found an object (true positives)."""
        return (self.object != NONE) & ~self.ignored

    @property
    def counted(self) -> np.ndarray:
        """bool [D], True for true and false positives."""
        return ~self.ignored


def compute_overlaps(
    predictions: Sequence[Detections], truths: Sequence[GroundTruth], most: int = MAX_DETECTIONS
) -> list[ImageOverlaps]:
    """Computes the overlaps of each image's detections with its objects, in the order of the images.

    Args:
        predictions: The detections in each image.
        truths: Its objects.
        most: How many detections of each class of an image count.
    """
    return [_compute_image_overlaps(found, truth, most) for found, truth in zip(predictions, truths, strict=True)]


def match_detections(images: Sequence[ImageOverlaps], iou_threshold: float, num_classes: int) -> MatchedDetections:
    """Matches the detections of every image with objects of their class (`match_image`)."""
    matches = [match_image(image, iou_threshold) for image in images]
    numbers = [np.full(len(image.label), number) for number, image in enumerate(images)]
    labels = [image.object_label[~image.crowd] for image in images]
    return MatchedDetections(
        image=_concatenate(numbers, np.int64),
        detection=_concatenate([image.detection for image in images], np.int64),
        label=_concatenate([image.label for image in images], np.int64),
        score=_concatenate([image.score for image in images], np.float64),
        object=_concatenate([matched for matched, _ in matches], np.int64),
        ignored=_concatenate([ignored for _, ignored in matches], bool),
        positives=np.bincount(_concatenate(labels, np.int64), minlength=num_classes),
    )


def match_image(image: ImageOverlaps, iou_threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Matches one image's detections with objects of their class as COCO does.

    In the order of their scores, each detection takes the unmatched object that it overlaps most, the last one of a
    tie, if their IoU reaches the threshold. A detection without an object can match a crowd region, which is shared by
    any number of detections.

    Returns:
        The object of each detection, int64 [D], −1 for none; and True if that is a crowd region, bool [D].
    """
    object_of = np.full(len(image.label), NONE)
    ignored = np.zeros(len(image.label), dtype=bool)
    same = image.label[:, None] == image.object_label[None, :]
    near = np.where(same & (image.iou >= min(iou_threshold, BELOW_ONE)), image.iou, -1.0)  # [D, M]
    free = ~image.crowd
    for row in np.flatnonzero((near >= 0).any(axis=1)):
        for candidates, crowd in ((free, False), (image.crowd, True)):
            best = find_last_max(np.where(candidates, near[row], -1.0))
            if best != NONE:
                object_of[row], ignored[row] = best, crowd
                free[best] = False
                break
    return object_of, ignored


def find_last_max(values: np.ndarray) -> int:
    """Returns the index of the highest non-negative value, the last one of a tie; −1 for none."""
    if not len(values) or values.max() < 0:
        return NONE
    return len(values) - 1 - int(values[::-1].argmax())


def _compute_image_overlaps(detections: Detections, truth: GroundTruth, most: int) -> ImageOverlaps:
    from faster_coco_eval import mask  # imported by the first evaluation

    finite = (detections.boxes.isfinite().all(dim=1) & detections.scores.isfinite()).nonzero().squeeze(1).numpy()
    order = finite[np.argsort(-detections.scores.double().numpy()[finite], kind="stable")]
    label = detections.labels.numpy()[order]
    order = order[_compute_class_rank(label) < most]
    crowd = truth.crowd.tolist()
    iou = mask.iou(to_xywh(detections.boxes[order]), to_xywh(truth.boxes), crowd) if len(order) and crowd else []
    return ImageOverlaps(
        detection=order,
        label=detections.labels.numpy()[order],
        score=detections.scores.double().numpy()[order],
        object_label=truth.labels.numpy(),
        crowd=np.array(crowd, dtype=bool),
        iou=np.asarray(iou, dtype=np.float64).reshape(len(order), len(crowd)),
    )


def _compute_class_rank(label: np.ndarray) -> np.ndarray:
    """Returns the number of preceding detections of the same class, int64 [D]."""
    rank = np.zeros(len(label), dtype=np.int64)
    for value in np.unique(label):
        same = label == value
        rank[same] = np.arange(same.sum())
    return rank


def _concatenate(parts: Sequence[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, kind)
