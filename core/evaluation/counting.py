"""Average precision made one detection at a time: what each is counted as, and the curve up to there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.evaluation.detection_matching import NONE, ImageOverlaps, MatchedDetections, find_last_max, match_detections
from core.evaluation.precision_recall import PrecisionRecallCurve, compute_average_precision, compute_curve

# A duplicate is a false positive, too: an object of its class that it overlaps enough is already found.
RIGHT, WRONG, DUPLICATE, IGNORED = OUTCOMES = ("true positive", "false positive", "duplicate", "ignored")
COCO_IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))  # over which COCO averages


class Counted(NamedTuple):
    """A detection with its outcome for average precision.

    Attributes:
        image: Index of the image.
        detection: Index in the image's `Detections`.
        label: Its class.
        score: Its score.
        outcome: One of `OUTCOMES`; `IGNORED` if it is matched with a crowd region, so that it does not count.
        object: Index of the object that explains the outcome: the one it found; of a duplicate, the one of its class
            that it overlaps most; of a false positive, the one of any class that it overlaps most. −1 for none.
        iou: IoU with that object, 0 for none; of a crowd region the share of the detection that lies in it.
    """

    image: int
    detection: int
    label: int
    score: float
    outcome: str
    object: int
    iou: float


class Tally(NamedTuple):
    """Precision, recall and area after a number of detections, without ignored ones.

    Attributes:
        right: True positives.
        wrong: False positives, duplicates included.
        duplicates: False positives that found an object again.
        precision: Share of the counted detections that is right; NaN before the first.
        recall: Share of the objects that is found; NaN without objects.
    """

    right: int
    wrong: int
    duplicates: int
    precision: float
    recall: float


class Counting(NamedTuple):
    """Detections in the order in which average precision counts them, the highest score first.

    Attributes:
        detections: The detections.
        positives: Number of objects, without crowd regions.
    """

    detections: tuple[Counted, ...]
    positives: int

    def curve(self, count: int) -> PrecisionRecallCurve:
        """Returns the precision–recall curve of the first `count` detections, with a point for each that counts."""
        counted = [each for each in self.detections[:count] if each.outcome != IGNORED]
        score = np.array([each.score for each in counted], dtype=np.float64)
        return compute_curve(score, np.array([each.outcome == RIGHT for each in counted], dtype=bool), self.positives)

    def tally(self, count: int) -> Tally:
        """Returns what the first `count` detections yield."""
        outcomes = [each.outcome for each in self.detections[:count]]
        right, duplicates = outcomes.count(RIGHT), outcomes.count(DUPLICATE)
        wrong = outcomes.count(WRONG) + duplicates
        nan = float("nan")
        return Tally(
            right=right,
            wrong=wrong,
            duplicates=duplicates,
            precision=right / (right + wrong) if right + wrong else nan,
            recall=right / self.positives if self.positives else nan,
        )

    def average_precision(self, count: int) -> float:
        """Returns the area under the curve of the first `count` detections as COCO measures it; NaN without objects."""
        return compute_average_precision(self.curve(count), self.positives)


def count_detections(
    images: Sequence[ImageOverlaps], num_classes: int, iou_threshold: float, label: int | None = None
) -> Counting:
    """Returns the detections in the order in which average precision counts them.

    Args:
        images: The overlaps of each image.
        num_classes: Number of classes, K.
        iou_threshold: Minimum IoU of a detection and the object that it finds.
        label: The class to count, as COCO does for each class in turn; None for all classes in one list, where each
            detection is still matched with objects of its own class only.
    """
    matches = match_detections(images, iou_threshold, num_classes)
    rows = np.arange(len(matches.score)) if label is None else np.flatnonzero(matches.label == label)
    rows = rows[np.argsort(-matches.score[rows], kind="stable")]
    starts = np.searchsorted(matches.image, np.arange(len(images)))  # row of each image's first detection
    counted = tuple(
        _describe(images[matches.image[row]], row - starts[matches.image[row]], matches, row, iou_threshold)
        for row in rows.tolist()
    )
    positives = matches.positives.sum() if label is None else matches.positives[label]
    return Counting(counted, int(positives))


def average_over_classes(images: Sequence[ImageOverlaps], num_classes: int, iou_threshold: float) -> float:
    """Returns the mean average precision of the classes that have objects; NaN without objects."""
    values = []
    matches = match_detections(images, iou_threshold, num_classes)
    for label in np.flatnonzero(matches.positives):
        selected = matches.counted & (matches.label == label)
        positives = int(matches.positives[label])
        curve = compute_curve(matches.score[selected], matches.hit[selected], positives)
        values.append(compute_average_precision(curve, positives))
    return float(np.mean(values)) if values else float("nan")


def average_over_ious(images: Sequence[ImageOverlaps], num_classes: int) -> float:
    """Returns COCO's AP: the mean of `average_over_classes` over IoU 0.50:0.05:0.95; NaN without objects."""
    return float(np.mean([average_over_classes(images, num_classes, iou) for iou in COCO_IOUS]))


def _describe(image: ImageOverlaps, index: int, matches: MatchedDetections, row: int, threshold: float) -> Counted:
    """Returns a detection with its outcome.

    Args:
        image: The overlaps of its image.
        index: Its index among the detections there.
        matches: The matches of all images.
        row: Its row among them.
        threshold: Minimum IoU of a detection and the object that it finds.
    """
    object_of, overlaps = int(matches.object[row]), np.where(image.crowd, -1.0, image.iou[index])
    outcome = IGNORED if matches.ignored[row] else RIGHT
    if object_of == NONE:
        object_of = find_last_max(np.where(image.object_label == image.label[index], overlaps, -1.0))
        outcome = DUPLICATE if object_of != NONE and overlaps[object_of] >= threshold else WRONG
    if outcome == WRONG:
        object_of = find_last_max(np.where(overlaps > 0, overlaps, -1.0))
    iou = float(image.iou[index, object_of]) if object_of != NONE else 0.0
    label, score, number = int(matches.label[row]), float(matches.score[row]), int(matches.image[row])
    return Counted(number, int(matches.detection[row]), label, score, outcome, object_of, iou)
