import pytest
import torch
from torchvision.ops import distance_box_iou

from core.retinanet.boxes import diou_matrix
from core.retinanet.suppression import distance
from core.retinanet.suppression.distance import diou_nms
from core.retinanet.suppression.hard import class_nms
from tests.core.retinanet.test_boxes import random_boxes


def survivors(boxes: list, scores: list[float], threshold: float, groups: list[int] | None = None) -> list[int]:
    groups = groups or [0] * len(boxes)
    return diou_nms(torch.tensor(boxes), torch.tensor(scores), torch.tensor(groups), threshold).tolist()


def test_by_hand():
    """The IoU is 5/10; the centres are 2.5 apart, the diagonal of both is √(10² + 10²): 0.5 − 6.25/200 = 0.46875."""
    boxes = [[0.0, 0, 10, 10], [0, 0, 10, 5]]
    assert diou_matrix(torch.tensor(boxes), torch.tensor(boxes)).tolist() == [[1, 0.46875], [0.46875, 1]]
    assert survivors(boxes, [0.8, 0.9], 0.46) == [1]
    assert survivors(boxes, [0.8, 0.9], 0.46875) == [1, 0]  # as for hard NMS, the threshold itself is not exceeded
    assert survivors(boxes, [0.8, 0.9], 0.46, [0, 1]) == [1, 0]


def test_boxes_with_one_centre_are_treated_as_by_hard_nms_and_others_are_spared():
    around, beside = [1.0, 1, 9, 9], [2.0, 0, 12, 10]  # IoU 0.64 and 0.667 with the first
    boxes = torch.tensor([[0.0, 0, 10, 10], around, beside])
    scores, groups = torch.tensor([0.9, 0.8, 0.7]), torch.zeros(3, dtype=torch.int64)
    assert class_nms(boxes, scores, groups, 0.639).tolist() == diou_nms(boxes, scores, groups, 0.6).tolist() == [0]
    assert diou_nms(boxes, scores, groups, 0.639).tolist() == [0]
    assert class_nms(boxes, scores, groups, 0.66).tolist() == [0, 1]
    assert diou_nms(boxes, scores, groups, 0.66).tolist() == [0, 1, 2]  # 0.667 − 4/244


def test_the_measure_is_torchvisions():
    boxes, others = random_boxes(80, 0), random_boxes(70, 1)
    assert torch.allclose(diou_matrix(boxes, others), distance_box_iou(boxes, others), atol=1e-6)
    flat = torch.tensor([[5.0, 5, 5, 5], [5, 5, 9, 5]])
    assert diou_matrix(flat, flat).tolist() == [[0, -0.25], [-0.25, 0]]  # no overlap; ρ² = 4, c² = 16


@pytest.mark.parametrize("block", [1, 7, 256])
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 1.0])
def test_same_as_a_greedy_loop(block, threshold, monkeypatch):
    monkeypatch.setattr(distance, "BLOCK", block)
    monkeypatch.setattr(distance, "RIVALS", 5)
    boxes, dice = random_boxes(150, 2, 60), torch.Generator().manual_seed(1)
    scores = torch.randint(1, 40, (150,), generator=dice) / 40  # with ties
    groups, overlap = torch.arange(150) % 3 * 2, diou_matrix(boxes, boxes)
    kept: list[int] = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        if not any(groups[k] == groups[i] and overlap[k, i] > threshold for k in kept):
            kept.append(i)
    assert diou_nms(boxes, scores, groups, threshold).tolist() == kept and 0 < len(kept) <= 150


def test_a_long_chain_of_overlaps_is_solved_exactly():
    """Each box is suppressed by the one before, unless that one is: every second box survives."""
    left = torch.arange(600) * 4.0
    boxes = torch.stack([left, torch.zeros(600), left + 10, torch.full((600,), 10.0)], dim=1)
    scores = torch.linspace(0.9, 0.1, 600)
    assert diou_nms(boxes, scores, torch.zeros(600, dtype=torch.int64), 0.3).tolist() == list(range(0, 600, 2))


def test_boxes_that_are_not_finite_do_not_affect_others_and_there_may_be_none():
    boxes = [[0.0, 0, 9, 9], [0, 0, 9, 9], [0, 0, torch.inf, 9], [torch.nan, 0, 9, 9]]
    assert survivors(boxes, [0.9, 0.8, 0.7, 0.6], 0.5, [0, 0, 0, 0]) == [0, 2, 3]
    assert diou_nms(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64), 0.5).tolist() == []
