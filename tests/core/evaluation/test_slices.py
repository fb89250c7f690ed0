import math

import numpy as np
import pytest
import torch

from core.evaluation.coco_metrics import evaluate
from core.evaluation.slices import measure as module
from core.evaluation.slices.measure import Slice, divide, measure_slices
from core.evaluation.slices.quantities import POSITION, QUANTITIES
from core.structures import Detections
from tests.core.boxes_by_hand import found, random_scenes, truth

NAMES = "abc"
SMALL, LARGE = [0, 0, 10, 10], [100, 100, 200, 200]
ONE = pytest.approx(1)


def of(quantity: str, slices: tuple[Slice, ...]) -> list[Slice]:
    return [each for each in slices if each.quantity == quantity]


@pytest.mark.parametrize("seed", range(10))
def test_slices_by_area_are_those_of_coco(seed, monkeypatch):
    predictions, truths = random_scenes(seed, pictures=20)
    # No area is a bound, which COCO counts on both sides.
    predictions = [each._replace(boxes=each.boxes + torch.tensor([0, 0, 0.3, 0.7])) for each in predictions]
    truths = [each._replace(boxes=each.boxes + torch.tensor([0, 0, 0.3, 0.7])) for each in truths]
    monkeypatch.setattr(module, "divide", lambda values: [0.0, 32.0, 96.0, math.inf])
    metrics = evaluate(predictions, truths, NAMES)
    ours = [each.ap for each in of("size, px", measure_slices(predictions, truths, NAMES))]
    assert ours == pytest.approx([metrics.ap_small, metrics.ap_medium, metrics.ap_large], nan_ok=True)


def test_all_objects_in_one_slice_have_the_usual_ap(monkeypatch):
    predictions, truths = random_scenes(4)
    monkeypatch.setattr(module, "divide", lambda values: [-1.0, 0.0, math.inf])
    metrics = evaluate(predictions, truths, NAMES)
    for quantity in QUANTITIES:
        empty, full = of(quantity, measure_slices(predictions, truths, NAMES))
        assert (empty.objects, math.isnan(empty.ap)) == (0, True)
        assert full.objects == sum(int((~each.crowd).sum()) for each in truths)
        assert (full.ap, full.ap50) == (pytest.approx(metrics.ap), pytest.approx(metrics.ap50))


def test_what_is_outside_is_ignored():
    # The large object is found, the small one is not; a false alarm of 20 pixels lies among the small ones.
    pictures = [found([LARGE, [300, 300, 320, 320]], [0.9, 0.95])], [truth([SMALL, LARGE])]
    small, large = of("size, px", measure_slices(*pictures, "a"))
    assert (small.objects, small.low, small.high, small.ap) == (1, 10, 100, 0)
    assert (large.objects, large.low, large.high, large.ap50) == (1, 100, math.inf, ONE)


def test_a_detection_outside_that_finds_an_object_within_counts():
    # Its box of 95 pixels is below the bound of 100, its object is not.
    pictures = [found([[100, 100, 195, 195]], [0.9])], [truth([SMALL, LARGE])]
    _, large = of("size, px", measure_slices(*pictures, "a"))
    assert large.ap50 == ONE


def test_crowded_pictures_are_a_slice_with_all_their_detections():
    alone, crowded = truth([LARGE]), truth([LARGE, SMALL, [300, 300, 400, 400]])
    pictures = [found([LARGE]), found([SMALL, [0, 300, 50, 350]], [0.5, 0.9])], [alone, crowded]
    few, many = of("objects in the picture", measure_slices(*pictures, "a"))
    assert (few.low, few.high, few.objects, few.ap) == (1, 3, 1, ONE)
    assert (many.low, many.objects) == (3, 3)
    assert many.ap50 == pytest.approx(0.5 * 34 / 101)  # a third of recall at precision ½


def test_elongation_is_the_same_lying_and_standing():
    boxes = torch.tensor([[0, 0, 40, 10], [0, 0, 10, 40], [0, 0, 10, 10.0]])
    assert QUANTITIES["elongation"](boxes, truth([])).tolist() == [4, 4, 1]


def test_position_is_0_at_the_border_and_1_in_the_middle():
    position, wide = QUANTITIES[POSITION], truth([])._replace(size=(100, 400))
    boxes = torch.tensor(
        [[-5, 40, 5, 60], [190, 40, 210, 60], [0, 20, 400, 30], [15, 0, 35, 100], [390, 40, 400, 60.0]]
    )
    assert position(boxes, wide).tolist() == pytest.approx([0, 1, 0.5, 0.5, 0.1])
    assert position(boxes[:, [1, 0, 3, 2]], truth([])._replace(size=(400, 100))).tolist() == pytest.approx(
        [0, 1, 0.5, 0.5, 0.1]
    )
    assert position(boxes, truth([])).isnan().all()


def test_objects_at_the_border_are_told_from_those_in_the_middle():
    middle, border = [40, 40, 60, 60], [0, 40, 20, 60]
    pictures = [found([middle], [0.9])], [truth([middle, border])._replace(size=(100, 100))]
    near, far = of(POSITION, measure_slices(*pictures, "a"))
    assert (near.low, near.objects, near.ap) == (pytest.approx(0.2), 1, 0)
    assert (far.low, far.objects, far.ap50) == (1, 1, ONE)
    unknown = [pictures[1][0]._replace(size=None)]
    assert of(POSITION, measure_slices(pictures[0], unknown, "a")) == []
    without_objects = [*pictures[1], truth([])]  # its detection would count as a false positive at every position
    assert of(POSITION, measure_slices([*pictures[0], found([border], [0.5])], without_objects, "a")) == []


def test_equal_values_lie_in_one_slice():
    assert divide(np.arange(8.0)) == [0, 2, 4, 6, math.inf]
    assert divide(np.array([1.0, 1, 1, 1, 5])) == [1, math.inf]  # four of five are alike
    assert divide(np.array([1.0, 1, 5, 5])) == [1, 5, math.inf]
    assert divide(np.array([3.0])) == [3, math.inf]
    assert divide(np.zeros(0)) == []


def test_nothing_is_divided_without_objects_or_differences():
    assert measure_slices([], [], "a") == ()
    assert measure_slices([found([SMALL])], [truth([])], "a") == ()
    assert measure_slices([found([SMALL])], [truth([SMALL, SMALL])], "a") == ()


def test_non_finite_detections_are_left_out():
    broken = Detections(torch.tensor([[0, 0, math.nan, 10], LARGE]), torch.tensor([0.99, 0.5]), torch.zeros(2).long())
    _, large = of("size, px", measure_slices([broken], [truth([SMALL, LARGE])], "a"))
    assert large.ap50 == ONE
