import pytest
import torch
from torchvision.ops import sigmoid_focal_loss

from core.config import IOU_TARGETS, Loss, knobs
from core.retinanet.assigners.match import BACKGROUND, FOREGROUND, IGNORED, Match
from core.retinanet.losses import anchor_losses, classification_loss, predicted_ious, total_loss
from tests.core.retinanet.losses.test_classification import logits_and_targets
from tests.core.retinanet.test_boxes import random_boxes


def example() -> tuple:
    match = Match(
        label=torch.tensor([FOREGROUND, IGNORED, BACKGROUND, FOREGROUND, BACKGROUND], dtype=torch.int8),
        object=torch.tensor([1, 1, 0, 0, 0]),
        iou=torch.rand(5),
        forced=torch.zeros(5, dtype=torch.bool),
        best_iou=torch.rand(2),
        best_anchor=torch.tensor([3, 0]),
    )
    logits, _ = logits_and_targets(4, (5, 3))
    return logits, torch.randn(5, 4) * 0.1, random_boxes(5, 8), match, random_boxes(2, 9), torch.tensor([2, 0])


def test_losses_of_each_anchor():
    logits, deltas, anchors, match, boxes, labels = example()
    result = anchor_losses(logits, deltas, anchors, match, boxes, labels, Loss())
    targets = torch.zeros(5, 3)
    targets[0, 0] = targets[3, 2] = 1  # anchor 0 has object 1 of class 0, anchor 3 object 0 of class 2
    expected = sigmoid_focal_loss(logits, targets).sum(dim=1)
    expected[1] = 0
    assert torch.allclose(result.classification, expected, atol=1e-6)
    assert (result.box > 0).tolist() == [True, False, False, True, False]
    assert result.used.tolist() == [True, False, True, True, True] and result.foreground == 2


@pytest.mark.parametrize("kind", knobs()["loss.kind"].choices)
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 1, 1.5])])
def test_foreground_pays_for_the_class_of_its_object(kind, weights):
    logits, deltas, anchors, match, boxes, labels = example()
    result = anchor_losses(logits.requires_grad_(), deltas, anchors, match, boxes, labels, Loss(kind=kind), weights)
    first, *_, fourth, _ = result.classification.tolist()  # foreground, of the classes 0 and 2
    assert result.by_class.tolist() == [first, 0, fourth] and not result.by_class.requires_grad
    assert result.add_up().by_class is result.by_class


@pytest.mark.parametrize("kind", [kind for kind in knobs()["loss.kind"].choices if kind not in ("ohem", "ghm")])
def test_the_losses_of_anchors_are_those_of_their_scores(kind):
    """Value and gradient, whichever path computes them."""
    logits, deltas, anchors, match, boxes, labels = example()
    loss = Loss(kind=kind, alpha=0.3, gamma=1.5, cutoff=0.6)
    targets = torch.zeros(5, 3)
    ious = predicted_ious(deltas, anchors, match, boxes) if kind in IOU_TARGETS else torch.ones(2)
    targets[[0, 3], [0, 2]] = ious
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    found = anchor_losses(ours, deltas, anchors, match, boxes, labels, loss).classification
    expected = classification_loss(theirs, targets, loss).sum(dim=1) * torch.tensor([1.0, 0, 1, 1, 1])
    assert torch.allclose(found, expected, atol=1e-6)
    (found * torch.arange(5)).sum().backward()
    (expected * torch.arange(5)).sum().backward()
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-6)


@pytest.mark.parametrize("kind", IOU_TARGETS)
def test_the_boxes_get_no_gradient_from_targets_that_are_their_ious(kind):
    logits, _, anchors, match, _, labels = example()
    boxes = anchors[[3, 0]]  # so that the IoUs are high, and change with the deltas
    loss = Loss(kind=kind)

    def compute(shift: float) -> torch.Tensor:
        deltas = torch.full((5, 4), shift, requires_grad=True)
        losses = anchor_losses(logits.requires_grad_(), deltas, anchors, match, boxes, labels, loss)
        assert torch.autograd.grad(losses.classification.sum(), deltas, allow_unused=True) == (None,)
        return losses.classification.detach()

    changed = (compute(0.0) - compute(0.2)).abs() > 1e-6
    assert changed.tolist() == [True, False, False, True, False]


def test_ignored_anchors_get_no_gradient():
    logits, deltas, anchors, match, boxes, labels = example()
    logits.requires_grad_(), deltas.requires_grad_()
    total_loss([anchor_losses(logits, deltas, anchors, match, boxes, labels, Loss())], Loss()).total.backward()
    assert (logits.grad[1] == 0).all() and (logits.grad[[0, 2, 3, 4]] != 0).all()
    assert (deltas.grad[[1, 2, 4]] == 0).all() and (deltas.grad[[0, 3]] != 0).any()


@pytest.mark.parametrize("kind", knobs()["loss.kind"].choices)
def test_image_without_objects(kind):
    logits = torch.randn(20, 3, requires_grad=True)
    nothing = Match(torch.zeros(20, dtype=torch.int8), torch.zeros(20, dtype=torch.int64), torch.zeros(20),
                    torch.zeros(20, dtype=torch.bool), torch.zeros(0), torch.zeros(0, dtype=torch.int64))  # fmt: skip
    empty, none = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    result = anchor_losses(logits, torch.zeros(20, 4), random_boxes(20), nothing, empty, none, Loss(kind=kind))
    losses = total_loss([result], Loss(kind=kind))
    losses.total.backward()
    assert losses.box == 0 and losses.classification > 0 and logits.grad.isfinite().all()
