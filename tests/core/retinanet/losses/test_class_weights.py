"""Class weights: by hand, in the loss of each anchor, and their gradients."""

import pytest
import torch

from core.config import Config, Loss, knobs
from core.retinanet.assigners.match import Match
from core.retinanet.losses import anchor_losses, total_loss, weigh_classes
from tests.core.retinanet.test_boxes import random_boxes

INVERSE, EFFECTIVE = Loss(class_weights="inverse_frequency"), Loss(class_weights="effective_number")
KINDS = knobs()["loss.kind"].choices


def effective(beta: float) -> Loss:
    return Loss(class_weights="effective_number", class_weights_beta=beta)


def test_by_hand():
    """1 : 1/2 : 1/4 is 4 : 2 : 1, and the sum is 3; with β = 1/2 the effective numbers of 1, 2, 3 are 1, 3/2, 7/4."""
    assert weigh_classes([1, 2, 4], Loss()) is None
    assert weigh_classes([1, 2, 4], INVERSE).tolist() == pytest.approx([12 / 7, 6 / 7, 3 / 7])
    numbers = [1, 3 / 2, 7 / 4]
    scale = 3 / sum(1 / each for each in numbers)
    assert weigh_classes([1, 2, 3], effective(0.5)).tolist() == pytest.approx([scale / each for each in numbers])


def test_beta_leads_from_none_to_inverse_frequency():
    counts = [3, 40, 500]
    assert weigh_classes(counts, effective(0)).tolist() == [1, 1, 1]
    nearly = weigh_classes(counts, effective(0.999999))
    assert torch.allclose(nearly, weigh_classes(counts, INVERSE), rtol=1e-3)
    rarest = [weigh_classes(counts, effective(beta))[0].item() for beta in (0, 0.9, 0.99, 0.999, 0.9999)]
    assert rarest == sorted(rarest) and rarest[-1] < 3
    many = weigh_classes([10**6, 10**7], effective(0.999))  # both far beyond 1 / (1 − β) = 1000
    assert many.tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize("loss", [INVERSE, EFFECTIVE])
def test_the_sum_is_the_number_of_classes_with_objects(loss):
    assert weigh_classes([7, 1, 90, 2], loss).sum().item() == pytest.approx(4)
    found = weigh_classes([7, 0, 90], loss)
    assert found[1] == 1 and (found[0] + found[2]).item() == pytest.approx(2)
    assert weigh_classes([0, 0], loss).tolist() == [1, 1] and weigh_classes([5], loss).tolist() == [1]


def make_case() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, Match, torch.Tensor, torch.Tensor]:
    """Twelve anchors, of which 1, 4 and 7 are foreground, of the classes 2, 0 and 2, and the last one is ignored."""
    torch.manual_seed(0)
    logits, deltas = torch.randn(12, 3).requires_grad_(), torch.randn(12, 4).requires_grad_()
    label, objects = torch.zeros(12, dtype=torch.int64), torch.zeros(12, dtype=torch.int64)
    label[[1, 4, 7]], label[11] = 1, -1
    objects[[1, 4, 7]] = torch.tensor([0, 1, 2])
    match = Match(label, objects, *(torch.zeros(12),) * (len(Match._fields) - 2))
    return logits, deltas, random_boxes(12, 8), match, random_boxes(3, 9), torch.tensor([2, 0, 2])


@pytest.mark.parametrize("kind", KINDS)
def test_a_foreground_anchor_pays_by_the_weight_of_its_class(kind):
    """The plain reference: the loss without weights, times each anchor's own; of OHEM, before its choice."""
    logits, *rest = make_case()
    loss = Loss(kind=kind, ohem_anchors=1000, ohem_nms_threshold=1)
    factors = torch.ones(12)
    factors[[1, 4, 7]] = torch.tensor([5.0, 0.5, 5.0])
    plain = anchor_losses(logits, *rest, loss)
    weighted = anchor_losses(logits, *rest, loss, torch.tensor([0.5, 3.0, 5.0]))
    assert torch.allclose(weighted.classification, plain.classification * factors)
    assert torch.equal(weighted.box, plain.box) and torch.equal(weighted.used, plain.used)
    expected = torch.autograd.grad((plain.classification * factors).sum(), logits, retain_graph=True)[0]
    found = torch.autograd.grad(weighted.classification.sum(), logits, retain_graph=True)[0]
    assert torch.allclose(found, expected, atol=1e-7)
    assert not torch.allclose(found, torch.autograd.grad(plain.classification.sum(), logits)[0])


def test_the_batch_loss_of_ghm_has_the_weights_but_not_its_counts():
    logits, *rest = make_case()
    loss = Loss(kind="ghm", ghm_bins=4)
    plain, weighted = (anchor_losses(logits, *rest, loss, weights) for weights in (None, torch.tensor([0.5, 3, 5])))
    assert torch.equal(plain.bins.counts, weighted.bins.counts)
    mean = weighted.classification.sum() / weighted.bins.counts.sum()
    assert torch.allclose(total_loss([weighted], loss).classification, mean)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_one_change_nothing(kind):
    logits, *rest = make_case()
    plain, weighted = (anchor_losses(logits, *rest, Loss(kind=kind), weights) for weights in (None, torch.ones(3)))
    assert torch.equal(plain.classification, weighted.classification)


def test_ohem_selects_by_weighted_losses():
    logits, *rest = make_case()
    loss = Loss(kind="ohem", ohem_anchors=1, ohem_nms_threshold=1)
    chosen = anchor_losses(logits, *rest, loss, torch.tensor([1000.0, 1, 1])).used.nonzero().flatten().tolist()
    assert chosen == [4]


def test_a_diverged_score_stays_noticed():
    logits, *rest = make_case()
    broken = logits.detach().index_put((torch.tensor(4), torch.tensor(0)), torch.tensor(torch.nan))
    assert anchor_losses(broken, *rest, Loss(), torch.ones(3)).classification.sum().isnan()


def test_the_default_has_no_weights():
    assert Config().loss.class_weights == "none"
