import numpy as np
import pytest

from core.evaluation.detection_matching import compute_overlaps, match_detections
from core.evaluation.precision_recall import (
    Threshold,
    compute_average_precision,
    compute_curve,
    find_best_threshold,
    interpolate_precision,
    read_scores,
)
from tests.core.boxes_by_hand import random_scenes
from tests.core.coco_reference import by_pycocotools


def curve(scores: list, hits: list, positives: int):
    return compute_curve(np.array(scores, dtype=float), np.array(hits, dtype=bool), positives)


def test_by_hand():
    # Two objects: right, wrong, right. Recall ½ at precision 1, recall 1 at precision ⅔.
    each = curve([0.7, 0.9, 0.8], [1, 1, 0], 2)
    assert each.score.tolist() == [0.9, 0.8, 0.7]
    assert each.recall.tolist() == [0.5, 0.5, 1]
    assert each.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    assert interpolate_precision(each).tolist() == pytest.approx([1] * 51 + [2 / 3] * 50)
    assert read_scores(each).tolist() == [0.9] * 51 + [0.7] * 50
    assert compute_average_precision(each, 2) == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert find_best_threshold(each, 2) == pytest.approx(Threshold(0.7, 2 / 3, 1, 0.8))


def test_precision_rises_again_and_recall_ends_early():
    each = curve([0.9, 0.8, 0.7], [0, 1, 1], 4)
    assert interpolate_precision(each).tolist() == pytest.approx([2 / 3] * 51 + [0] * 50)
    assert np.isnan(read_scores(each)[51:]).all()


def test_a_threshold_cannot_separate_equal_scores():
    # Keeping 0.5 keeps both of its detections: precision ½. F1 is ⅔ with one object.
    assert find_best_threshold(curve([0.5, 0.5], [1, 0], 1), 1) == pytest.approx(Threshold(0.5, 0.5, 1, 2 / 3))
    assert find_best_threshold(curve([0.5, 0.5], [0, 1], 1), 1) == pytest.approx(Threshold(0.5, 0.5, 1, 2 / 3))


def test_the_higher_of_two_equal_thresholds_wins():
    # F1 after one: 2·1·¼/1.25 = 0.4; after six with two right: 2·⅓·½/(5/6) = 0.4.
    assert find_best_threshold(curve([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [1, 0, 0, 0, 0, 1], 4), 4).score == 0.9


def test_no_true_positives_no_detections_no_objects():
    assert find_best_threshold(curve([0.9, 0.5], [0, 0], 3), 3) == Threshold(0.9, 0, 0, 0)
    assert find_best_threshold(curve([], [], 3), 3) is None
    assert compute_average_precision(curve([], [], 3), 3) == 0
    wrong = curve([0.9], [0], 0)
    assert find_best_threshold(wrong, 0) is None
    assert np.isnan(compute_average_precision(wrong, 0)) and np.isnan(wrong.recall).all()


@pytest.mark.parametrize("seed", range(20))
def test_the_same_curve_as_pycocotools_at_every_threshold(seed):
    predictions, truths = random_scenes(seed)
    comparison = by_pycocotools(predictions, truths, "abc")
    pictures = compute_overlaps(predictions, truths)
    for number, threshold in enumerate(comparison.params.iouThrs):
        matches = match_detections(pictures, threshold, 3)
        for label in range(3):
            here = matches.counted & (matches.label == label)
            each = compute_curve(matches.score[here], matches.hit[here], matches.positives[label])
            theirs = comparison.eval["precision"][number, :, label, 0, -1]
            if matches.positives[label] == 0:
                assert (theirs == -1).all()
            else:
                assert interpolate_precision(each).tolist() == pytest.approx(theirs.tolist(), abs=1e-12)
