"""Whether scores mean what they say: of detections scored 0.8, four in five should be right (Guo et al. 2017)."""

from typing import NamedTuple

import numpy as np

BINS = 10


class Bin(NamedTuple):
    """Detections whose score is above `low` and at most `high`; a score of 0 is in the first bin.

    Attributes:
        low: Lower end.
        high: Upper end.
        count: Detections in it.
        score: Their mean score, nan without any.
        precision: Share of them that is right, nan without any.
    """

    low: float
    high: float
    count: int
    score: float
    precision: float


class Calibration(NamedTuple):
    """Reliability of scores.

    Attributes:
        bins: `BINS` of equal width from 0 to 1.
        error: Expected calibration error: mean distance of score and precision over the bins, weighted by their
            counts; nan without detections.
    """

    bins: tuple[Bin, ...]
    error: float


def calibrate(score: np.ndarray, hit: np.ndarray) -> Calibration:
    """Compares scores with how often they are right.

    Args:
        score: [D], 0 … 1.
        hit: bool [D], whether the detection found an object.
    """
    place = np.clip(np.ceil(score * BINS).astype(np.int64) - 1, 0, BINS - 1)
    bins = tuple(_bin(number, score[place == number], hit[place == number]) for number in range(BINS))
    if not len(score):
        return Calibration(bins, float("nan"))
    gaps = sum(each.count * abs(each.score - each.precision) for each in bins if each.count)
    return Calibration(bins, gaps / len(score))


def _bin(number: int, score: np.ndarray, hit: np.ndarray) -> Bin:
    means = (float(score.mean()), float(hit.mean())) if len(score) else (float("nan"),) * 2
    return Bin(number / BINS, (number + 1) / BINS, len(score), *means)
