"""Who pays the loss of a batch: the foreground of each class, and background."""

import math

import pytest
import torch

from core.retinanet.losses import AnchorLosses, batch_losses
from core.retinanet.preprocess import prepare
from core.training.optimization import class_shares as module
from core.training.optimization.class_shares import find_shares, sum_by_class
from tests.core.training.optimization.test_gradients import compute, make_network, make_samples, tiny


def losses(paid: list[float], by_class: list[float], foreground: int) -> AnchorLosses:
    values = torch.tensor(paid), torch.zeros(len(paid)), torch.ones(len(paid)).bool(), torch.tensor(foreground)
    return AnchorLosses(*values, by_class=torch.tensor(by_class))


ONE = losses([1.0, 2, 3, 4], [2.0, 3, 0], 2)  # two anchors of the classes 0 and 1; background pays 5
OTHER = losses([1.0, 1], [0.0, 0, 0], 0)


def test_background_pays_what_foreground_does_not():
    assert sum_by_class([ONE], "batch").tolist() == [2, 3, 0, 5]
    assert find_shares(sum_by_class([ONE], "batch")) == (0.2, 0.3, 0, 0.5)


def test_images_count_as_in_the_loss():
    assert sum_by_class([ONE, OTHER], "batch").tolist() == [2, 3, 0, 7]
    assert sum_by_class([ONE, OTHER], "moving_average").tolist() == [2, 3, 0, 7]
    assert sum_by_class([ONE, OTHER], "image").tolist() == [1, 1.5, 0, 2.5 + 2]  # each divided by its own foreground


def test_what_cannot_be_shared_has_no_shares(monkeypatch):
    assert find_shares(None) == find_shares(torch.zeros(4)) == find_shares(torch.tensor([1.0, math.inf])) == ()
    assert find_shares(torch.tensor([math.nan, 1.0])) == ()
    assert find_shares(torch.tensor([1.0, -1e-9])) == (1, 0)  # rounding
    monkeypatch.setattr(module, "MOST_CLASSES", 2)
    assert sum_by_class([ONE], "batch") is None


@pytest.mark.slow
@pytest.mark.parametrize("normaliser", ["image", "batch"])
@pytest.mark.parametrize("parts", [1, 2, 64])
def test_the_shares_of_a_batch_are_those_of_its_anchors_however_it_is_computed(normaliser, parts):
    config = tiny(loss__normaliser=normaliser, training__accumulation=parts)
    shares = compute(config)[0].class_shares
    samples, model = make_samples(), make_network(config)
    batch = prepare([each.image for each in samples], config.inference)
    expected, whole = [0.0] * 7, 0.0
    for each, sample in zip(batch_losses(model(batch.pixels), batch, samples, config), samples, strict=True):
        divisor = max(1, int(each.foreground)) if normaliser == "image" else 1
        whole += each.classification.sum().item() / divisor
        for label in set(sample.labels.tolist()):
            expected[label] += each.by_class[label].item() / divisor
    expected[6] = whole - sum(expected)
    assert shares == pytest.approx([each / whole for each in expected], abs=1e-5)
    assert math.fsum(shares) == pytest.approx(1) and min(shares[:6]) >= 0 and shares[6] > 0


@pytest.mark.slow
def test_under_ghm_the_weights_are_those_of_the_batch_so_that_images_have_no_shares():
    assert compute(tiny(loss__kind="ghm"))[0].class_shares == ()
