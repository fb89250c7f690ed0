import numpy as np
import pytest

from core.evaluation.detection_matching import compute_overlaps, match_detections, match_image
from tests.core.boxes_by_hand import found, random_scenes, truth
from tests.core.coco_reference import by_pycocotools

BOX, HALF = [0, 0, 100, 100], [0, 0, 100, 50]


def objects(detections, objects, threshold=0.5) -> tuple[list, list]:
    (picture,) = compute_overlaps([detections], [objects])
    matched, ignored = match_image(picture, threshold)
    return matched.tolist(), ignored.tolist()


def test_the_better_scored_takes_the_object():
    matches = match_detections(compute_overlaps([found([HALF, BOX], [0.4, 0.9])], [truth([BOX])]), 0.5, 1)
    assert (matches.detection.tolist(), matches.object.tolist()) == ([1, 0], [0, -1])
    assert matches.hit.tolist() == [True, False]
    assert matches.positives.tolist() == [1]


def test_the_threshold_is_inclusive_and_a_perfect_box_reaches_one():
    assert objects(found([HALF]), truth([BOX])) == ([0], [False])
    assert objects(found([HALF]), truth([BOX]), 0.51) == ([-1], [False])
    assert objects(found([BOX]), truth([BOX]), 1.0) == ([0], [False])


def test_each_detection_takes_the_object_it_overlaps_most_and_the_last_of_a_tie():
    assert objects(found([BOX]), truth([HALF, BOX])) == ([1], [False])
    assert objects(found([BOX]), truth([HALF, [0, 50, 100, 100]])) == ([1], [False])
    assert objects(found([BOX, BOX]), truth([HALF, BOX])) == ([1, 0], [False, False])


def test_other_classes_do_not_match():
    assert objects(found([BOX], labels=[1]), truth([BOX])) == ([-1], [False])


def test_a_crowd_is_shared_by_detections_without_an_object():
    scene = truth([BOX, [0, 0, 200, 200]], crowd=[False, True])
    assert objects(found([BOX, BOX, [150, 150, 190, 190]], [0.9, 0.8, 0.7]), scene) == (
        [0, 1, 1],
        [False, True, True],
    )
    matches = match_detections(compute_overlaps([found([BOX, BOX], labels=[0, 1])], [scene]), 0.5, 2)
    assert (matches.hit.tolist(), matches.counted.tolist()) == ([True, False], [True, True])
    assert matches.positives.tolist() == [1, 0]


def test_at_most_a_hundred_finite_detections_per_class_count():
    many = found([BOX] * 150, [0.5] * 150, [0] * 110 + [1] * 40)
    assert np.bincount(match_detections(compute_overlaps([many], [truth([])]), 0.5, 2).label).tolist() == [100, 40]
    broken = found([[float("nan"), 0, 1, 1], BOX, BOX], [0.9, 0.8, float("nan")])
    assert match_detections(compute_overlaps([broken], [truth([])]), 0.5, 1).detection.tolist() == [1]


def test_nothing():
    for count in (0, 2):
        matches = match_detections(compute_overlaps([found([])] * count, [truth([])] * count), 0.5, 2)
        assert len(matches.score) == 0 and matches.positives.tolist() == [0, 0]


@pytest.mark.parametrize("seed", range(20))
def test_the_same_as_pycocotools_box_by_box(seed):
    predictions, truths = random_scenes(seed)
    comparison = by_pycocotools(predictions, truths, "abc")
    sizes, pictures = len(comparison.params.areaRng), compute_overlaps(predictions, truths)
    for number, threshold in enumerate(comparison.params.iouThrs):
        matches = match_detections(pictures, threshold, 3)
        for label in range(3):
            for index in range(len(truths)):
                theirs = comparison.evalImgs[label * sizes * len(truths) + index]
                here = (matches.label == label) & (matches.image == index)
                if theirs is None:
                    assert not here.any()
                    continue
                assert matches.score[here].tolist() == theirs["dtScores"]
                assert (matches.object[here] >= 0).tolist() == (theirs["dtMatches"][number] > 0).tolist()
                assert matches.ignored[here].tolist() == theirs["dtIgnore"][number].tolist()
