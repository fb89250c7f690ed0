"""What kinds of errors a detector makes and what each costs (TIDE: Bolya et al. 2020, sections 2.2 and 2.3)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.evaluation.detection_matching import NONE, Overlap, Pairs, pair
from core.evaluation.precision_recall import average_precision, make_curve

FOREGROUND_IOU, BACKGROUND_IOU = 0.5, 0.1  # the paper's t_f and t_b
CLASS, LOCATION, BOTH, DUPLICATE, BACKGROUND, MISSED = KINDS = (
    "class", "location", "both", "duplicate", "background", "missed",
)  # fmt: skip


class Error(NamedTuple):
    """One error.

    Attributes:
        kind: One of `KINDS`.
        picture: Which picture it is in.
        detection: Index in the picture's `Detections`, −1 for a missed object.
        object: Index of the object concerned in its picture, −1 where there is none.
    """

    kind: str
    picture: int
    detection: int
    object: int


class ErrorTypes(NamedTuple):
    """The errors and their price.

    Attributes:
        ap50: Average precision at IoU 0.5, mean over the classes that have objects; nan without any.
        errors: All of them, picture by picture.
        cost: By kind, how much `ap50` rises if errors of this kind alone are fixed; nan without objects.
    """

    ap50: float
    errors: tuple[Error, ...]
    cost: dict[str, float]

    def of(self, kind: str) -> list[Error]:
        """Returns the errors of a kind."""
        return [error for error in self.errors if error.kind == kind]


def explain_errors(pictures: Sequence[Overlap], num_classes: int) -> ErrorTypes:
    """Sorts every false positive and every missed object into one kind, and fixes one kind at a time.

    A false positive that fits several kinds is the first of location, class, duplicate, background and both, as in the
    paper's code. Fixed are a location or class by making the detection right, unless its object is found already or by
    a better detection with the same kind of error, which suppresses it; both, duplicate and background by suppressing
    the detection; missed by not counting the object. A class of which no object is left then has AP 1, or 0 if
    something is detected all the same.
    """
    pairs = pair(pictures, FOREGROUND_IOU, num_classes)
    wrong: dict[int, Error] = {}  # false positives by row of `pairs`
    missed: list[Error] = []
    for number, picture in enumerate(pictures):
        start, end = np.searchsorted(pairs.picture, [number, number + 1]).tolist()
        used = np.zeros(len(picture.crowd), dtype=bool)
        used[pairs.object[start:end][pairs.hit[start:end]]] = True
        kinds = _kinds(picture, used)
        for at in (np.flatnonzero(pairs.object[start:end] == NONE) + start).tolist():
            kind, about = kinds[at - start]
            wrong[at] = Error(kind, number, int(pairs.detection[at]), about)
        fixable = {wrong[at].object for at in range(start, end) if at in wrong and wrong[at].kind in (CLASS, LOCATION)}
        lost = set(np.flatnonzero(~used & ~picture.crowd).tolist()) - fixable
        missed += [Error(MISSED, number, NONE, each) for each in sorted(lost)]
    labels = [picture.object_label for picture in pictures]
    before = _mean_ap(pairs, pairs.label, pairs.hit, pairs.counted, pairs.positives)
    after = {kind: _mean_ap(pairs, *_fixed(kind, pairs, wrong, labels), pairs.positives) for kind in KINDS[:-1]}
    left = pairs.positives.copy()
    for error in missed:
        left[labels[error.picture][error.object]] -= 1
    after[MISSED] = _mean_ap(pairs, pairs.label, pairs.hit, pairs.counted, left)
    errors = sorted([*wrong.values(), *missed], key=lambda error: error.picture)
    return ErrorTypes(before, tuple(errors), {kind: after[kind] - before for kind in KINDS})


def _kinds(picture: Overlap, used: np.ndarray) -> list[tuple[str, int]]:
    """Returns what kind of error each detection of a picture is if it is one, and the object concerned."""
    same = picture.object_label[None, :] == picture.label[:, None]
    real = np.where(picture.crowd, -1.0, picture.iou)  # [D, M]
    own, own_at = _best(np.where(same, real, -1.0))
    other, other_at = _best(np.where(same, -1.0, real))
    taken, taken_at = _best(np.where(same & used, real, -1.0))
    conditions = {
        LOCATION: ((own >= BACKGROUND_IOU) & (own < FOREGROUND_IOU), own_at),
        CLASS: (other >= FOREGROUND_IOU, other_at),
        DUPLICATE: (taken >= FOREGROUND_IOU, taken_at),
        BACKGROUND: (np.maximum(own, other) < BACKGROUND_IOU, np.full(len(own), NONE)),
        BOTH: (np.ones(len(own), dtype=bool), other_at),
    }
    first = np.argmax([condition for condition, _ in conditions.values()], axis=0)
    names, about = list(conditions), [at for _, at in conditions.values()]
    return [(names[kind], int(about[kind][row])) for row, kind in enumerate(first)]


def _best(iou: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns each detection's highest value, −1 without objects, and the first object that has it: [D], [D]."""
    padded = np.column_stack([iou, np.full(len(iou), -1.0)])
    return padded.max(axis=1), padded.argmax(axis=1)


def _fixed(
    kind: str, pairs: Pairs, wrong: dict[int, Error], object_labels: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns label, hit and counted of every detection after false positives of a kind are fixed."""
    label, hit, counted = pairs.label.copy(), pairs.hit.copy(), pairs.counted.copy()
    claimed = set(zip(pairs.picture[pairs.hit].tolist(), pairs.object[pairs.hit].tolist(), strict=True))
    for at, error in wrong.items():  # best first within a picture
        if error.kind != kind:
            continue
        place = (error.picture, error.object)
        if kind in (CLASS, LOCATION) and place not in claimed:
            claimed.add(place)
            hit[at], label[at] = True, object_labels[error.picture][error.object]
        else:
            counted[at] = False
    return label, hit, counted


def _mean_ap(pairs: Pairs, label: np.ndarray, hit: np.ndarray, counted: np.ndarray, positives: np.ndarray) -> float:
    """Returns AP, mean over the classes that had objects to begin with; nan without any."""
    classes = np.flatnonzero(pairs.positives)
    figures = [_ap(pairs, counted & (label == each), hit, int(positives[each])) for each in classes]
    return float(np.mean(figures)) if figures else float("nan")


def _ap(pairs: Pairs, here: np.ndarray, hit: np.ndarray, positives: int) -> float:
    if positives == 0:  # the missed ones were all: nothing is left to find
        return float(not here.any())
    return average_precision(make_curve(pairs.score[here], hit[here], positives), positives)
