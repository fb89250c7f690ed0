import math

import numpy as np
import pytest
import torch

from benchmarks.label_errors import is_planted, measure_auroc, plant
from core.evaluation.detection_matching import compute_overlaps
from core.evaluation.label_errors import (
    MIN_SCORES,
    MISPLACED,
    MISSING,
    MOST_QUALITY,
    WRONG_CLASS,
    LabelError,
    find_label_errors,
    rate_labels,
)
from core.structures import Detections, GroundTruth
from tests.core.boxes_by_hand import found, random_scenes, truth

BOX, AWAY = [0, 0, 100, 100], [200, 0, 300, 100]  # their centres are 200 pixels apart
CAT, DOG = 0, 1
FAR = 0.1 * math.exp(-20)  # the similarity of both: no overlap, and a distance of 200 pixels


def rate(*images) -> list[LabelError]:
    predictions, truths = map(list, zip(*images, strict=True))
    return list(rate_labels(predictions, truths, compute_overlaps(predictions, truths)))


def find(*images) -> tuple[LabelError, ...]:
    predictions, truths = map(list, zip(*images, strict=True))
    return find_label_errors(predictions, truths, compute_overlaps(predictions, truths))


def test_a_label_that_the_detector_confirms_has_quality_1():
    (only, sure) = rate((found([BOX], [0.9]), truth([BOX])))
    assert only == LabelError(MISPLACED, 1.0, 0, 0, 0, pytest.approx(0.9), CAT, tuple(BOX))
    assert (sure.kind, sure.quality, sure.object) == (MISSING, 1.0, -1)
    assert find((found([BOX], [0.9]), truth([BOX]))) == ()


def test_a_missing_object_of_a_class_that_the_picture_has_is_as_far_as_the_nearest_of_its_class():
    (error,) = find((found([BOX, AWAY], [0.9, 0.8]), truth([BOX])))
    assert error == LabelError(MISSING, pytest.approx(FAR, rel=1e-6), 0, 1, -1, pytest.approx(0.8), CAT, tuple(AWAY))


def test_missing_objects_of_classes_that_their_pictures_lack_come_first_the_surest_of_them_before_all():
    other = (found([BOX, AWAY], [0.9, 0.9]), truth([BOX]))
    errors = find(other, (found([BOX], [0.75]), truth([])), (found([BOX], [0.875]), truth([])))
    assert [(each.image, each.quality) for each in errors] == [(2, 0), (1, 0), (0, pytest.approx(FAR, rel=1e-6))]


@pytest.mark.parametrize(("score", "count"), [(0.69, 0), (0.71, 1)])
def test_only_sure_detections_tell_of_missing_objects(score, count):
    assert len(find((found([BOX], [score]), truth([])))) == count


def test_a_misplaced_box():
    # Half of it lies on the object, so the IoU is ⅓; the centres are 50 pixels apart.
    (error,) = find((found([BOX], [0.6]), truth([[50, 0, 150, 100]])))
    quality = 0.9 / 3 + 0.1 * math.exp(-5)
    assert error == LabelError(
        MISPLACED, pytest.approx(quality, rel=1e-6), 0, 0, 0, pytest.approx(0.6), CAT, tuple(BOX)
    )
    assert (
        find((found([BOX], [MIN_SCORES[MISPLACED] - 0.01]), truth([[50, 0, 150, 100]]))) == ()
    )  # 1 without a detection


def test_an_object_that_the_detector_misses_is_not_misplaced():
    # The other cat is found; this one may just be hard to see.
    assert find((found([BOX], [0.9]), truth([BOX, AWAY]))) == ()


def test_a_detection_that_shows_where_a_misplaced_object_is_tells_of_no_missing_one():
    assert [each.kind for each in find((found([BOX], [0.9]), truth([[50, 0, 150, 100]])))] == [MISPLACED]


def test_a_wrong_class_is_listed_once():
    # The dog is neither misplaced, although the other dog is far from it, nor is the cat missing.
    errors = find((found([BOX, AWAY], [0.9, 0.9], [CAT, DOG]), truth([BOX, AWAY], [DOG, DOG])))
    assert [(each.kind, each.object, each.detection) for each in errors] == [(WRONG_CLASS, 0, 0)]
    assert errors[0].quality == 0  # 1 less a similarity of 1


