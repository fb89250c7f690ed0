"""New class heads equal those of a whole network, score π at every anchor, and have the loss of the closed form."""

import math

import pytest
import torch

from core.analysis.initial_logits import NO_PRIOR, compute_initial_logits
from core.config import Loss, Model
from core.retinanet.heads import prior_logit
from core.retinanet.losses import classification_loss
from core.retinanet.model import build_model

SHAPE = {"num_classes": 6, "anchors_per_location": 9}


def levels(channels: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.randn(1, channels, side, side, generator=generator) for side in (12, 6, 3, 2, 1))


@pytest.mark.slow
@pytest.mark.parametrize("prior", [0.0001, 0.01, 0.5])
@pytest.mark.parametrize("shape", [{"num_convs": 0}, {"num_convs": 2, "head_norm": "none"}, {"num_convs": 4}])
def test_the_heads_are_those_of_a_whole_network(prior, shape):
    model = Model(fpn_channels=32, prior_probability=prior, **shape)
    torch.manual_seed(5)
    head = build_model(model, **SHAPE).eval().head["classification_head"]
    with torch.inference_mode():
        expected = head(levels(32))
    found = compute_initial_logits(levels(32), model, **SHAPE, seed=5) + prior_logit(prior)
    assert found.shape == (1, 194 * 9, 6) and torch.allclose(found, expected, atol=1e-5)


def test_the_prior_is_the_initial_score():
    assert prior_logit(0.01) == pytest.approx(math.log(1 / 99)) and prior_logit(NO_PRIOR) == 0
    scores = (compute_initial_logits(levels(64), Model(), **SHAPE, seed=0) + prior_logit(0.01)).sigmoid()
    assert scores.mean().item() == pytest.approx(0.01, rel=0.1)


def test_without_a_prior_each_background_score_costs_ln_2():
    logits = compute_initial_logits(levels(64), Model(), **SHAPE, seed=0)
    paid = classification_loss(logits, torch.zeros_like(logits), Loss(kind="cross_entropy"))
    assert paid.mean().item() == pytest.approx(math.log(2), rel=0.02)


def test_the_global_random_state_is_unchanged():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    compute_initial_logits(levels(64), Model(), **SHAPE, seed=0)
    assert torch.equal(torch.rand(2), expected)
