import pytest
import torch
from torchvision.models.detection._utils import BoxCoder, _box_loss

from core.config import Loss
from core.retinanet.losses import box_loss
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
