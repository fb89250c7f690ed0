import math

import numpy as np
import pytest

from core.evaluation.coco_metrics import evaluate
from core.evaluation.counting import (
    COCO_IOUS,
    DUPLICATE,
    IGNORED,
    RIGHT,
    WRONG,
    average_over_classes,
    average_over_ious,
    count_detections,
)
from core.evaluation.detection_matching import compute_overlaps
from core.evaluation.error_types import analyse_errors
from tests.core.boxes_by_hand import found, random_scenes, truth
from tests.core.coco_reference import by_pycocotools

BOX, HALF, FAR = [0, 0, 100, 100], [0, 0, 100, 50], [200, 200, 300, 300]


def test_by_hand():
    # Two objects. In order of score: found, found again, nothing there, found. Precision 1, 1/2, 1/3, 2/4.
    images = compute_overlaps([found([FAR, BOX, BOX, [400, 400, 500, 500]], [0.6, 0.9, 0.8, 0.7])], [truth([BOX, FAR])])
    counting = count_detections(images, 1, 0.5)
    assert [each.outcome for each in counting.detections] == [RIGHT, DUPLICATE, WRONG, RIGHT]
    assert [each.detection for each in counting.detections] == [1, 2, 3, 0]
    assert [(each.object, each.iou) for each in counting.detections] == [(0, 1), (0, 1), (-1, 0), (1, 1)]
    assert counting.positives == 2
    tallies = [counting.tally(count) for count in range(5)]
    assert [(each.right, each.wrong, each.duplicates) for each in tallies] == [
        (0, 0, 0), (1, 0, 0), (1, 1, 1), (1, 2, 1), (2, 2, 1),
    ]  # fmt: skip
    assert math.isnan(tallies[0].precision)
    assert [each.precision for each in tallies[1:]] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 2])
    assert [each.recall for each in tallies] == [0, 0.5, 0.5, 0.5, 1]
    # 51 of the 101 recalls, 0 to 0.5, have precision 1; the other 50 have 1/2 once the second object is found.
    areas = [0, 51 / 101, 51 / 101, 51 / 101, (51 + 50 / 2) / 101]
    assert [counting.average_precision(count) for count in range(5)] == pytest.approx(areas)


def test_a_false_positive_names_the_object_of_any_class_that_it_overlaps_most():
    images = compute_overlaps([found([HALF], labels=[1])], [truth([BOX])])
    (each,) = count_detections(images, 2, 0.5).detections
    assert (each.outcome, each.object, each.iou) == (WRONG, 0, 0.5)
    (each,) = count_detections(compute_overlaps([found([HALF])], [truth([BOX])]), 1, 0.6).detections
    assert (each.outcome, each.object, each.iou) == (WRONG, 0, 0.5)  # of its class, but too little


def test_crowd_regions_do_not_count():
    images = compute_overlaps([found([HALF, BOX], [0.9, 0.8])], [truth([BOX, HALF], crowd=[True, False])])
    counting = count_detections(images, 1, 0.5)
    assert [each.outcome for each in counting.detections] == [RIGHT, IGNORED]
    assert counting.positives == 1 and len(counting.curve(2).score) == 1
    assert counting.tally(2)[:4] == (1, 0, 0, 1.0)


def test_one_class_or_all_in_one_list():
    images = compute_overlaps(
        [found([BOX, FAR], [0.9, 0.8], [0, 1]), found([BOX], [0.85], [0])],
        [truth([BOX, FAR], [0, 1]), truth([FAR], [0])],
    )
    both, one = count_detections(images, 2, 0.5), count_detections(images, 2, 0.5, 1)
    assert [(each.image, each.outcome) for each in both.detections] == [(0, RIGHT), (1, WRONG), (0, RIGHT)]
    assert [each.label for each in one.detections] == [1] and (both.positives, one.positives) == (3, 1)


def test_nothing():
    for images in ([], compute_overlaps([found([])], [truth([])])):
        counting = count_detections(images, 2, 0.5)
        assert counting.detections == () and counting.positives == 0
        assert math.isnan(counting.tally(0).recall) and math.isnan(counting.average_precision(0))
        assert math.isnan(average_over_ious(images, 2))
    wrong = count_detections(compute_overlaps([found([BOX])], [truth([])]), 1, 0.5)
    assert wrong.tally(1).precision == 0 and math.isnan(wrong.average_precision(1))
    missed = count_detections(compute_overlaps([found([])], [truth([BOX])]), 1, 0.5)
    assert missed.tally(0).recall == 0 and missed.average_precision(0) == 0


@pytest.mark.parametrize("seed", range(10))
def test_the_same_as_pycocotools(seed):
    """Each class at each threshold: the order of the detections, true positives, and the area at the end."""
    predictions, truths = random_scenes(seed)
    comparison = by_pycocotools(predictions, truths, "abc")
    sizes, images = len(comparison.params.areaRng), compute_overlaps(predictions, truths)
    assert tuple(comparison.params.iouThrs) == pytest.approx(COCO_IOUS)
    for number, threshold in enumerate(comparison.params.iouThrs):
        for label in range(3):
            counting = count_detections(images, 3, threshold, label)
            theirs = comparison.evalImgs[label * sizes * len(truths) : label * sizes * len(truths) + len(truths)]
            theirs = [each for each in theirs if each is not None]
            score = np.concatenate([each["dtScores"] for each in theirs])
            order = np.argsort(-score, kind="mergesort")
            hit, ignored = (np.concatenate([each[key][number] for each in theirs]) for key in ("dtMatches", "dtIgnore"))
            assert [each.score for each in counting.detections] == score[order].tolist()
            assert [each.outcome == IGNORED for each in counting.detections] == ignored[order].astype(bool).tolist()
            right = (hit > 0) & ~ignored.astype(bool)
            assert [each.outcome == RIGHT for each in counting.detections] == right[order].tolist()
            expected = comparison.eval["precision"][number, :, label, 0, -1]
            area = counting.average_precision(len(counting.detections))
            assert area == pytest.approx(expected.mean()) or (math.isnan(area) and expected.mean() == -1)
    assert average_over_ious(images, 3) == pytest.approx(comparison.stats[0])
    assert average_over_classes(images, 3, 0.5) == pytest.approx(comparison.stats[1])
    assert average_over_ious(images, 3) == pytest.approx(evaluate(predictions, truths, "abc").ap)


@pytest.mark.parametrize("seed", range(5))
def test_false_positives_are_those_of_the_kinds_of_errors(seed):
    predictions, truths = random_scenes(seed)
    images = compute_overlaps(predictions, truths)
    wrong = {
        (each.image, each.detection)
        for each in count_detections(images, 3, 0.5).detections
        if each.outcome in (WRONG, DUPLICATE)
    }
    errors = {(each.image, each.detection) for each in analyse_errors(images, 3).errors if each.detection >= 0}
    assert wrong == errors
