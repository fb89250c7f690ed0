import math

import pytest
import torch
import torch.nn.functional as F
from torchvision.models.detection._utils import BoxCoder, _box_loss
from torchvision.ops import box_iou, sigmoid_focal_loss

from core.config import Loss
from core.retinanet.losses import (
    AnchorLosses,
    ForegroundAverage,
    anchor_losses,
    box_loss,
    classification_loss,
    focal_loss,
    select_hardest,
    total_loss,
)
from core.retinanet.matching import BACKGROUND, FOREGROUND, IGNORED, Match
from tests.core.retinanet.test_boxes import random_boxes


def logits_and_targets(seed: int = 0, shape: tuple = (200, 7)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * 4, (torch.rand(shape, generator=generator) < 0.3).float()


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2), (0.5, 0.5), (0.75, 0), (0, 5), (1, 1)])
def test_focal_loss_and_gradient_same_as_torchvision(alpha, gamma):
    logits, targets = logits_and_targets()
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    mine = focal_loss(ours, targets, alpha=alpha, gamma=gamma)
    reference = sigmoid_focal_loss(theirs, targets, alpha=alpha, gamma=gamma)
    assert torch.allclose(mine, reference, atol=1e-6)
    mine.sum().backward()
    reference.sum().backward()
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_gradient_is_the_closed_form_of_the_appendix(gamma):
    """Paper, appendix B: dFL/dx = y (1−p_t)^γ (γ p_t log p_t + p_t − 1), here times α_t."""
    logits, targets = logits_and_targets(1)
    logits = logits.double().requires_grad_()
    focal_loss(logits, targets.double(), alpha=0.25, gamma=gamma).sum().backward()
    sign = 2 * targets.double() - 1
    p_t = torch.sigmoid(logits.detach() * sign)
    alpha_t = torch.where(targets == 1, 0.25, 0.75)
    closed = alpha_t * sign * (1 - p_t) ** gamma * (gamma * p_t * p_t.log() + p_t - 1)
    assert torch.allclose(logits.grad, closed, atol=1e-10)


def test_gradcheck():
    logits, targets = logits_and_targets(2, (4, 3))
    logits = logits.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, targets.double(), alpha=0.3, gamma=1.5), logits)


def test_the_papers_own_numbers():
    """γ = 2 lowers the loss 100 times at p_t = 0.9, about 1000 times at 0.968 and at most 4 times below 0.5."""

    def ratio(p_t: float) -> float:
        logit = torch.tensor([math.log(p_t / (1 - p_t))], dtype=torch.float64)
        one = torch.ones_like(logit)
        return (
            classification_loss(logit, one, Loss(kind="cross_entropy")) / focal_loss(logit, one, alpha=1, gamma=2)
        ).item()

    assert ratio(0.9) == pytest.approx(100)
    assert ratio(0.968) == pytest.approx(976.6, abs=0.1)
    assert ratio(0.5) == pytest.approx(4) and ratio(0.2) < 4


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5, 2.0, 8.0])
def test_huge_logits_stay_finite(gamma):
    assert_finite(Loss(gamma=gamma))


@pytest.mark.parametrize("cutoff", [0.05, 1.0])
def test_huge_logits_stay_finite_under_a_cutoff(cutoff):
    assert_finite(Loss(kind="cutoff", cutoff=cutoff))


def assert_finite(loss: Loss) -> None:
    logits = torch.tensor([-1e4, -100.0, -20, 0, 20, 100, 1e4]).repeat(2, 1).requires_grad_()
    targets = torch.tensor([[0.0], [1.0]]).expand(2, 7)
    values = classification_loss(logits, targets, loss)
    values.sum().backward()
    assert values.isfinite().all() and logits.grad.isfinite().all()


