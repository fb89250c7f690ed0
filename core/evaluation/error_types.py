"""The kinds of errors of a detector and their cost in AP (TIDE: Bolya et al. 2020, sections 2.2 and 2.3)."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from core.evaluation.detection_matching import NONE, ImageOverlaps, MatchedDetections, match_detections
from core.evaluation.precision_recall import compute_average_precision, compute_curve

FOREGROUND_IOU, BACKGROUND_IOU = 0.5, 0.1  # the paper's t_f and t_b
CLASS, LOCATION, BOTH, DUPLICATE, BACKGROUND, MISSED = KINDS = (
    "class", "location", "both", "duplicate", "background", "missed",
)  # fmt: skip


class ErrorCase(NamedTuple):
    """A false positive or a missed object.

    Attributes:
        kind: One of `KINDS`.
        image: Index of the image.
        detection: Index in the image's `Detections`; −1 for a missed object.
        object: Index of the object concerned in its image; −1 if there is none.
    """

    kind: str
    image: int
    detection: int
    object: int


class ErrorTypes(NamedTuple):
    """The errors of a detector and their cost.

    Attributes:
        ap50: Average precision at IoU 0.5, mean over the classes with objects; NaN without objects.
        errors: All errors, image by image.
        cost: By kind, the increase of `ap50` if only errors of this kind are fixed; NaN without objects.
    """

    ap50: float
    errors: tuple[ErrorCase, ...]
    cost: dict[str, float]

    def select(self, kind: str) -> list[ErrorCase]:
        """Returns the errors of a kind."""
        return [error for error in self.errors if error.kind == kind]

    def to_dict(self) -> dict[str, Any]:
        """Returns the number and the cost of each kind as plain values for JSON, with the images that have it."""
        kinds = {}
        for kind in KINDS:
            errors = self.select(kind)
            images = sorted({error.image for error in errors})
            kinds[kind] = {"count": len(errors), "delta_ap50": _nan_to_none(self.cost[kind]), "pictures": images}
        return {"ap50": _nan_to_none(self.ap50), "kinds": kinds}


def _nan_to_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def analyse_errors(images: Sequence[ImageOverlaps], num_classes: int) -> ErrorTypes:
    """Assigns every false positive and every missed object a kind of error, and fixes one kind at a time.

    A false positive that fits several kinds gets the first of location, class, duplicate, background and both, as in
    the paper's code. A location or class error is fixed by correcting the detection, unless its object is already
    detected or claimed by a better detection with the same kind of error; then it is suppressed. Both, duplicate and
    background errors are suppressed. A missed object is fixed by not counting it. A class without remaining objects has
    AP 1, or 0 if there are detections of it.

    Args:
        images: The overlaps of each image.
        num_classes: Number of classes, K.
    """
    matches = match_detections(images, FOREGROUND_IOU, num_classes)
    false_positives, missed = collect_errors(images, matches)
    labels = [image.object_label for image in images]
    before = _compute_mean_ap(matches, matches.label, matches.hit, matches.counted, matches.positives)
    after = {
        kind: _compute_mean_ap(matches, *_fix(kind, matches, false_positives, labels), matches.positives)
        for kind in KINDS[:-1]
    }
    remaining = matches.positives.copy()
    for error in missed:
        remaining[labels[error.image][error.object]] -= 1
    after[MISSED] = _compute_mean_ap(matches, matches.label, matches.hit, matches.counted, remaining)
    errors = sorted([*false_positives.values(), *missed], key=lambda error: error.image)
    return ErrorTypes(before, tuple(errors), {kind: after[kind] - before for kind in KINDS})


def collect_errors(
    images: Sequence[ImageOverlaps], matches: MatchedDetections
) -> tuple[dict[int, ErrorCase], list[ErrorCase]]:
    """Returns the false positives by their row in `matches`, and the missed objects.

    The object of a class or location error does not count as missed, because fixing the error would detect it.
    """
    false_positives: dict[int, ErrorCase] = {}
    missed: list[ErrorCase] = []
    for number, image in enumerate(images):
        start, end = np.searchsorted(matches.image, [number, number + 1]).tolist()
        rows = slice(start, end)
        detected = np.zeros(len(image.crowd), dtype=bool)
        detected[matches.object[rows][matches.hit[rows]]] = True
        kinds = _classify(image, detected)
        fixable = set()
        for row in (np.flatnonzero(matches.object[rows] == NONE) + start).tolist():
            kind, concerned = kinds[row - start]
            false_positives[row] = ErrorCase(kind, number, int(matches.detection[row]), concerned)
            if kind in (CLASS, LOCATION):
                fixable.add(concerned)
        lost = set(np.flatnonzero(~detected & ~image.crowd).tolist()) - fixable
        missed += [ErrorCase(MISSED, number, NONE, each) for each in sorted(lost)]
    return false_positives, missed


def _classify(image: ImageOverlaps, detected: np.ndarray) -> list[tuple[str, int]]:
    """Returns the kind of error that each detection of an image would be, and the object concerned."""
    same = image.object_label[None, :] == image.label[:, None]
    iou = np.where(image.crowd, -1.0, image.iou)  # [D, M]
    same_iou, same_at = _find_best(np.where(same, iou, -1.0))
    other_iou, other_at = _find_best(np.where(same, -1.0, iou))
    detected_iou, detected_at = _find_best(np.where(same & detected, iou, -1.0))
    conditions = {
        LOCATION: ((same_iou >= BACKGROUND_IOU) & (same_iou < FOREGROUND_IOU), same_at),
        CLASS: (other_iou >= FOREGROUND_IOU, other_at),
        DUPLICATE: (detected_iou >= FOREGROUND_IOU, detected_at),
        BACKGROUND: (np.maximum(same_iou, other_iou) < BACKGROUND_IOU, np.full(len(same_iou), NONE)),
        BOTH: (np.ones(len(same_iou), dtype=bool), other_at),
    }
    first = np.argmax([condition for condition, _ in conditions.values()], axis=0)
    names, concerned = list(conditions), [at for _, at in conditions.values()]
    return [(names[kind], int(concerned[kind][row])) for row, kind in enumerate(first)]


def _find_best(iou: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns each detection's highest IoU, −1 without objects, and the first object that has it: [D], [D]."""
    padded = np.column_stack([iou, np.full(len(iou), -1.0)])
    return padded.max(axis=1), padded.argmax(axis=1)


