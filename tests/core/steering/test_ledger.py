"""Shares and directions of groups, against gradients that are known by hand."""

import pytest
import torch

from core.config import Anchors
from core.retinanet.anchors import make_anchors
from core.steering.last_convolution import LastConvolution, add_up_gradients
from core.steering.ledger import open_ledger

ONE = Anchors.model_validate({"scales": (1.0,), "ratios": (1.0,)})


def make_last(slopes: list[float], values: list[float] | None = None) -> LastConvolution:
    """Returns a convolution of one output and five levels of one cell, each with a single feature."""
    features = tuple(torch.full((1, 1, 1), float(each)) for each in values or [1.0] * 5)
    return LastConvolution(features, torch.tensor(slopes)[:, None], make_anchors(ONE, 8, 8))


def mark(*groups: list[int]) -> torch.Tensor:
    """Returns groups of anchors by their numbers."""
    return torch.tensor([[anchor in group for anchor in range(5)] for group in groups])


def test_shares_by_hand():
    """Along one axis: 3 + 1 one way, −2 the other, together 2."""
    ledger = open_ledger(make_last([3.0, 1, -2, 0, 0]), mark([0], [1, 2], [3, 4]), torch.tensor([0, -1, -1, -1, -1]), 1)
    assert ledger.length == 2 and ledger.norms.tolist() == [3, 1, 2, 0, 0]
    assert ledger.pulls.tolist() == [1.5, 0.5, -1, 0, 0]
    assert ledger.kinds.norms.tolist() == [3, 1, 0] and ledger.kinds.norm_shares.tolist() == [0.75, 0.25, 0]
    assert ledger.kinds.pulls.tolist() == [1.5, -0.5, 0]
    assert ledger.kinds.cosines.tolist() == [[1, -1, 0], [-1, 1, 0], [0, 0, 0]]
    assert ledger.levels.norms.tolist() == [3, 1, 2, 0, 0] and ledger.levels.pulls.tolist() == [1.5, 0.5, -1, 0, 0]
    assert ledger.cells.pulls.view(5, 3).tolist()[1:3] == [[0, 0.5, 0], [0, -1, 0]]
    assert ledger.kinds.agreements.tolist() == [1, -1, 0] and ledger.agreements.tolist() == [1, 1, -1, 0, 0]
    assert ledger.object_pulls.tolist() == [1.5]


def test_features_weigh_as_slopes_do():
    ledger = open_ledger(make_last([1.0, 1, 0, 0, 0], [4.0, 3, 1, 1, 1]), mark([0], [1], []), torch.full((5,), -1), 0)
    assert ledger.norms.tolist() == [4, 3, 0, 0, 0] and ledger.kinds.pulls.tolist() == pytest.approx([4 / 7, 3 / 7, 0])
    assert ledger.object_pulls.shape == (0,)


def test_without_a_gradient_nobody_steers():
    ledger = open_ledger(make_last([0.0] * 5), mark([0], [1], [2, 3, 4]), torch.full((5,), -1), 0)
    assert ledger.length == 0 and not ledger.pulls.any()
    for groups in (ledger.kinds, ledger.levels, ledger.cells):
        assert not any(each.any() for each in groups) and not groups.norm_shares.any()


def test_shares_of_groups_are_those_of_their_anchors():
    """Pulls add up to 1 over anchors, cells, kinds and levels alike; cosines are those of the gradients."""
    generator = torch.Generator().manual_seed(5)
    grid = make_anchors(Anchors(), 64, 96)
    features = tuple(torch.randn(4, *size, generator=generator) for size in grid.grids)
    slopes = torch.randn(len(grid.boxes), 3, generator=generator)
    last = LastConvolution(features, slopes, grid)
    kind = torch.randint(3, (len(slopes),), generator=generator)
    kinds = torch.stack([kind == index for index in range(3)])
    owners = torch.where(kind == 0, torch.arange(len(kind)) % 2, -1)
    ledger = open_ledger(last, kinds, owners, 2)
    for total in (ledger.pulls, ledger.cells.pulls, ledger.kinds.pulls, ledger.levels.pulls):
        assert total.sum().item() == pytest.approx(1, abs=1e-4)
    level = grid.level
    for index in range(3):
        assert ledger.kinds.pulls[index].item() == pytest.approx(ledger.pulls[kinds[index]].sum().item(), abs=1e-4)
    for index in range(5):
        assert ledger.levels.pulls[index].item() == pytest.approx(ledger.pulls[level == index].sum().item(), abs=1e-4)
    assert ledger.object_pulls.sum().item() == pytest.approx(ledger.kinds.pulls[0].item(), abs=1e-4)
    of_kinds = add_up_gradients(last, kinds).sum(dim=0).flatten(1)
    exact = torch.nn.functional.cosine_similarity(of_kinds[:, None], of_kinds[None], dim=2)
    torch.testing.assert_close(ledger.kinds.cosines, exact, atol=1e-4, rtol=0)
    for index in range(2):
        assert ledger.object_pulls[index].item() == pytest.approx(ledger.pulls[owners == index].sum().item(), abs=1e-5)
