import pytest
import torch
from torchvision.ops import batched_nms, nms

from core.retinanet.suppression.hard import class_nms, first_survivors
from tests.core.retinanet.test_boxes import random_boxes


def test_same_as_torchvision_by_class():
    for count in (1, 50, 1500):  # torchvision shifts classes apart up to 1000, and loops over classes beyond
        boxes, scores = random_boxes(count, count), torch.rand(count, generator=torch.Generator().manual_seed(0))
        groups = torch.arange(count) % 7
        assert torch.equal(class_nms(boxes, scores, groups, 0.5), batched_nms(boxes, scores, groups, 0.5))


def test_coordinates_are_not_rounded():
    """The IoU is just below 1/2; after a shift by 90 classes of 1,000 px, that in float32 would be just above."""
    boxes = torch.tensor([[0.0, 0, 3, 1], [1.0001, 0, 4, 1], [0, 0, 1000, 1000]])
    survivors = class_nms(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([90, 90, 0]), 0.49998)
    assert survivors.tolist() == [0, 1, 2]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.6, 0.7, 2 / 3, 0.0, 1.0])
def test_ious_at_the_threshold_are_rounded_as_in_single_precision(threshold):
    """Boxes of whole pixels have IoUs such as 3/5, which single precision rounds up or down."""
    dice = torch.Generator().manual_seed(3)
    corner, side = (torch.randint(low, 9, (400, 2), generator=dice).float() for low in (0, 1))
    boxes, scores = torch.cat([corner, corner + side], dim=1), torch.rand(400, generator=dice)
    groups = torch.arange(400) % 5
    expected = [group[nms(boxes[group], scores[group], threshold)] for group in torch.arange(400).view(80, 5).T]
    assert torch.equal(class_nms(boxes, scores, groups, threshold).sort().values, torch.cat(expected).sort().values)


def test_boxes_that_are_not_finite_do_not_affect_others():
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 9], [0, 0, torch.inf, 9], [torch.nan, 0, 9, 9]])
    assert class_nms(boxes, torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor([0, 0, 1, 1]), 0.5).tolist() == [0, 2, 3]


def test_the_first_of_equal_boxes_wins_and_order_is_by_score_then_index():
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9]])
    assert class_nms(boxes, torch.tensor([0.5, 0.5, 0.9, 0.5]), torch.tensor([2, 2, 1, 0]), 0.5).tolist() == [2, 0, 3]


def test_no_boxes():
    empty = torch.zeros(0, dtype=torch.int64)
    assert class_nms(torch.zeros(0, 4), torch.zeros(0), empty, 0.5).tolist() == []
    assert first_survivors(empty, 3, lambda some: some).tolist() == []


def test_only_as_many_boxes_are_processed_as_the_cap_needs():
    seen = []

    def even(some: torch.Tensor) -> torch.Tensor:
        seen.append(len(some))
        return some[some % 2 == 0]

    assert first_survivors(torch.arange(100), 5, even).tolist() == [0, 2, 4, 6, 8]
    assert seen == [10]


def test_more_boxes_are_processed_until_there_are_enough():
    def rare(some: torch.Tensor) -> torch.Tensor:
        return some[some % 10 == 0]

    assert first_survivors(torch.arange(100), 5, rare).tolist() == [0, 10, 20, 30, 40]
    assert first_survivors(torch.arange(100), 50, rare).tolist() == list(range(0, 100, 10))
