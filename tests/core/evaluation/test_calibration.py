import math
from dataclasses import astuple

import numpy as np
import pytest

from core.evaluation.calibration import BINS, calibrate


def calibration(scores: list, hits: list):
    return calibrate(np.array(scores, dtype=float), np.array(hits, dtype=bool))


def test_by_hand():
    # One bin: mean score 0.85, half right: gap 0.35 of weight ½. The other: 0.25, none right: gap 0.25.
    result = calibration([0.88, 0.82, 0.22, 0.28], [1, 0, 0, 0])
    assert result.error == pytest.approx(0.5 * 0.35 + 0.5 * 0.25)
    assert astuple(result.bins[8]) == pytest.approx((0.8, 0.9, 2, 0.85, 0.5))
    assert astuple(result.bins[2]) == pytest.approx((0.2, 0.3, 2, 0.25, 0))
    assert sum(each.count for each in result.bins) == 4


def test_perfectly_calibrated():
    assert calibration([0.75] * 4, [1, 1, 1, 0]).error == 0
    assert calibration([0, 1], [0, 1]).error == 0


@pytest.mark.parametrize(("score", "place"), [(0, 0), (0.05, 0), (0.1, 0), (0.100001, 1), (0.5, 4), (1, 9)])
def test_a_bin_holds_its_upper_end(score, place):
    counts = [each.count for each in calibration([score], [1]).bins]
    assert counts == [number == place for number in range(BINS)]


def test_nothing():
    result = calibration([], [])
    assert math.isnan(result.error) and len(result.bins) == BINS and math.isnan(result.bins[0].precision)
