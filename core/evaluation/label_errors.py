"""Objects that are probably missing, misplaced or of the wrong class in the ground truth, likeliest first.

The three scores are those of ObjectLab (Tkachenko, Thyagarajan and Mueller 2023: overlooked, badly located, swapped),
except where `benchmarks/label_errors.py`, which plants errors, has measured something else to be better here. The paper
trusts a detection from a score of 0.95 on, of which the focal loss, unlike a softmax, yields few. And it suspects an
object that the detector has merely missed to be misplaced if there is another of its class anywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from core.evaluation.detection_matching import NONE, ImageOverlaps
from core.structures import Detections, GroundTruth

MISSING, MISPLACED, WRONG_CLASS = LABEL_ERRORS = ("missing", "misplaced", "wrong class")
MIN_SCORES = MappingProxyType({MISSING: 0.7, WRONG_CLASS: 0.5, MISPLACED: 0.3})  # of the detections that tell of them
SHARE_OF_IOU = 0.9  # the paper's α
PER_PIXEL = 0.1  # by which the exponent of the nearness falls with the distance of the centres
MOST_QUALITY = 0.5  # above which a label is not suspected: that of a box whose IoU with the best detection is about 0.5
LEAST_IOU = 0.1  # of a misplaced object with the detection at its place
MOST_LISTED = 1000  # in JSON
IN_CROWD = 0.5  # share of a detection in a crowd region from which on it is not missing


class LabelError(NamedTuple):
    """A suspected error of the ground truth.

    Attributes:
        kind: One of `LABEL_ERRORS`.
        quality: ObjectLab's score of the label, 0 … 1: the lower, the likelier it is wrong.
        image: Index of the image.
        detection: Index in the image's `Detections` of the one that contradicts the ground truth.
        object: Index of the object in its image; −1 for a missing one.
        score: The score of that detection.
        label: Its class: what the object should be.
        box: Its box, xyxy pixels: where the object should be.
    """

    kind: str
    quality: float
    image: int
    detection: int
    object: int
    score: float
    label: int
    box: tuple[float, float, float, float]


class _Image(NamedTuple):
    """The detections of an image that can contradict its ground truth, best first, and its objects without crowds.

    Attributes:
        detection: int64 [D], index in the image's `Detections`.
        label: int64 [D].
        score: float64 [D].
        box: float64 [D, 4].
        object: int64 [M], index in the image's `GroundTruth`.
        object_label: int64 [M].
        iou: float64 [D, M].
        similarity: float64 [D, M].
        in_crowd: bool [D], True for detections in a crowd region.
    """

    detection: np.ndarray
    label: np.ndarray
    score: np.ndarray
    box: np.ndarray
    object: np.ndarray
    object_label: np.ndarray
    iou: np.ndarray
    similarity: np.ndarray
    in_crowd: np.ndarray


def find_label_errors(
    predictions: Sequence[Detections], truths: Sequence[GroundTruth], overlaps: Sequence[ImageOverlaps]
) -> tuple[LabelError, ...]:
    """Returns the suspected errors of the ground truth, the likeliest first; equal ones by the detection's score.

    Arguments are those of `rate_labels`.
    """
    suspected = [each for each in rate_labels(predictions, truths, overlaps) if each.quality < MOST_QUALITY]
    return tuple(sorted(suspected, key=lambda each: (each.quality, -each.score, each.image)))


def list_label_errors(errors: Sequence[LabelError], names: Sequence[str]) -> dict[str, Any]:
    """Returns the number of suspected errors and the likeliest ones as plain values for JSON.

    Args:
        errors: The errors, the likeliest first.
        names: The names of the classes.
    """
    listed = [
        {
            "kind": each.kind,
            "quality": each.quality,
            "picture": each.image,
            "object": None if each.object == NONE else each.object,
            "found": {"class": names[each.label], "box": list(each.box), "score": each.score},
        }
        for each in errors[:MOST_LISTED]
    ]
    return {"count": len(errors), "likeliest": listed}


def rate_labels(
    predictions: Sequence[Detections],
    truths: Sequence[GroundTruth],
    overlaps: Sequence[ImageOverlaps],
    min_scores: Mapping[str, float] = MIN_SCORES,
) -> Iterator[LabelError]:
    """Yields whatever a detection contradicts, however little: objects, and detections as objects that are missing.

    A place is listed once: an object of a wrong class is not misplaced too, and the detection that contradicts an
    object does not tell of a missing one. A class is not doubted that a surer detection confirms. Crowd regions are not
    judged, and nothing is missing in them.

    Args:
        predictions: The detections of each image.
        truths: The ground truth of each image, in the same order.
        overlaps: The overlaps of both, see `compute_overlaps`.
        min_scores: Minimum score of the detections that tell of each kind.
    """
    for number, (found, truth, overlap) in enumerate(zip(predictions, truths, overlaps, strict=True)):
        yield from _judge(number, _compare(found, truth, overlap, min(min_scores.values())), min_scores)


def _compare(found: Detections, truth: GroundTruth, overlaps: ImageOverlaps, minimum: float) -> _Image:
    """Returns the detections from a minimum score on and the similarity of each to each object."""
    kept = np.flatnonzero(overlaps.score >= minimum)
    objects = np.flatnonzero(~overlaps.crowd)
    detection = overlaps.detection[kept]
    boxes, others = found.boxes.double().numpy()[detection], truth.boxes.double().numpy()[objects]
    distance = np.linalg.norm(_compute_centres(boxes)[:, None] - _compute_centres(others)[None, :], axis=2)  # [D, M]
    nearness, iou = np.exp(-PER_PIXEL * distance), overlaps.iou[kept][:, objects]
    return _Image(
        detection=detection,
        label=overlaps.label[kept],
        score=overlaps.score[kept],
        box=boxes,
        object=objects,
        object_label=overlaps.object_label[objects],
        iou=iou,
        similarity=SHARE_OF_IOU * iou + (1 - SHARE_OF_IOU) * nearness,
        in_crowd=np.any(overlaps.iou[kept][:, overlaps.crowd] >= IN_CROWD, axis=1),
    )


def _compute_centres(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _judge(number: int, image: _Image, min_scores: Mapping[str, float]) -> Iterator[LabelError]:
    """Yields each object of an image once, then the sure detections that contradict none of them."""
    swapped, by_other = _judge_classes(image, min_scores[WRONG_CLASS])
    placed, by_same = _judge_places(image, min_scores[MISPLACED])
    score = np.append(image.score, 0.0)  # that of no detection
    confirmed = np.where(placed >= MOST_QUALITY, score[by_same], 0.0)
    is_swapped = (swapped < MOST_QUALITY) & (score[by_other] > confirmed)
    contradicting = set()
    for row, index in enumerate(image.object.tolist()):
        kind, quality, at = (
            (WRONG_CLASS, swapped[row], by_other[row]) if is_swapped[row] else (MISPLACED, placed[row], by_same[row])
        )
        if at != NONE:
            yield _describe(kind, float(quality), number, image, int(at), index)
        if quality < MOST_QUALITY:
            contradicting.add(int(at))
    overlooked = _judge_detections(image)
    for row in np.flatnonzero((image.score >= min_scores[MISSING]) & ~image.in_crowd).tolist():
        if row not in contradicting:
            yield _describe(MISSING, float(overlooked[row]), number, image, row, NONE)


def _describe(kind: str, quality: float, number: int, image: _Image, row: int, index: int) -> LabelError:
    """Returns the suspected error of an object of image `number` for the detection in a row of `image`."""
    x1, y1, x2, y2 = image.box[row].tolist()
    score, label = float(image.score[row]), int(image.label[row])
    return LabelError(kind, quality, number, int(image.detection[row]), index, score, label, (x1, y1, x2, y2))


def _judge_detections(image: _Image) -> np.ndarray:
    """Returns the overlooked score of each detection: its similarity to the nearest object of its class, [D].

    It is 0 without such an object. The paper has a positive number below any similarity there, which falls with the
    detection's score: the same order, since equal qualities are sorted by the score.
    """
    same = image.label[:, None] == image.object_label[None, :]
    return np.maximum(_find_best(np.where(same, image.similarity, -1.0))[0], 0.0)


def _judge_places(image: _Image, min_score: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the badly located score of each object and the detection that it is of: [M]; 1 and −1 for none.

    The paper takes the most similar detection of its class, however far it is: an object that the detector has missed
    would be the most suspected one wherever there is another of its class. Here it has to overlap the object.
    """
    trusted = (image.label[:, None] == image.object_label[None, :]) & (image.score >= min_score)[:, None]
    nearest, at = _find_best(np.where(trusted & (image.iou >= LEAST_IOU), image.similarity, -1.0).T)
    return np.where(nearest < 0, 1.0, nearest), np.where(nearest < 0, NONE, at)


def _judge_classes(image: _Image, min_score: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the swapped score of each object, 1 without a detection of another class, and that detection: [M]."""
    trusted = (image.label[:, None] != image.object_label[None, :]) & (image.score >= min_score)[:, None]
    nearest, at = _find_best(np.where(trusted, image.similarity, -1.0).T)
    return np.where(nearest < 0, 1.0, 1 - nearest), np.where(nearest < 0, NONE, at)


def _find_best(similarity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the highest value of each row, −1 of an empty one, and the first place that has it: [D], [D]."""
    padded = np.column_stack([similarity, np.full(len(similarity), -1.0)])
    return padded.max(axis=1), padded.argmax(axis=1)
