import numpy as np
import pytest

from core.evaluation.detection_matching import assign, overlaps, pair
from tests.core.boxes_by_hand import found, random_scenes, truth
from tests.core.coco_reference import by_pycocotools

BOX, HALF = [0, 0, 100, 100], [0, 0, 100, 50]


def objects(detections, objects, threshold=0.5) -> tuple[list, list]:
    (picture,) = overlaps([detections], [objects])
    matched, ignored = assign(picture, threshold)
    return matched.tolist(), ignored.tolist()


def test_the_better_scored_takes_the_object():
    pairs = pair(overlaps([found([HALF, BOX], [0.4, 0.9])], [truth([BOX])]), 0.5, 1)
    assert (pairs.detection.tolist(), pairs.object.tolist()) == ([1, 0], [0, -1])
    assert pairs.hit.tolist() == [True, False]
    assert pairs.positives.tolist() == [1]


def test_the_threshold_itself_is_enough_and_a_perfect_box_passes_one():
    assert objects(found([HALF]), truth([BOX])) == ([0], [False])
    assert objects(found([HALF]), truth([BOX]), 0.51) == ([-1], [False])
    assert objects(found([BOX]), truth([BOX]), 1.0) == ([0], [False])


def test_each_takes_what_it_overlaps_most_and_the_later_at_a_tie():
    assert objects(found([BOX]), truth([HALF, BOX])) == ([1], [False])
    assert objects(found([BOX]), truth([HALF, [0, 50, 100, 100]])) == ([1], [False])
    assert objects(found([BOX, BOX]), truth([HALF, BOX])) == ([1, 0], [False, False])


def test_other_classes_do_not_match():
    assert objects(found([BOX], labels=[1]), truth([BOX])) == ([-1], [False])


def test_a_crowd_is_shared_but_only_by_those_that_found_nothing():
    scene = truth([BOX, [0, 0, 200, 200]], crowd=[False, True])
    assert objects(found([BOX, BOX, [150, 150, 190, 190]], [0.9, 0.8, 0.7]), scene) == (
        [0, 1, 1],
        [False, True, True],
    )
    pairs = pair(overlaps([found([BOX, BOX], labels=[0, 1])], [scene]), 0.5, 2)
    assert (pairs.hit.tolist(), pairs.counted.tolist()) == ([True, False], [True, True])
    assert pairs.positives.tolist() == [1, 0]


def test_a_hundred_of_each_class_count_and_what_is_not_finite_does_not():
    many = found([BOX] * 150, [0.5] * 150, [0] * 110 + [1] * 40)
    assert np.bincount(pair(overlaps([many], [truth([])]), 0.5, 2).label).tolist() == [100, 40]
    broken = found([[float("nan"), 0, 1, 1], BOX, BOX], [0.9, 0.8, float("nan")])
    assert pair(overlaps([broken], [truth([])]), 0.5, 1).detection.tolist() == [1]


def test_nothing():
    for count in (0, 2):
        pairs = pair(overlaps([found([])] * count, [truth([])] * count), 0.5, 2)
        assert len(pairs.score) == 0 and pairs.positives.tolist() == [0, 0]


@pytest.mark.parametrize("seed", range(20))
def test_the_same_as_pycocotools_box_by_box(seed):
    predictions, truths = random_scenes(seed)
    comparison = by_pycocotools(predictions, truths, "abc")
    sizes, pictures = len(comparison.params.areaRng), overlaps(predictions, truths)
    for number, threshold in enumerate(comparison.params.iouThrs):
        pairs = pair(pictures, threshold, 3)
        for label in range(3):
            for index in range(len(truths)):
                theirs = comparison.evalImgs[label * sizes * len(truths) + index]
                here = (pairs.label == label) & (pairs.picture == index)
                if theirs is None:
                    assert not here.any()
                    continue
                assert pairs.score[here].tolist() == theirs["dtScores"]
                assert (pairs.object[here] >= 0).tolist() == (theirs["dtMatches"][number] > 0).tolist()
                assert pairs.ignored[here].tolist() == theirs["dtIgnore"][number].tolist()
