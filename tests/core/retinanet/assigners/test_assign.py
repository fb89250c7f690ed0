import pytest
import torch

from core.config import Anchors, Matching
from core.retinanet.anchors import make_anchors
from core.retinanet.assigners import assign_anchors, match_anchors
from core.retinanet.assigners.claims import NOBODY, settle_claims
from tests.core.retinanet.test_boxes import random_boxes


def test_the_default_is_the_assignment_of_the_paper_to_the_bit():
    grid, objects = make_anchors(Anchors(), 128, 128), random_boxes(9, 0, 100)
    for matching in (Matching(), Matching(bg_iou_threshold=0.1, fg_iou_threshold=0.9, force_best_match=False)):
        found, expected = assign_anchors(grid, objects, matching), match_anchors(grid.boxes, objects, matching)
        assert all(torch.equal(one, other) for one, other in zip(found[:6], expected[:6], strict=True))
        assert found.closest is None and found.cheapest is None


@pytest.mark.slow
def test_claims_are_settled_by_worth_and_then_by_number():
    anchor, object_ = torch.tensor([3, 3, 1, 1, 0]), torch.tensor([0, 2, 2, 1, 4])
    owner = settle_claims(anchor, object_, torch.tensor([0.5, 0.7, -2.0, -2.0, -9.0]), 5)
    assert owner.tolist() == [4, 1, NOBODY, 2, NOBODY]
