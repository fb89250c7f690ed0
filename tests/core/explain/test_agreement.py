"""Rank correlation of maps, against scipy and by hand."""

import pytest
import torch
from scipy.stats import spearmanr

from core.explain.agreement import correlate_maps, correlate_ranks


def test_ranks_with_ties_are_as_in_scipy():
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randint(5, (2, 6, 7), generator=generator).float()
    expected = spearmanr(first.flatten().numpy(), second.flatten().numpy()).statistic
    assert correlate_ranks(first, second) == pytest.approx(expected)


def test_any_growing_function_has_the_same_ranks():
    numbers = torch.tensor([3.0, -1.0, 0.5, 7.0])
    assert correlate_ranks(numbers, numbers.exp()) == pytest.approx(1)
    assert correlate_ranks(numbers, -(numbers**3)) == pytest.approx(-1)


def test_equal_numbers_correlate_with_nothing():
    assert correlate_ranks(torch.ones(4), torch.arange(4.0)) == 0


def test_only_the_surroundings_of_the_box_count():
    first, second = torch.rand(2, 96, 96, generator=torch.Generator().manual_seed(0))
    second[32:64, 32:64] = first[32:64, 32:64]
    assert correlate_maps(first, second, (48, 48, 48, 48)) == pytest.approx(1)  # with the margin, 32 to 64 px
    assert correlate_maps(first, second, (48, 48, 49, 48)) < 1


def test_a_box_at_the_border_has_fewer_squares():
    first, second = torch.rand(2, 33, 41, generator=torch.Generator().manual_seed(0))
    assert -1 <= correlate_maps(first, second, (30, 25, 41, 33)) <= 1
