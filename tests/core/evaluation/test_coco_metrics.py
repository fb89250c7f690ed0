import json
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from core.evaluation.coco_metrics import Metrics, build_coco_results, evaluate, run_coco_evaluation
from core.structures import Detections, Sample
from tests.core.boxes_by_hand import found as detections, random_scenes, truth
from tests.core.coco_reference import by_pycocotools

NAMES = ("cat", "dog")
ONE = pytest.approx(1)
ONE_EACH = pytest.approx((1, 1))
FIGURES = [name for name in Metrics.__dataclass_fields__ if name != "per_class"]


def test_perfect_detections():
    boxes = [[0, 0, 20, 20], [0, 0, 50, 50], [100, 100, 300, 300]]
    metrics = evaluate([detections(boxes, labels=[0, 1, 1])], [truth(boxes, [0, 1, 1])], NAMES)
    expected = {**dict.fromkeys(FIGURES, 1.0), "ar1": 0.75}  # one of the two dogs
    assert {name: getattr(metrics, name) for name in FIGURES} == pytest.approx(expected)
    assert list(metrics.per_class.values()) == [ONE_EACH, ONE_EACH]


def test_shifted_box():
    # 100×100 shifted by 25: 75 / 125 = 0.6, so three of the ten thresholds (0.50, 0.55, 0.60) are met.
    metrics = evaluate([detections([[24.9, 0, 124.9, 100]])], [truth([[0, 0, 100, 100]])], NAMES)
    assert (metrics.ap50, metrics.ap75) == (ONE, 0)
    assert (metrics.ap, metrics.ar100, metrics.ap_large) == pytest.approx((0.3, 0.3, 0.3))
    assert math.isnan(metrics.ap_small)
    assert math.isnan(metrics.ap_medium)
    assert metrics.per_class["cat"] == pytest.approx((0.3, 1))
    assert math.isnan(metrics.per_class["dog"].ap)


def test_swapped_labels():
    boxes = [[0, 0, 50, 50], [60, 60, 90, 90]]
    metrics = evaluate([detections(boxes, labels=[1, 0])], [truth(boxes, [0, 1])], NAMES)
    assert metrics.ap == metrics.ar100 == metrics.per_class["dog"].ap50 == 0


def test_half_of_the_objects_found():
    # Recall ends at 0.5: 51 of the 101 recall points have precision 1.
    metrics = evaluate([detections([[0, 0, 50, 50]])], [truth([[0, 0, 50, 50], [60, 60, 90, 90]])], NAMES)
    assert metrics.ap50 == pytest.approx(51 / 101)
    assert metrics.ar100 == 0.5


def test_false_alarm_before_and_after_the_hit():
    boxes = [[0, 0, 50, 50], [100, 100, 150, 150]]
    objects = [truth(boxes[:1])]
    assert evaluate([detections(boxes, [0.9, 0.1])], objects, NAMES).ap == ONE
    assert evaluate([detections(boxes, [0.1, 0.9])], objects, NAMES).ap == pytest.approx(0.5)


def test_duplicate_of_equal_score_counts_once():
    metrics = evaluate([detections([[0, 0, 50, 50]] * 2)], [truth([[0, 0, 50, 50]])], NAMES)
    assert metrics.ap == ONE == metrics.ar1


def test_crowd_counts_neither_for_nor_against():
    box, crowd = [0, 0, 50, 50], [100, 100, 300, 300]
    objects = [truth([box, crowd], crowd=[False, True])]
    inside = [[100, 100, 200, 200], [150, 150, 250, 250]]
    assert evaluate([detections([box])], objects, NAMES).ap == ONE
    assert evaluate([detections([box, *inside], [0.5, 0.8, 0.9])], objects, NAMES).ap == ONE
    assert math.isnan(evaluate([detections(inside)], [truth([crowd], crowd=[True])], NAMES).ap)


def test_detections_belong_to_their_picture():
    boxes = [[[0, 0, 50, 50]], [[60, 60, 90, 90]]]
    objects = [truth(part) for part in boxes]
    assert evaluate([detections(part) for part in boxes], objects, NAMES).ap == ONE
    assert evaluate([detections(part) for part in boxes[::-1]], objects, NAMES).ap == 0


def test_at_most_a_hundred_detections_per_picture():
    wrong = [[200, 200, 210, 210]] * 100
    found = detections([*wrong, [0, 0, 50, 50]], [0.9] * 100 + [0.1])
    assert evaluate([found], [truth([[0, 0, 50, 50]])], NAMES).ar100 == 0


def test_no_detections_give_zero_and_no_objects_give_nan():
    metrics = evaluate([detections([])], [truth([[0, 0, 50, 50]])], NAMES)
    assert metrics.ap == metrics.ap50 == metrics.ar100 == metrics.ap_medium == metrics.per_class["cat"].ap == 0
    assert math.isnan(metrics.ap_small)
    metrics = evaluate([detections([[0, 0, 50, 50]])], [truth([])], NAMES)
    assert all(math.isnan(getattr(metrics, name)) for name in FIGURES)


@pytest.mark.parametrize("names", [NAMES, ()])
@pytest.mark.parametrize("count", [0, 2])
def test_nothing_at_all(names, count):
    metrics = evaluate([detections([])] * count, [truth([])] * count, names)
    assert all(math.isnan(getattr(metrics, name)) for name in FIGURES)
    assert list(metrics.per_class) == list(names)


