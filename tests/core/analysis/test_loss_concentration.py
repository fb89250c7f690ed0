"""Figure 4's arithmetic against literals, and its properties as the paper states them."""

import math

import pytest
import torch

from core.analysis.loss_concentration import AnchorLogits, compute_cumulative_loss, compute_hardest_share
from core.config import Loss
from core.retinanet.assigners.match import BACKGROUND, FOREGROUND, IGNORED, Match


def test_cumulative_by_hand():
    assert compute_cumulative_loss(torch.tensor([3.0, 1.0, 6.0])).tolist() == pytest.approx([0.1, 0.4, 1.0])
    assert compute_cumulative_loss(torch.tensor([])).tolist() == []
    assert compute_cumulative_loss(torch.zeros(2)).tolist() == [0, 0]


def test_hardest_share_by_hand():
    losses = compute_cumulative_loss(torch.tensor([1.0, 1.0, 2.0, 6.0]))
    assert compute_hardest_share(losses, 0.25) == pytest.approx(0.6)
    assert compute_hardest_share(losses, 0.5) == pytest.approx(0.8)
    assert compute_hardest_share(losses, 0.001) == pytest.approx(0.6)  # never less than one anchor
    assert compute_hardest_share(losses, 1) == pytest.approx(1)
    assert math.isnan(compute_hardest_share(torch.tensor([]), 0.2))


def test_sides_by_hand():
    logits = torch.tensor([[0.0, 0.0], [2.0, -2.0], [-30.0, -30.0]])
    match = Match(
        torch.tensor([FOREGROUND, IGNORED, BACKGROUND], dtype=torch.int8),
        torch.tensor([1, 0, 0]),
        torch.zeros(3),
        torch.zeros(3, dtype=torch.bool),
        torch.zeros(2),
        torch.zeros(2, dtype=torch.int64),
    )
    anchors = torch.tensor([[0.0, 0, 10, 10]]).expand(3, 4)
    boxes = torch.tensor([[0.0, 0, 9, 9], [0.0, 0, 10, 5]])
    sides = AnchorLogits.from_outputs(logits, torch.zeros(3, 4), anchors, match, boxes, torch.tensor([0, 1]))
    foreground, background = sides.compute_losses(Loss(kind="cross_entropy"))
    assert sides.labels.tolist() == [1]
    assert foreground.tolist() == pytest.approx([2 * math.log(2)])
    assert background.tolist() == pytest.approx([0], abs=1e-9)
    assert sides.ious.tolist() == [0.5]
    quality, _ = sides.compute_losses(Loss(kind="quality_focal"))  # the score 1/2 is right for its class
    assert quality.tolist() == pytest.approx([math.log(2) / 4])
    assert [len(part) for part in AnchorLogits.join([sides, sides])] == [2, 2, 2, 2]


def test_focusing_concentrates_the_loss_on_hard_anchors():
    """The larger γ, the larger the share of the hardest anchors, since easy ones are down-weighted more."""
    torch.manual_seed(0)
    sides = AnchorLogits(
        torch.randn(50, 1), torch.zeros(50, dtype=torch.int64), torch.randn(5000, 1) * 2 - 5, torch.ones(50)
    )
    shares = [
        compute_hardest_share(compute_cumulative_loss(sides.compute_losses(Loss(gamma=gamma))[1]), 0.01)
        for gamma in (0.0, 0.5, 1.0, 2.0)
    ]
    assert shares == sorted(shares) and shares[0] < 0.4 < 0.7 < shares[-1]


@pytest.mark.parametrize("alpha", [0.1, 0.75])
def test_alpha_cancels(alpha):
    torch.manual_seed(1)
    sides = AnchorLogits(torch.randn(9, 3), torch.randint(3, (9,)), torch.randn(40, 3), torch.ones(9))
    torch.testing.assert_close(
        compute_cumulative_loss(sides.compute_losses(Loss(alpha=alpha))[1]),
        compute_cumulative_loss(sides.compute_losses(Loss(alpha=0.25))[1]),
    )
