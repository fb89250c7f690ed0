"""The page says what half precision changes in the picture on show."""

import pytest
import torch

from core.retinanet.predict import predict
from playground.pipeline import outputs
from playground.steps import STEPS
from playground.steps.step import Focus
from playground.support.cache import PostponedError
from tests.playground.pipeline.test_pipeline import make


def say(here) -> str:
    return STEPS["network"].build_view(here, Focus()).build_text().readout


@pytest.mark.slow
def test_the_largest_change_of_a_score_is_told():
    exact, half = make(scenes__seed=12), make(scenes__seed=12, inference__precision="bf16")
    image = half.picture.sample.image
    scores = [predict(half.network.model, [image], each.config).outputs.logits.sigmoid() for each in (exact, half)]
    expected = (scores[0] - scores[1]).abs().max().item()
    assert half.rounding == pytest.approx(expected, rel=1e-3) and 0 < expected < 0.05
    assert f"does so by {expected:.4f}." in say(half) and "bf16" not in say(exact)
    assert all(each.dtype == torch.float32 for each in (*half.pyramid.body, *half.pyramid.levels))
    assert not torch.equal(half.pyramid.levels[0], exact.pyramid.levels[0])


def test_a_held_knob_does_not_wait_for_the_exact_scores(monkeypatch):
    half = make(scenes__seed=13, inference__precision="bf16")
    assert half.prediction and half.pyramid
    monkeypatch.setattr(outputs, "QUICK_GFLOPS", 0)
    half.postpone_slow = True
    with pytest.raises(PostponedError):
        _ = half.rounding
    assert half.has_postponed and "The network computes in bf16. The processor" in say(half)
