"""What was taken for what, at one score and one IoU: the confusion matrix of a detector, with background."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.evaluation.detection_matching import BELOW_ONE, NONE, Overlap, assign, last_max


class ConfusionCase(NamedTuple):
    """One box or pair of boxes in a cell.

    Attributes:
        actual: Label of the object, K for background.
        found: Label of the detection, K for background.
        picture: Which picture it is in.
        detection: Index in the picture's `Detections`, −1 for a missed object.
        object: Index in the picture's objects, −1 for a detection on background.
    """

    actual: int
    found: int
    picture: int
    detection: int
    object: int


class Confusion(NamedTuple):
    """The matrix and what is in it.

    Attributes:
        counts: int64 [K + 1, K + 1]: rows what is there, columns what was found, the last of each background.
        cases: What is counted, picture by picture.
    """

    counts: np.ndarray
    cases: tuple[ConfusionCase, ...]

    def pictures(self) -> dict[tuple[int, int], list[int]]:
        """Returns by cell (row, column) the pictures that are counted in it, in order, each once."""
        cells: dict[tuple[int, int], set[int]] = defaultdict(set)
        for case in self.cases:
            cells[case.actual, case.found].add(case.picture)
        return {cell: sorted(pictures) for cell, pictures in cells.items()}


def confuse(pictures: Sequence[Overlap], num_classes: int, *, score: float, iou: float) -> Confusion:
    """Counts what detections of at least a score were taken for what.

    Detections are first matched within their class as COCO does, so the diagonal holds the true positives of the
    precision–recall curve. Those left take, best first, the free object of another class that they overlap most. What
    then is left is background, a second box on a found object too. Detections on a crowd count nowhere.
    """
    cases = tuple(
        case
        for number, picture in enumerate(pictures)
        for case in _cases(_from_score(picture, score), number, num_classes, iou)
    )
    counts = np.zeros((num_classes + 1, num_classes + 1), dtype=np.int64)
    for case in cases:
        counts[case.actual, case.found] += 1
    return Confusion(counts, cases)


def _from_score(picture: Overlap, score: float) -> Overlap:
    keep = picture.score >= score
    return picture._replace(**{name: getattr(picture, name)[keep] for name in ("detection", "label", "score", "iou")})


def _cases(picture: Overlap, number: int, background: int, iou: float) -> list[ConfusionCase]:
    object_of, ignored = assign(picture, iou)
    free = ~picture.crowd
    free[object_of[object_of != NONE]] = False
    cases = []
    for row in np.flatnonzero(~ignored):
        found = int(object_of[row])
        if found == NONE:
            found = last_max(np.where(free & (picture.iou[row] >= min(iou, BELOW_ONE)), picture.iou[row], -1.0))
            if found != NONE:
                free[found] = False
        actual = background if found == NONE else int(picture.object_label[found])
        cases.append(ConfusionCase(actual, int(picture.label[row]), number, int(picture.detection[row]), found))
    missed = [
        ConfusionCase(int(picture.object_label[m]), background, number, NONE, int(m)) for m in np.flatnonzero(free)
    ]
    return cases + missed
