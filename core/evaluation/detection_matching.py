"""Which detection found which object: COCO's matching, kept box by box so that every figure can be explained."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from faster_coco_eval import mask

from core.evaluation.coco_metrics import xywh
from core.structures import Detections, GroundTruth

MAX_DETECTIONS = 100  # of each class in a picture that count, COCO's
NONE = -1
BELOW_ONE = 1 - 1e-10  # COCO's upper bound on the threshold: rounding must not cost a perfect box its match


class Overlap(NamedTuple):
    """One picture's detections, best first, and how much they overlap its objects.

    Attributes:
        detection: int64 [D], index in the picture's `Detections`; what is not finite is left out, and of each class
            all but the best `MAX_DETECTIONS`.
        label: int64 [D].
        score: float64 [D], falling.
        object_label: int64 [M].
        crowd: bool [M].
        iou: float64 [D, M]; with a crowd the share of the detection that lies in it, as COCO has it.
    """

    detection: np.ndarray
    label: np.ndarray
    score: np.ndarray
    object_label: np.ndarray
    crowd: np.ndarray
    iou: np.ndarray


class Pairs(NamedTuple):
    """What became of all detections of all pictures, picture by picture, best first.

    Attributes:
        picture: int64 [D], which picture each is in.
        detection: int64 [D], index in the picture's `Detections`.
        label: int64 [D].
        score: float64 [D].
        object: int64 [D], index of the object it found in its picture, −1 for none.
        ignored: bool [D], on a crowd, so that it counts neither for nor against.
        positives: int64 [K], objects of each class that can be found; crowds are none.
    """

    picture: np.ndarray
    detection: np.ndarray
    label: np.ndarray
    score: np.ndarray
    object: np.ndarray
    ignored: np.ndarray
    positives: np.ndarray

    @property
    def hit(self) -> np.ndarray:
        """bool [D]: detections that found an object (true positives)."""
        return (self.object != NONE) & ~self.ignored

    @property
    def counted(self) -> np.ndarray:
        """bool [D]: detections that are right or wrong."""
        return ~self.ignored


def overlaps(predictions: Sequence[Detections], truths: Sequence[GroundTruth]) -> list[Overlap]:
    """Measures each picture's detections against its objects, by faster-coco-eval; the pictures in the same order."""
    return [_overlap(found, truth) for found, truth in zip(predictions, truths, strict=True)]


def pair(pictures: Sequence[Overlap], iou_threshold: float, num_classes: int) -> Pairs:
    """Matches the detections of every picture with objects of their class (`assign`)."""
    assigned = [assign(picture, iou_threshold) for picture in pictures]
    numbers = [np.full(len(picture.label), number) for number, picture in enumerate(pictures)]
    real = [picture.object_label[~picture.crowd] for picture in pictures]
    return Pairs(
        picture=_joined(numbers, np.int64),
        detection=_joined([picture.detection for picture in pictures], np.int64),
        label=_joined([picture.label for picture in pictures], np.int64),
        score=_joined([picture.score for picture in pictures], np.float64),
        object=_joined([matched for matched, _ in assigned], np.int64),
        ignored=_joined([ignored for _, ignored in assigned], bool),
        positives=np.bincount(_joined(real, np.int64), minlength=num_classes),
    )


def assign(picture: Overlap, iou_threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Matches detections with objects of their class as COCO does.

    Best first, each detection takes the free object that it overlaps most (the later at a tie) if that is at least the
    threshold; one that gets none may lie on a crowd, which any number may share.

    Returns:
        The object of each detection, int64 [D], −1 for none, and whether it is a crowd, bool [D].
    """
    object_of = np.full(len(picture.label), NONE)
    ignored = np.zeros(len(picture.label), dtype=bool)
    same = picture.label[:, None] == picture.object_label[None, :]
    near = np.where(same & (picture.iou >= min(iou_threshold, BELOW_ONE)), picture.iou, -1.0)  # [D, M]
    free = ~picture.crowd
    for row in np.flatnonzero((near >= 0).any(axis=1)):
        for candidates, crowd in ((free, False), (picture.crowd, True)):
            best = last_max(np.where(candidates, near[row], -1.0))
            if best != NONE:
                object_of[row], ignored[row] = best, crowd
                free[best] = False
                break
    return object_of, ignored


def last_max(values: np.ndarray) -> int:
    """Returns the index of the highest value that is not negative, the last one at a tie; −1 for none."""
    if not len(values) or values.max() < 0:
        return NONE
    return len(values) - 1 - int(values[::-1].argmax())


def _overlap(found: Detections, truth: GroundTruth) -> Overlap:
    finite = (found.boxes.isfinite().all(dim=1) & found.scores.isfinite()).nonzero().squeeze(1).numpy()
    order = finite[np.argsort(-found.scores.double().numpy()[finite], kind="stable")]
    label = found.labels.numpy()[order]
    order = order[_rank_in_class(label) < MAX_DETECTIONS]
    crowd = truth.crowd.tolist()
    iou = mask.iou(xywh(found.boxes[order]), xywh(truth.boxes), crowd) if len(order) and crowd else []
    return Overlap(
        detection=order,
        label=found.labels.numpy()[order],
        score=found.scores.double().numpy()[order],
        object_label=truth.labels.numpy(),
        crowd=np.array(crowd, dtype=bool),
        iou=np.asarray(iou, dtype=np.float64).reshape(len(order), len(crowd)),
    )


def _rank_in_class(label: np.ndarray) -> np.ndarray:
    """Returns how many of the same class come before each, int64 [D]."""
    rank = np.zeros(len(label), dtype=np.int64)
    for value in np.unique(label):
        here = label == value
        rank[here] = np.arange(here.sum())
    return rank


def _joined(parts: Sequence[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, kind)