def test_a_wrong_class_is_surer_the_better_the_boxes_agree():
    (error,) = find((found([[0, 0, 100, 80]], [0.9], [CAT]), truth([BOX], [DOG])))
    assert error.quality == pytest.approx(1 - 0.9 * 0.8 - 0.1 * math.exp(-1), rel=1e-6)
    assert error.kind == WRONG_CLASS


@pytest.mark.parametrize(("same", "kinds"), [(0.6, [WRONG_CLASS]), (0.8, [])])
def test_a_class_that_a_surer_detection_confirms_is_not_doubted(same, kinds):
    assert [each.kind for each in find((found([BOX, BOX], [same, 0.7], [DOG, CAT]), truth([BOX], [DOG])))] == kinds


def test_crowds_are_not_judged_and_hide_what_is_missing():
    crowd = truth([BOX], crowd=[True])
    assert rate((found([[10, 10, 60, 60]], [0.9]), crowd)) == []
    (error,) = rate((found([AWAY], [0.9]), crowd))
    assert error.kind == MISSING


def test_of_equal_qualities_the_surer_detection_comes_first():
    one, other = (found([BOX, AWAY], [0.9, score]) for score in (0.75, 0.875))
    assert [each.image for each in find((one, truth([BOX])), (other, truth([BOX])))] == [1, 0]


def test_nothing_is_suspected_without_detections_or_objects():
    assert find((found([]), truth([]))) == find((found([]), truth([BOX]))) == ()


@pytest.mark.parametrize("seed", range(20))
def test_any_pictures_name_each_object_and_each_sure_detection_at_most_once(seed):
    predictions, truths = random_scenes(seed)
    overlaps = compute_overlaps(predictions, truths)
    errors = find_label_errors(predictions, truths, overlaps)
    assert list(errors) == sorted(errors, key=lambda each: each.quality)
    for name in ("object", "detection"):
        places = [(each.image, getattr(each, name)) for each in errors if (each.kind == MISSING) == (name != "object")]
        assert len(places) == len(set(places))
    for each in errors:
        truth_here, found_here = truths[each.image], predictions[each.image]
        assert 0 <= each.quality < MOST_QUALITY
        assert found_here.scores[each.detection] == pytest.approx(each.score)
        if each.object >= 0:
            same = truth_here.labels[each.object] == found_here.labels[each.detection]
            assert bool(same) == (each.kind == MISPLACED)
            assert not truth_here.crowd[each.object]


def test_planted_errors_come_first_where_the_detector_is_right():
    dice = torch.Generator().manual_seed(3)
    predictions, truths = [], []
    for _ in range(30):
        corner = 100 * torch.arange(5)[:, None] + 40 * torch.rand(5, 2, generator=dice)  # no two objects touch
        boxes = torch.cat((corner, corner + 20 + 30 * torch.rand(5, 2, generator=dice)), dim=1)
        labels = torch.randint(0, 3, (5,), generator=dice)
        truths.append(GroundTruth(boxes, labels, torch.zeros(5, dtype=torch.bool)))
        scores = 0.75 + 0.2 * torch.rand(5, generator=dice)
        predictions.append(Detections(boxes + torch.randn(5, 4, generator=dice), scores, labels))
    planted = plant(truths, 3, 0.3, seed=1)
    errors = find_label_errors(predictions, planted.truths, compute_overlaps(predictions, planted.truths))
    assert len(errors) == len(planted.errors) + sum(map(len, planted.dropped)) > 20
    assert all(is_planted(each, planted, predictions) for each in errors)
    for each in errors:
        assert each.kind == (MISSING if each.object < 0 else planted.errors[each.image, each.object])


def test_auroc_counts_ties_half():
    assert measure_auroc(np.array([0.1, 0.2, 0.3]), np.array([True, False, False])) == 1
    assert measure_auroc(np.array([0.3, 0.2, 0.1]), np.array([True, False, False])) == 0
    assert measure_auroc(np.array([0.2, 0.2, 0.1]), np.array([True, False, False])) == 0.25
