"""The precision–recall curve, its area (average precision), and its best threshold (F1)."""

from typing import NamedTuple

import numpy as np

RECALLS = np.linspace(0, 1, 101)  # the recall levels at which COCO samples precision


class PrecisionRecallCurve(NamedTuple):
    """Precision and recall at the threshold of each detection's score, best first.

    Attributes:
        score: float64 [D], descending.
        precision: float64 [D], share of the detections up to this one that are right.
        recall: float64 [D], share of the objects found up to this one; NaN without objects.
    """

    score: np.ndarray
    precision: np.ndarray
    recall: np.ndarray


class Threshold(NamedTuple):
    """A minimum score, with the precision, recall and F1 of the detections that reach it."""

    score: float
    precision: float
    recall: float
    f1: float


def compute_curve(score: np.ndarray, hit: np.ndarray, positives: int) -> PrecisionRecallCurve:
    """Computes the curve of detections that are each right or wrong.

    Args:
        score: [D]; equal scores keep their order, as in COCO's evaluation.
        hit: bool [D], True for true positives.
        positives: Number of objects.
    """
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(hit[order], dtype=np.float64)
    recall = hits / positives if positives else np.full(len(hits), np.nan)
    return PrecisionRecallCurve(score[order], hits / np.arange(1, len(hits) + 1), recall)


def interpolate_precision(curve: PrecisionRecallCurve) -> np.ndarray:
    """Returns the best precision at or beyond each recall of `RECALLS`, 0 if it is not reached: float64 [101]."""
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    return _sample(envelope, curve)


def read_scores(curve: PrecisionRecallCurve) -> np.ndarray:
    """Returns the score at which each recall of `RECALLS` is reached, NaN if it is not: float64 [101]."""
    return _sample(curve.score, curve, beyond=np.nan)


def compute_average_precision(curve: PrecisionRecallCurve, positives: int) -> float:
    """Returns the mean interpolated precision over `RECALLS`, as COCO does; NaN without objects."""
    return float(interpolate_precision(curve).mean()) if positives else float("nan")


def find_best_threshold(curve: PrecisionRecallCurve, positives: int) -> Threshold | None:
    """Returns the threshold with the highest F1, the highest score of a tie; None without detections or objects."""
    ends = np.flatnonzero(
        np.append(np.diff(curve.score) != 0, True)[: len(curve.score)]
    )  # a threshold cannot separate equal scores
    if not len(ends) or not positives:
        return None
    precision, recall = curve.precision[ends], curve.recall[ends]
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    best = int(f1.argmax())
    return Threshold(*(float(values[best]) for values in (curve.score[ends], precision, recall, f1)))


def _sample(values: np.ndarray, curve: PrecisionRecallCurve, beyond: float = 0.0) -> np.ndarray:
    """Samples values where each recall of `RECALLS` is first reached; `beyond` if it is not: [101]."""
    if not len(values) or np.isnan(curve.recall[0]):
        return np.full(len(RECALLS), beyond)
    index = np.searchsorted(curve.recall, RECALLS, side="left")
    return np.append(values, beyond)[index]
