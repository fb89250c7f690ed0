"""Calibration of scores: of detections scored 0.8, four in five should be right (Guo et al. 2017)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

BINS = 10


@dataclass(frozen=True)
class Bin:
    """The detections with `low` < score ≤ `high`; a score of 0 is in the first bin.

    Attributes:
        low: Lower bound.
        high: Upper bound.
        count: Number of detections.
        score: Their mean score; NaN without any.
        precision: Share of them that is right; NaN without any.
    """

    low: float
    high: float
    count: int
    score: float
    precision: float


class Calibration(NamedTuple):
    """The reliability of scores.

    Attributes:
        bins: `BINS` bins of equal width from 0 to 1.
        error: Expected calibration error: the mean difference of score and precision over the bins, weighted by their
            counts; NaN without detections.
    """

    bins: tuple[Bin, ...]
    error: float


def calibrate(score: np.ndarray, hit: np.ndarray) -> Calibration:
    """Compares scores with the precision of the detections that have them.

    Args:
        score: [D], 0 … 1.
        hit: bool [D], True for true positives.
    """
    index = np.clip(np.ceil(score * BINS).astype(np.int64) - 1, 0, BINS - 1)
    bins = tuple(_build_bin(number, score[index == number], hit[index == number]) for number in range(BINS))
    if not len(score):
        return Calibration(bins, float("nan"))
    gaps = sum(each.count * abs(each.score - each.precision) for each in bins if each.count)
    return Calibration(bins, gaps / len(score))


def _build_bin(number: int, score: np.ndarray, hit: np.ndarray) -> Bin:
    mean, precision = (float(score.mean()), float(hit.mean())) if len(score) else (float("nan"), float("nan"))
    return Bin(number / BINS, (number + 1) / BINS, len(score), mean, precision)
