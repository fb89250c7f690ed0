"""GHM-C against its formula, pair by pair."""

import math

import pytest
import torch

from core.config import Loss
from core.retinanet.losses import (
    GradientAverage,
    anchor_losses,
    classification_loss,
    count_bins,
    find_bins,
    harmonise,
    total_loss,
)
from tests.core.retinanet.losses.test_classification import logits_and_targets
from tests.core.retinanet.losses.test_image import example


def harmonised(logits: torch.Tensor, targets: torch.Tensor, bins: int) -> float:
    """Computes the loss as the paper writes it: the sum of CE / GD(g), where GD(g) = R(g) · M."""
    pairs = list(zip(logits.flatten().tolist(), targets.flatten().tolist(), strict=True))
    norms = [abs(1 / (1 + math.exp(-x)) - y) for x, y in pairs]
    regions = [min(int(norm * bins), bins - 1) for norm in norms]
    total = 0.0
    for (x, y), region in zip(pairs, regions, strict=True):
        cross_entropy = math.log1p(math.exp(-x if y else x))
        total += cross_entropy / (regions.count(region) * bins)
    return total


def test_bins_by_hand():
    """Scores 0.1, 0.5, 0.9 and 1 as background have gradients of these sizes, and as foreground 0.9, 0.5, 0.1 and 0."""
    logits = torch.tensor([-math.log(9), 0, math.log(9), 100])
    assert find_bins(logits, torch.zeros(4), 4).tolist() == [0, 2, 3, 3]
    assert find_bins(logits, torch.ones(4), 4).tolist() == [3, 2, 0, 0]
    assert count_bins(torch.tensor([[0, 2], [2, 3]]), 4).tolist() == [1, 0, 2, 1]


def test_weights_by_hand():
    """β = N / (M R): of 8 scores in two bins, 6 share one."""
    counts = torch.tensor([6.0, 2.0])
    assert harmonise(torch.tensor([0, 1]), counts).tolist() == pytest.approx([8 / 12, 8 / 4])
    assert harmonise(torch.tensor([0, 1]), torch.tensor([4.0, 4.0])).tolist() == [1, 1]
    assert harmonise(torch.tensor([1]), torch.tensor([8.0, 0.0])).tolist() == [4]  # as if alone


def losses_of(logits: torch.Tensor, loss: Loss):
    _, deltas, anchors, match, boxes, labels = example()
    return anchor_losses(logits, deltas, anchors, match, boxes, labels, loss)


def used_scores(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the logits and targets of `example` without those of its ignored anchor."""
    targets = torch.zeros(5, 3)
    targets[0, 0] = targets[3, 2] = 1
    used = torch.tensor([0, 2, 3, 4])
    return logits[used], targets[used]


@pytest.mark.parametrize("bins", [1, 4, 30])
def test_the_loss_of_a_batch_is_the_papers(bins):
    """The scores of all images are counted together; the normaliser divides none of them."""
    loss = Loss(kind="ghm", ghm_bins=bins)
    first, second = logits_and_targets(1, (5, 3))[0], logits_and_targets(2, (5, 3))[0] - 3
    images = [losses_of(each, loss) for each in (first, second)]
    pairs = [used_scores(each) for each in (first, second)]
    expected = harmonised(*(torch.cat(each) for each in zip(*pairs, strict=True)), bins)
    for normaliser in ("image", "batch", "moving_average"):
        divided = loss.model_copy(update={"normaliser": normaliser})
        found = total_loss(images, divided)
        assert found.classification.item() == pytest.approx(expected, rel=1e-5)
        assert found.box == total_loss([each._replace(bins=None) for each in images], divided).box > 0
    one = total_loss(images[:1], loss).classification.item()
    assert one == pytest.approx(harmonised(*pairs[0], bins), rel=1e-5)
    assert images[0].classification.sum().item() == pytest.approx(12 * one, rel=1e-5)  # N = 4 anchors · 3 classes


def test_one_bin_is_the_mean_cross_entropy():
    logits = logits_and_targets(3, (5, 3))[0]
    scores, targets = used_scores(logits)
    mean = classification_loss(scores, targets, Loss(kind="cross_entropy")).mean()
    assert torch.allclose(total_loss([losses_of(logits, Loss(kind="ghm", ghm_bins=1))], Loss()).classification, mean)


def test_the_gradient_is_that_of_cross_entropy_over_the_density():
    """Closed form: (p − y) / (M R); the density itself has none."""
    logits = (logits_and_targets(4, (5, 3))[0]).requires_grad_()
    total_loss([losses_of(logits, Loss(kind="ghm", ghm_bins=4))], Loss(kind="ghm")).classification.backward()
    scores, targets = used_scores(logits.detach())
    numbers = find_bins(scores, targets, 4)
    closed = (scores.sigmoid() - targets) / (4 * count_bins(numbers, 4)[numbers])
    assert torch.allclose(logits.grad[[0, 2, 3, 4]], closed, atol=1e-6) and (logits.grad[1] == 0).all()


def test_the_average_counts_by_hand():
    """S = 0.75 S + 0.25 R; the first batch begins it."""
    average = GradientAverage(0.75)
    assert average.update(torch.tensor([8.0, 0.0])).tolist() == [8, 0]
    assert average.update(torch.tensor([0.0, 4.0])).tolist() == [6, 1]
    assert GradientAverage(0.0).update(torch.tensor([3.0])).tolist() == [3]


def test_averaged_counts_divide_the_loss():
    logits = logits_and_targets(5, (5, 3))[0]
    losses, loss = losses_of(logits, Loss(kind="ghm", ghm_bins=4)), Loss(kind="ghm", ghm_bins=4)
    own, doubled = total_loss([losses], loss), total_loss([losses], loss, None, 2 * losses.bins.counts)
    assert doubled.classification.item() == pytest.approx(own.classification.item() / 2)


def test_added_up_losses_keep_their_bins():
    """Held-out losses are added up image by image, and are then those of all images as one batch."""
    loss = Loss(kind="ghm")
    images = [losses_of(logits_and_targets(seed, (5, 3))[0], loss) for seed in (6, 7)]
    added = total_loss([each.add_up() for each in images], loss)
    assert torch.allclose(added.total, total_loss(images, loss).total)


@pytest.mark.parametrize("value", [1e4, -1e4, 0.0])
def test_huge_logits_stay_finite(value):
    logits = torch.full((5, 3), value, requires_grad=True)
    losses = total_loss([losses_of(logits, Loss(kind="ghm"))], Loss(kind="ghm"))
    losses.classification.backward()
    assert losses.classification.isfinite() and logits.grad.isfinite().all()


def test_a_network_that_diverged_has_no_loss():
    loss = Loss(kind="ghm")
    assert total_loss([losses_of(torch.full((5, 3), math.nan), loss)], loss).classification.isnan()
