"""The confusion matrix of a detector at one score and one IoU threshold, with background as a class."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from core.evaluation.detection_matching import BELOW_ONE, NONE, ImageOverlaps, find_last_max, match_image


class ConfusionCase(NamedTuple):
    """A detection, a missed object, or a detection with its object, in one cell of the matrix.

    Attributes:
        true_label: Label of the object; K for background.
        predicted_label: Label of the detection; K for background.
        image: Index of the image.
        detection: Index in the image's `Detections`; −1 for a missed object.
        object: Index in the image's objects; −1 for a detection on background.
    """

    true_label: int
    predicted_label: int
    image: int
    detection: int
    object: int


class Confusion(NamedTuple):
    """A confusion matrix and its cases.

    Attributes:
        counts: int64 [K + 1, K + 1]: true labels by predicted labels; the last row and column are background.
        cases: The counted cases, image by image.
    """

    counts: np.ndarray
    cases: tuple[ConfusionCase, ...]

    def images_by_cell(self) -> dict[tuple[int, int], list[int]]:
        """Returns the sorted indices of the images with cases in a cell, by (row, column)."""
        cells: dict[tuple[int, int], set[int]] = defaultdict(set)
        for case in self.cases:
            cells[case.true_label, case.predicted_label].add(case.image)
        return {cell: sorted(images) for cell, images in cells.items()}

    def to_dict(self, names: Sequence[str]) -> dict[str, Any]:
        """Returns the matrix as plain values for JSON, with the images of each cell that is not empty.

        Args:
            names: The names of the classes, that of background last.
        """
        cells = [
            {
                "actual": names[row],
                "found": names[column],
                "count": int(self.counts[row, column]),
                "pictures": images,
            }
            for (row, column), images in sorted(self.images_by_cell().items())
        ]
        return {"names": [*names], "counts": self.counts.tolist(), "cells": cells}


def compute_confusion(images: Sequence[ImageOverlaps], num_classes: int, *, score: float, iou: float) -> Confusion:
    """Computes the confusion matrix of the detections with at least the given score.

    Detections are first matched with objects of their class as COCO does, so the diagonal counts the true positives of
    the precision–recall curve. Each remaining detection, best first, takes the unmatched object of another class that
    it overlaps most. Detections without an object, duplicates included, count as background. Detections on a crowd
    region are not counted.

    Args:
        images: The overlaps of each image.
        num_classes: Number of classes, K.
        score: Minimum score of the detections.
        iou: Minimum IoU of a detection and its object.
    """
    cases = tuple(
        case
        for number, image in enumerate(images)
        for case in _find_cases(_drop_below(image, score), number, num_classes, iou)
    )
    counts = np.zeros((num_classes + 1, num_classes + 1), dtype=np.int64)
    for case in cases:
        counts[case.true_label, case.predicted_label] += 1
    return Confusion(counts, cases)


def _drop_below(image: ImageOverlaps, score: float) -> ImageOverlaps:
    keep = image.score >= score
    return image._replace(
        detection=image.detection[keep], label=image.label[keep], score=image.score[keep], iou=image.iou[keep]
    )


def _find_cases(image: ImageOverlaps, number: int, background: int, iou: float) -> list[ConfusionCase]:
    object_of, ignored = match_image(image, iou)
    free = ~image.crowd
    free[object_of[object_of != NONE]] = False
    cases = []
    for row in np.flatnonzero(~ignored):
        matched = int(object_of[row])
        if matched == NONE:
            matched = find_last_max(np.where(free & (image.iou[row] >= min(iou, BELOW_ONE)), image.iou[row], -1.0))
            if matched != NONE:
                free[matched] = False
        true_label = background if matched == NONE else int(image.object_label[matched])
        cases.append(ConfusionCase(true_label, int(image.label[row]), number, int(image.detection[row]), matched))
    missed = [ConfusionCase(int(image.object_label[m]), background, number, NONE, int(m)) for m in np.flatnonzero(free)]
    return cases + missed