def test_gamma_zero_is_balanced_cross_entropy_and_that_at_a_half_is_half_cross_entropy():
    logits, targets = logits_and_targets(3)
    zero = classification_loss(logits, targets, Loss(gamma=0, alpha=0.3))
    balanced = classification_loss(logits, targets, Loss(kind="balanced_cross_entropy", alpha=0.3, gamma=5))
    half = classification_loss(logits, targets, Loss(kind="balanced_cross_entropy", alpha=0.5))
    assert torch.equal(zero, balanced)
    assert torch.allclose(2 * half, F.binary_cross_entropy_with_logits(logits, targets, reduction="none"), atol=1e-5)


@pytest.mark.parametrize("cutoff", [0.05, 0.5, 0.8, 1.0])
def test_cutoff_is_cross_entropy_up_to_the_cutoff_and_zero_above(cutoff):
    """Value and gradient in closed form: −α_t log p_t and ∓α_t (1 − p_t), or 0."""
    logits, targets = logits_and_targets(5)
    logits, targets = logits.double().requires_grad_(), targets.double()
    values = classification_loss(logits, targets, Loss(kind="cutoff", alpha=0.3, cutoff=cutoff))
    values.sum().backward()
    sign = 2 * targets - 1
    p_t = torch.sigmoid(logits.detach() * sign)
    alpha_t = torch.where(targets == 1, 0.3, 0.7)
    pays = p_t <= cutoff
    assert pays.any() and (cutoff == 1 or not pays.all())
    assert torch.allclose(values, torch.where(pays, -alpha_t * p_t.log(), 0.0), atol=1e-10)
    assert torch.allclose(logits.grad, torch.where(pays, alpha_t * sign * (p_t - 1), 0.0), atol=1e-10)


def test_cutoff_by_hand():
    """At a cut-off of 0.5, p_t = 0.5 has the loss ln 2 and the next larger score none; at 1 every score has one."""
    edge = torch.tensor([0.0, 1e-3, -1e-3, 50.0], dtype=torch.float64)
    one = torch.ones_like(edge)
    values = classification_loss(edge, one, Loss(kind="cutoff", alpha=1, cutoff=0.5)).tolist()
    assert values == pytest.approx([math.log(2), 0, math.log(2) + 0.0005, 0], abs=1e-6)
    all_of = classification_loss(edge, one, Loss(kind="cutoff", alpha=1, cutoff=1))
    assert torch.equal(all_of, classification_loss(edge, one, Loss(kind="balanced_cross_entropy", alpha=1)))
    assert all_of[3] > 0


def test_gradcheck_of_the_cutoff():
    """By finite differences, away from the step at p_t = 0.6, a logit of 0.41."""
    logits = torch.tensor([-3.0, -0.5, 0.3, 0.6, 2.0], dtype=torch.float64).repeat(2, 1).requires_grad_()
    targets = torch.tensor([[0.0], [1.0]], dtype=torch.float64).expand(2, 5)
    loss = Loss(kind="cutoff", alpha=0.4, cutoff=0.6)
    assert torch.autograd.gradcheck(lambda x: classification_loss(x, targets, loss), logits)


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


def test_ignored_anchors_get_no_gradient():
    logits, deltas, anchors, match, boxes, labels = example()
    logits.requires_grad_(), deltas.requires_grad_()
    total_loss([anchor_losses(logits, deltas, anchors, match, boxes, labels, Loss())], Loss()).total.backward()
    assert (logits.grad[1] == 0).all() and (logits.grad[[0, 2, 3, 4]] != 0).all()
    assert (deltas.grad[[1, 2, 4]] == 0).all() and (deltas.grad[[0, 3]] != 0).any()


