"""The effective receptive field, against fields that are known."""

import pytest
import torch

from core.explain.evidence import find_evidence
from core.explain.receptive_field import measure_field
from tests.core.explain.toys import COLUMN, ROW, make_subject, make_toy


def make_gradient(*boxes):
    gradient = torch.zeros(3, 60, 80)
    for (x1, y1, x2, y2), value in boxes:
        gradient[:, y1:y2, x1:x2] = value
    return gradient


def test_of_a_linear_network_it_is_the_extent_of_the_kernels():
    field = measure_field(find_evidence(make_subject(make_toy())).pixel_gradient)
    assert field.reach == (8 * (COLUMN - 1), 8 * (ROW - 1), 8 * (COLUMN + 2), 8 * (ROW + 2))


def test_of_equal_weights_nearly_all_is_the_whole_kernel():
    model = make_toy()
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, 0.5)
    field = measure_field(find_evidence(make_subject(model)).pixel_gradient)
    assert field.most == field.reach == (40, 24, 64, 48)
    assert field.shares.max().item() == pytest.approx(1 / 24**2) and field.shares.sum().item() == pytest.approx(1)


def test_signs_do_not_cancel():
    field = measure_field(make_gradient(((10, 20, 20, 30), 1.0), ((20, 20, 30, 30), -1.0)))
    assert field.most == (10, 20, 30, 30)


def test_a_long_tail_is_left_out():
    field = measure_field(make_gradient(((0, 0, 80, 60), 1e-3), ((30, 20, 40, 24), 1.0)))
    assert field.most == (30, 20, 40, 24) and field.reach == (0, 0, 80, 60)


def test_shares_are_of_the_squares():
    field = measure_field(make_gradient(((0, 0, 1, 1), 1.0), ((1, 0, 2, 1), 3.0)))
    assert field.shares[0, :2].tolist() == pytest.approx([0.1, 0.9])


def test_a_quarter_lies_outside_half_of_it_on_each_side_and_a_fortieth_outside_most():
    gradient = torch.zeros(3, 1, 1010)
    gradient[:, 0] = 1.0
    field = measure_field(gradient)
    assert (field.half[0], field.half[2]) == (252, 758) and (field.most[0], field.most[2]) == (25, 985)
    assert (field.half[1], field.half[3]) == (0, 1)


def test_without_a_gradient_there_is_none():
    field = measure_field(torch.zeros(3, 4, 5))
    assert field[1:] == (None, None, None) and not field.shares.any()