def test_non_finite_detections_are_left_out():
    nan, inf = float("nan"), float("inf")
    box = [0, 0, 50, 50]
    found = detections([box, box, [nan, 0, 50, 50], [0, 0, inf, 50]], [0.5, nan, 0.9, 0.9])
    assert evaluate([found], [truth([box])], NAMES).ap == ONE
    assert len(build_coco_results([found], [1], [1])) == 1


def test_samples_are_accepted_one_by_one():
    boxes = torch.tensor([[0.0, 0, 50, 50]])
    image = torch.zeros(3, 60, 60, dtype=torch.uint8)
    samples = (Sample(image, boxes, torch.tensor([1]), torch.tensor([False]), number) for number in range(3))
    found = [Detections(boxes, torch.tensor([0.5]), torch.tensor([1]))] * 3
    assert evaluate(found, samples, NAMES).per_class["dog"].ap == ONE


def assert_equals_pycocotools(predictions, truths, names):
    """Asserts equal metrics up to the last bit: pycocotools divides by the count plus a tiny number."""
    theirs, ours = by_pycocotools(predictions, truths, names), run_coco_evaluation(predictions, truths, names)
    for name in ("precision", "recall", "scores"):
        np.testing.assert_allclose(ours.eval[name], theirs.eval[name], rtol=0, atol=4e-16, err_msg=name)
    np.testing.assert_allclose(ours.stats, theirs.stats, rtol=0, atol=4e-16)
    figures = [getattr(evaluate(predictions, truths, names), name) for name in FIGURES]
    np.testing.assert_allclose(figures, np.where(theirs.stats == -1, np.nan, theirs.stats), rtol=0, atol=4e-16)


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 20))])
def test_equals_pycocotools(seed):
    assert_equals_pycocotools(*random_scenes(seed), "abc")
    assert_equals_pycocotools(*random_scenes(seed, pictures=40, classes=1), "abc")  # and two empty classes


LONE = [[0, 0, 50, 50]]
ODD = {
    "no pictures": ([], []),
    "nothing": ([detections([])] * 2, [truth([])] * 2),
    "nothing found": ([detections([])], [truth(LONE)]),
    "nothing to find": ([detections(LONE)], [truth([])]),
    "crowds only": ([detections(LONE)], [truth(LONE, crowd=[True])]),
    "ties beyond a hundred": ([detections(LONE * 150)], [truth(LONE)]),
    "no area": ([detections([[0, 0, 0, 0], [5, 5, 5, 9]])], [truth([[0, 0, 0, 0], [5, 5, 5, 9]])]),
    "bounds of the sizes": ([detections([[0, 0, 32, 32], [0, 0, 96, 96]])], [truth([[0, 0, 32, 32], [0, 0, 96, 96]])]),
    "overlaps as large": ([detections([[0, 0, 100, 100]])], [truth([[0, 0, 100, 50], [0, 50, 100, 100]])]),
}


@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize("names", ["a", "abc"])
def test_equals_pycocotools_in_odd_cases(case, names):
    assert_equals_pycocotools(*ODD[case], names)


def test_inconsistent_arguments_raise():
    with pytest.raises(ValueError, match="2 pictures but objects for 1"):
        evaluate([detections([])] * 2, [truth([])], NAMES)
    box = [[0, 0, 50, 50]]
    with pytest.raises(ValueError, match="Label 2 has no name: there are 2 class names"):
        evaluate([detections(box, labels=[2])], [truth(box)], NAMES)
    with pytest.raises(ValueError, match="Label 7 has no name"):
        evaluate([detections(box)], [truth(box, [7])], NAMES)


def test_to_dict_is_json_with_null():
    metrics = evaluate([detections([[0, 0, 50, 50]])], [truth([[0, 0, 50, 50]])], NAMES)
    values = json.loads(json.dumps(metrics.to_dict(), allow_nan=False))
    assert list(values) == [*FIGURES, "per_class"]
    assert values["ap"] == ONE == values["ap_medium"]
    assert values["ap_small"] is None
    assert values["per_class"] == {"cat": {"ap": ONE, "ap50": ONE}, "dog": {"ap": None, "ap50": None}}


def test_evaluation_is_silent_and_thread_safe(capsys):
    box = [[0, 0, 50, 50]]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: evaluate([detections(box)], [truth(box)], NAMES).ap, range(12)))
    print("still here")
    assert results == [ONE] * 12
    assert capsys.readouterr().out == "still here\n"


def test_results_json_by_hand():
    found = [detections([[1, 2, 4, 8], [0.5, 0, 1, 1]], [0.75, 0.25], [1, 0]), detections([])]
    assert build_coco_results(found, [17, 4], [3, 90]) == [
        {"image_id": 17, "category_id": 90, "bbox": [1, 2, 3, 6], "score": 0.75},
        {"image_id": 17, "category_id": 3, "bbox": [0.5, 0, 0.5, 1], "score": 0.25},
    ]
    assert json.loads(json.dumps(build_coco_results(found, [17, 4], [3, 90]), allow_nan=False))
    with pytest.raises(ValueError):
        build_coco_results(found, [17], [3, 90])