@pytest.mark.parametrize("kind", ["focal", "cross_entropy", "balanced_cross_entropy", "ohem", "cutoff"])
def test_image_without_objects(kind):
    logits = torch.randn(20, 3, requires_grad=True)
    nothing = Match(torch.zeros(20, dtype=torch.int8), torch.zeros(20, dtype=torch.int64), torch.zeros(20),
                    torch.zeros(20, dtype=torch.bool), torch.zeros(0), torch.zeros(0, dtype=torch.int64))  # fmt: skip
    empty, none = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    result = anchor_losses(logits, torch.zeros(20, 4), random_boxes(20), nothing, empty, none, Loss(kind=kind))
    losses = total_loss([result], Loss(kind=kind))
    losses.total.backward()
    assert losses.box == 0 and losses.classification > 0 and logits.grad.isfinite().all()


def image(classification: float, box: float, foreground: int) -> AnchorLosses:
    values = torch.tensor([classification, 0.0]), torch.tensor([box, 0.0])
    return AnchorLosses(*values, torch.ones(2, dtype=torch.bool), torch.tensor(foreground))


def test_normalisers_by_hand():
    images = [image(8.0, 4.0, 4), image(3.0, 0.0, 0)]
    assert [x.item() for x in total_loss(images, Loss(normaliser="image"))] == [(8 / 4 + 3) / 2, (4 / 4 + 0) / 2]
    assert [x.item() for x in total_loss(images, Loss(normaliser="batch"))] == [11 / 4, 1]
    assert [x.item() for x in total_loss(images, Loss(normaliser="moving_average"), 10)] == pytest.approx([1.1, 0.4])


def test_moving_average_starts_at_a_hundred():
    average = ForegroundAverage()
    assert average.update(50) == pytest.approx(95)
    assert average.update(0) == pytest.approx(85.6)  # a count of 0 counts as 1


def spread(count: int) -> torch.Tensor:
    """Boxes that do not touch."""
    x = torch.arange(count) * 20.0
    return torch.stack([x, x * 0, x + 10, x * 0 + 10], dim=1)


def test_ohem_keeps_the_hardest_usable():
    values = torch.tensor([5.0, 4, 3, 2, 1])
    usable = torch.tensor([True, False, True, True, True])
    chosen = select_hardest(
        values, spread(5), torch.zeros(5, dtype=torch.bool), usable, Loss(kind="ohem", ohem_anchors=2)
    )
    assert chosen.tolist() == [True, False, True, False, False]


def test_ohem_nms_leaves_one_of_overlapping_anchors():
    anchors = torch.cat([spread(1).repeat(6, 1), spread(4)[1:]])
    values = torch.arange(9, 0, -1.0)
    all_of = torch.ones(9, dtype=torch.bool)
    loss = Loss(kind="ohem", ohem_anchors=3)
    assert select_hardest(values, anchors, ~all_of, all_of, loss).nonzero().flatten().tolist() == [0, 6, 7]
    off = select_hardest(values, anchors, ~all_of, all_of, Loss(kind="ohem", ohem_anchors=3, ohem_nms_threshold=1))
    assert off.nonzero().flatten().tolist() == [0, 1, 2]


def test_ohem_searches_past_duplicates():
    """The requested number of anchors is found, however many duplicates come first."""
    anchors = torch.cat([spread(1).repeat(500, 1), spread(10)])
    all_of = torch.ones(510, dtype=torch.bool)
    chosen = select_hardest(torch.arange(510, 0, -1.0), anchors, ~all_of, all_of, Loss(kind="ohem", ohem_anchors=10))
    assert chosen.sum() == 10 and (box_iou(anchors[chosen], anchors[chosen]) > 0.7).sum() == 10


def test_ohem_one_to_three():
    foreground = torch.zeros(40, dtype=torch.bool)
    foreground[[30, 39]] = True  # easy ones, which would not be selected by their loss
    loss = Loss(kind="ohem", ohem_anchors=16, ohem_one_to_three=True)
    chosen = select_hardest(torch.arange(40, 0, -1.0), spread(40), foreground, torch.ones(40, dtype=torch.bool), loss)
    assert chosen[foreground].all() and chosen[~foreground].sum() == 6
