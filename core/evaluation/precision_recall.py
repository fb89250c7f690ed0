"""Precision and recall as the score threshold falls: the curve, its area (average precision), its best point (F1)."""

from typing import NamedTuple

import numpy as np

RECALLS = np.linspace(0, 1, 101)  # where COCO reads precision


class PrecisionRecallCurve(NamedTuple):
    """What one would have at each detection's score as the threshold, best first.

    Attributes:
        score: float64 [D], falling.
        precision: float64 [D], share of the detections so far that are right.
        recall: float64 [D], share of the objects found so far; nan without objects.
    """

    score: np.ndarray
    precision: np.ndarray
    recall: np.ndarray


class Threshold(NamedTuple):
    """A score threshold and what it gives: detections of at least this score are kept."""

    score: float
    precision: float
    recall: float
    f1: float


def make_curve(score: np.ndarray, hit: np.ndarray, positives: int) -> PrecisionRecallCurve:
    """Returns the curve of detections that are each right or wrong.

    Args:
        score: [D]; equal ones stay in their order, as in COCO's evaluation.
        hit: bool [D], whether the detection found an object.
        positives: Objects to be found.
    """
    order = np.argsort(-score, kind="stable")
    found = np.cumsum(hit[order], dtype=np.float64)
    recall = found / positives if positives else np.full(len(found), np.nan)
    return PrecisionRecallCurve(score[order], found / np.arange(1, len(found) + 1), recall)


def interpolated(curve: PrecisionRecallCurve) -> np.ndarray:
    """Returns the best precision at each recall of `RECALLS` or beyond, 0 where it is not reached: float64 [101]."""
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    return _read(envelope, curve)


def scores_at_recalls(curve: PrecisionRecallCurve) -> np.ndarray:
    """Returns the score at which each recall of `RECALLS` is reached, nan where it is not: float64 [101]."""
    return _read(curve.score, curve, beyond=np.nan)


def average_precision(curve: PrecisionRecallCurve, positives: int) -> float:
    """Returns the mean interpolated precision over `RECALLS`, as COCO does; nan without objects."""
    return float(interpolated(curve).mean()) if positives else float("nan")


def best_threshold(curve: PrecisionRecallCurve, positives: int) -> Threshold | None:
    """Returns the threshold of the highest F1, the highest score at a tie; None without detections or objects."""
    ends = np.flatnonzero(np.append(np.diff(curve.score) != 0, True)[: len(curve.score)])  # equal scores go together
    if not len(ends) or not positives:
        return None
    precision, recall = curve.precision[ends], curve.recall[ends]
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    best = int(f1.argmax())
    return Threshold(*(float(values[best]) for values in (curve.score[ends], precision, recall, f1)))


def _read(values: np.ndarray, curve: PrecisionRecallCurve, beyond: float = 0.0) -> np.ndarray:
    """Returns the value where each recall is first reached, [101]."""
    if not len(values) or np.isnan(curve.recall[0]):
        return np.full(len(RECALLS), beyond)
    index = np.searchsorted(curve.recall, RECALLS, side="left")
    return np.append(values, beyond)[index]