def _fix(
    kind: str, matches: MatchedDetections, false_positives: dict[int, ErrorCase], object_labels: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns label, hit and counted of every detection after false positives of a kind are fixed."""
    label, hit, counted = matches.label.copy(), matches.hit.copy(), matches.counted.copy()
    claimed = set(zip(matches.image[matches.hit].tolist(), matches.object[matches.hit].tolist(), strict=True))
    for row, error in false_positives.items():  # best first within an image
        if error.kind != kind:
            continue
        target = (error.image, error.object)
        if kind in (CLASS, LOCATION) and target not in claimed:
            claimed.add(target)
            hit[row], label[row] = True, object_labels[error.image][error.object]
        else:
            counted[row] = False
    return label, hit, counted


def _compute_mean_ap(
    matches: MatchedDetections, label: np.ndarray, hit: np.ndarray, counted: np.ndarray, positives: np.ndarray
) -> float:
    """Returns the mean AP over the classes that have objects before any fix; NaN without objects."""
    classes = np.flatnonzero(matches.positives)
    values = [_compute_ap(matches.score, counted & (label == each), hit, int(positives[each])) for each in classes]
    return float(np.mean(values)) if values else float("nan")


def _compute_ap(score: np.ndarray, selected: np.ndarray, hit: np.ndarray, positives: int) -> float:
    if positives == 0:  # all objects were missed and are fixed
        return float(not selected.any())
    return compute_average_precision(compute_curve(score[selected], hit[selected], positives), positives)
