"""The closed form on the last convolution is what autograd finds, anchor by anchor and group by group."""

import pytest
import torch
from torch import nn

from core.config import Anchors, Loss, Matching
from core.retinanet.anchors import make_anchors
from core.retinanet.assigners import assign_anchors
from core.retinanet.assigners.match import IGNORED
from core.retinanet.assigners.simota import NetworkView
from core.retinanet.heads import flatten_maps
from core.retinanet.losses import anchor_losses, total_loss
from core.retinanet.model import build_model
from core.steering.kinds import KINDS, sort_by_kind
from core.steering.last_convolution import (
    LastConvolution,
    add_up_gradients,
    compute_inputs,
    estimate_gflops,
    estimate_memory,
    measure_norms,
    project,
)
from core.steering.ledger import open_ledger
from core.steering.slopes import find_slopes
from tests.core.networks import CONFIG, make_small_body

ANCHORS = Anchors.model_validate({"scales": (1.0, 1.5), "ratios": (0.5, 2.0)})
SIZE, CHANNELS, WIDTH = 40, 3, 2  # px; a map of 5 × 7 has borders on all sides


@pytest.fixture(scope="module")
def last():
    """A convolution of random features, of which a third of the anchors have slopes."""
    generator = torch.Generator().manual_seed(3)
    grid = make_anchors(ANCHORS, SIZE, SIZE + 16)
    features = tuple(torch.randn(CHANNELS, *size, generator=generator, dtype=torch.float64) for size in grid.grids)
    slopes = torch.randn(len(grid.boxes), WIDTH, generator=generator, dtype=torch.float64)
    slopes[torch.rand(len(slopes), generator=generator) > 1 / 3] = 0
    return LastConvolution(features, slopes, grid)


@pytest.fixture(scope="module")
def by_autograd(last):
    """The gradient of each anchor on the weight by autograd, [N, A·W, C, 3, 3]."""
    conv = nn.Conv2d(CHANNELS, last.shape[0], kernel_size=3, padding=1, dtype=torch.float64)
    outputs = torch.cat([flatten_maps(conv(each[None]), width=WIDTH)[0] for each in last.features])
    terms = (outputs * last.slopes).sum(dim=1)
    return torch.stack([torch.autograd.grad(term, conv.weight, retain_graph=True)[0] for term in terms])


@pytest.mark.slow
def test_norms_are_those_of_autograd(last, by_autograd):
    torch.testing.assert_close(measure_norms(last), by_autograd.flatten(1).norm(dim=1))


def test_inner_products_are_those_of_autograd(last, by_autograd):
    """With any gradient on the weight, such as that of one anchor: others of its shape alone have any with it."""
    anchor = int(last.slopes[:, 0].nonzero()[40])
    found = project(last, by_autograd[anchor])
    torch.testing.assert_close(found, by_autograd.flatten(1) @ by_autograd[anchor].flatten())
    shapes = torch.arange(len(found)) % last.grid.per_location
    assert (found[shapes != shapes[anchor]] == 0).all() and found[shapes == shapes[anchor]].count_nonzero() > 1
    torch.testing.assert_close(found[anchor].sqrt(), measure_norms(last)[anchor])


@pytest.mark.parametrize("share", [0.5, 0.01])
def test_groups_add_up_their_anchors(share, last, by_autograd):
    """Whether they are many, by the convolution's formula, or few, one by one."""
    chosen = torch.rand(len(last.slopes), generator=torch.Generator().manual_seed(4)) < share
    groups = torch.stack([chosen, ~chosen])
    found = add_up_gradients(last, groups)
    assert found.shape == (5, 2, *last.shape)
    for level, rows in enumerate(by_autograd.split(last.grid.counts)):
        for index, group in enumerate(groups):
            inside = group.split(last.grid.counts)[level]
            torch.testing.assert_close(found[level, index], rows[inside].sum(dim=0))


def test_a_hand_made_gradient():
    """One cell, one channel of value 3, slopes 2 and −1: the patch holds a single 3, in its middle."""
    grid = make_anchors(Anchors.model_validate({"scales": (1.0,), "ratios": (1.0,)}), 8, 8)
    slopes = torch.tensor([[2.0, -1.0], *[[0.0, 0.0]] * 4])
    last = LastConvolution(tuple(torch.full((1, 1, 1), 3.0) for _ in range(5)), slopes, grid)
    assert measure_norms(last).tolist() == pytest.approx([3 * 5**0.5, 0, 0, 0, 0])
    whole = add_up_gradients(last, torch.ones(1, 5, dtype=torch.bool)).sum(dim=(0, 1))
    assert whole[:, 0, 1, 1].tolist() == [6, -3] and whole.abs().sum() == 9
    assert estimate_gflops(grid, 1, 2, 3) == pytest.approx(2 * 5 * 2 * 9 * 4 / 1e9)
    assert estimate_memory(grid, 1, 2, 1) == 4 * add_up_gradients(last, torch.ones(1, 5, dtype=torch.bool)).numel()


@pytest.mark.parametrize("kind", ["focal", "ghm", "ohem", "varifocal"])
def test_the_ledger_is_the_gradient_of_training(kind):
    """Sums over kinds are `weight.grad` of the loss, also where the outputs come from inference mode."""
    torch.manual_seed(0)
    body = make_small_body()
    model = build_model(CONFIG.model, num_classes=2, anchors_per_location=9, body=body).eval()
    grid = make_anchors(Anchors(), 64, 64)
    boxes, labels = torch.tensor([[4.0, 6, 40, 38], [30, 30, 62, 60]]), torch.tensor([1, 0])
    pixels = torch.randn(1, 3, 64, 64)
    loss = Loss.model_validate({"kind": kind, "box_weight": 2.0})
    with torch.inference_mode():
        outputs, levels = model(pixels), model.pyramid(pixels).levels
    view = NetworkView(outputs.logits[0], outputs.deltas[0], labels)
    match = assign_anchors(grid, boxes, Matching(), view)
    slopes = find_slopes(outputs.logits[0], outputs.deltas[0], grid.boxes, match, boxes, labels, loss)
    assert (slopes.logits[match.label == IGNORED] == 0).all() and (slopes.deltas[~match.foreground] == 0).all()

    logits, deltas, _ = model(pixels)
    losses = anchor_losses(logits[0], deltas[0], grid.boxes, match, boxes, labels, loss)
    heads = model.head["classification_head"].cls_logits, model.head["regression_head"].bbox_reg
    exact = torch.autograd.grad(total_loss([losses], loss).total, [head.weight for head in heads])

    kinds = sort_by_kind(outputs.logits[0], match)
    assert len(kinds) == len(KINDS) and (kinds.sum(dim=0) == (match.label != IGNORED)).all()
    owners = torch.where(match.foreground, match.object, -1)
    for inputs, slope, gradient in zip(compute_inputs(model, levels), slopes, exact, strict=True):
        last = LastConvolution(inputs, slope, grid)
        torch.testing.assert_close(add_up_gradients(last, kinds).sum(dim=(0, 1)), gradient, rtol=1e-4, atol=1e-6)
        ledger = open_ledger(last, kinds, owners, len(boxes))
        assert ledger.length == pytest.approx(gradient.norm().item(), rel=1e-4)
