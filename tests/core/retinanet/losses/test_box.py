import pytest
import torch
from torchvision.models.detection._utils import BoxCoder, _box_loss
from torchvision.ops import box_iou

from core.config import Loss
from core.retinanet.assigners.match import Match
from core.retinanet.losses import box_loss, predicted_ious
from tests.core.retinanet.test_boxes import random_boxes


@pytest.mark.parametrize("kind", ["l1", "smooth_l1", "giou", "diou", "ciou"])
def test_box_losses_same_as_torchvision(kind):
    anchors, boxes = random_boxes(60, 5), random_boxes(60, 6)
    deltas = torch.randn(60, 4, generator=torch.Generator().manual_seed(7)) * 0.3
    ours, theirs = deltas.clone().requires_grad_(), deltas.clone().requires_grad_()
    mine = box_loss(ours, boxes, anchors, Loss(box_loss=kind, smooth_l1_beta=0.2, box_weight=1)).sum()
    reference = _box_loss(kind, BoxCoder((1.0, 1.0, 1.0, 1.0)), anchors, boxes, theirs, {"beta": 0.2})
    assert torch.allclose(mine, reference, rtol=1e-5)
    mine.backward()
    reference.backward()
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-5)


def test_smooth_l1_by_hand():
    """Deltas off by 0.05 (inside β = 0.1) and 1 (outside): 0.05²/(2β) and 1 − β/2; the weight multiplies."""
    anchor = torch.tensor([[0.0, 0, 10, 10]])
    value = box_loss(torch.tensor([[0.05, 1, 0, 0]]), anchor, anchor, Loss(smooth_l1_beta=0.1, box_weight=2))
    assert value.item() == pytest.approx(2 * (0.0125 + 0.95))


def match_of(objects: list[int]) -> Match:
    """Returns an assignment of anchors to objects; −1 is background."""
    numbers, none = torch.tensor(objects), torch.zeros(0)
    forced = torch.zeros(len(objects), dtype=torch.bool)
    return Match((numbers >= 0).to(torch.int8), numbers.clamp(min=0), forced.float(), forced, none, none.long())


def test_predicted_ious_by_hand():
    """A box that is its object, one that is half a width beside it, one far away, and one without area."""
    anchors = torch.tensor([[0.0, 0, 10, 10]]).repeat(5, 1)
    deltas = torch.tensor([[0.0, 0, 0, 0], [0.5, 0, 0, 0], [9.0, 9, 9, 9], [3.0, 0, 0, 0], [0.0, 0, -200, -200]])
    boxes = torch.tensor([[0.0, 0, 10, 10], [5.0, 5, 5, 5]])
    found = predicted_ious(deltas, anchors, match_of([0, 0, -1, 0, 1]), boxes)
    assert found.tolist() == pytest.approx([1, 1 / 3, 0, 0])


def test_predicted_ious_are_those_of_torchvision_and_have_no_gradient():
    anchors, boxes = random_boxes(40, 1), random_boxes(6, 2)
    deltas = (torch.randn(40, 4, generator=torch.Generator().manual_seed(3)) * 0.3).requires_grad_()
    match = match_of([number % 7 - 1 for number in range(40)])
    found = predicted_ious(deltas, anchors, match, boxes)
    decoded = BoxCoder((1.0, 1.0, 1.0, 1.0)).decode_single(deltas.detach(), anchors)
    expected = box_iou(decoded, boxes)[torch.arange(40), match.object][match.foreground]
    assert torch.allclose(found, expected, atol=1e-6) and not found.requires_grad and found.max() > 0
