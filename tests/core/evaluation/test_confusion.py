import numpy as np
import pytest

from core.evaluation.confusion import ConfusionCase, compute_confusion
from core.evaluation.detection_matching import compute_overlaps, match_detections
from tests.core.boxes_by_hand import found, random_scenes, truth

BOX, HALF, AWAY = [0, 0, 100, 100], [0, 0, 100, 50], [200, 200, 300, 300]
CAT, DOG, BACKGROUND = 0, 1, 2


def cells(detections, objects, score=0.0, iou=0.5) -> dict:
    result = compute_confusion(compute_overlaps([detections], [objects]), 2, score=score, iou=iou)
    return {(case.true_label, case.predicted_label): case for case in result.cases}


def test_one_of_each_kind():
    scene = truth([BOX, AWAY, [400, 0, 450, 50]], [CAT, DOG, CAT])
    pictures = compute_overlaps([found([BOX, AWAY, [0, 400, 50, 450]], labels=[CAT, CAT, DOG])], [scene])
    result = compute_confusion(pictures, 2, score=0, iou=0.5)
    assert result.counts.tolist() == [[1, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert set(result.cases) == {
        ConfusionCase(CAT, CAT, 0, 0, 0),
        ConfusionCase(DOG, CAT, 0, 1, 1),
        ConfusionCase(BACKGROUND, DOG, 0, 2, -1),
        ConfusionCase(CAT, BACKGROUND, 0, -1, 2),
    }


def test_the_right_class_comes_before_a_closer_box_with_a_better_score():
    # The dog box is better scored and fits perfectly, yet the cat was found: the dog is on background.
    assert set(cells(found([BOX, HALF], [0.9, 0.6], [DOG, CAT]), truth([BOX]))) == {(CAT, CAT), (BACKGROUND, DOG)}


def test_a_second_box_on_an_object_is_background():
    assert set(cells(found([BOX, BOX], [0.9, 0.6]), truth([BOX]))) == {(CAT, CAT), (BACKGROUND, CAT)}


def test_a_misclassified_detection_takes_the_object_it_overlaps_most_once():
    scene = truth([HALF, BOX])
    result = cells(found([BOX], labels=[DOG]), scene)
    assert result[CAT, DOG].object == 1 and result[CAT, BACKGROUND].object == 0
    two = compute_confusion(
        compute_overlaps([found([BOX, BOX], labels=[DOG, DOG])], [truth([BOX])]), 2, score=0, iou=0.5
    )
    assert two.counts.tolist() == [[0, 1, 0], [0, 0, 0], [0, 1, 0]]


def test_score_and_iou_are_inclusive_minimums():
    both = found([BOX], [0.5])
    assert set(cells(both, truth([BOX]), score=0.5)) == {(CAT, CAT)}
    assert set(cells(both, truth([BOX]), score=0.51)) == {(CAT, BACKGROUND)}
    assert set(cells(found([HALF]), truth([BOX]), iou=0.5)) == {(CAT, CAT)}
    assert set(cells(found([HALF]), truth([BOX]), iou=0.6)) == {(CAT, BACKGROUND), (BACKGROUND, CAT)}
    assert set(cells(found([BOX], labels=[DOG]), truth([BOX]), iou=1)) == {(CAT, DOG)}


def test_crowds_are_neither_missed_nor_background():
    scene = truth([AWAY], [CAT], [True])
    assert cells(found([AWAY, AWAY]), scene) == {}
    assert cells(found([]), scene) == {}
    assert set(cells(found([AWAY], labels=[DOG]), scene)) == {(BACKGROUND, DOG)}  # a crowd of cats does not hide a dog


def test_pictures_of_a_cell():
    scenes = [truth([BOX])] * 3
    result = compute_confusion(compute_overlaps([found([BOX]), found([]), found([BOX])], scenes), 1, score=0, iou=0.5)
    assert result.images_by_cell() == {(0, 0): [0, 2], (0, 1): [1]}
    assert compute_confusion([], 1, score=0, iou=0.5).counts.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("score", [0.0, 0.5])
def test_sums_and_diagonal(seed, score):
    predictions, truths = random_scenes(seed)
    pictures = compute_overlaps(predictions, truths)
    matches = match_detections(pictures, 0.5, 3)
    kept = matches.counted & (matches.score >= score)
    counts = compute_confusion(pictures, 3, score=score, iou=0.5).counts
    assert counts.diagonal()[:3].tolist() == np.bincount(matches.label[kept & matches.hit], minlength=3).tolist()
    assert counts.sum(axis=1)[:3].tolist() == matches.positives.tolist()
    assert counts.sum(axis=0)[:3].tolist() == np.bincount(matches.label[kept], minlength=3).tolist()
    assert counts[3, 3] == 0
