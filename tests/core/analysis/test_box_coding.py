import math

import pytest
import torch

from core.analysis.box_coding import CentreSize, decode_one, l1, l2, smooth_l1
from core.config import Loss
from core.retinanet.boxes import decode, encode
from core.retinanet.losses import box_loss

ANCHOR = torch.tensor([0.0, 0, 10, 20])


def test_centre_and_size_by_hand():
    assert CentreSize.of(torch.tensor([5.0, 10, 15, 50])) == (10, 30, 10, 40)


def test_decoding_by_hand():
    # Half a width to the right, one height down, as wide, twice as high: centre (10, 30), size 10 × 40.
    decoded = decode_one(torch.tensor([0.5, 1, 0, math.log(2)]), ANCHOR, 40, 100)
    assert decoded.box.tolist() == pytest.approx([5, 10, 15, 50])
    assert decoded.clipped.tolist() == pytest.approx([5, 10, 15, 40])  # the image ends at y = 40
    assert decoded.bounded == (False, False, False, False)


def test_sizes_are_bounded_and_shifts_are_not():
    decoded = decode_one(torch.tensor([9.0, 9, 9, -9]), ANCHOR, 1e5, 1e5)
    assert decoded.bounded == (False, False, True, False)
    assert (decoded.box[2] - decoded.box[0]).item() == pytest.approx(625)  # 10 × 1000/16


def test_the_same_box_as_in_detection():
    deltas = torch.tensor([0.3, -0.2, 0.4, -0.1])
    assert torch.equal(decode_one(deltas, ANCHOR, 1e5, 1e5).box, decode(deltas[None], ANCHOR[None])[0])


def test_losses_by_hand():
    errors = torch.tensor([-2.0, -0.05, 0.0, 0.05, 0.1, 2.0])
    assert l1(errors).value.tolist() == pytest.approx([2, 0.05, 0, 0.05, 0.1, 2])
    assert l1(errors).slope.tolist() == [-1, -1, 0, 1, 1, 1]
    assert l2(errors).value.tolist() == pytest.approx([2, 0.00125, 0, 0.00125, 0.005, 2])
    assert l2(errors).slope.tolist() == errors.tolist()
    smooth = smooth_l1(errors, 0.1)  # e²/0.2 below 0.1; |e| − 0.05 beyond
    assert smooth.value.tolist() == pytest.approx([1.95, 0.0125, 0, 0.0125, 0.05, 1.95])
    assert smooth.slope.tolist() == pytest.approx([-1, -0.5, 0, 0.5, 1, 1])


@pytest.mark.parametrize(("kind", "beta"), [("smooth_l1", 0.1), ("smooth_l1", 1.0), ("l1", 0.1)])
def test_they_add_up_to_the_box_loss(kind, beta):
    deltas, box = torch.tensor([0.3, -0.2, 0.04, -0.01]), torch.tensor([1.0, 2, 14, 21])
    target = encode(box[None], ANCHOR[None])[0]
    whole = box_loss(deltas[None], box[None], ANCHOR[None], Loss(box_loss=kind, smooth_l1_beta=beta))
    parts = smooth_l1(deltas - target, beta if kind == "smooth_l1" else 0.0).value
    assert parts.sum().item() == pytest.approx(whole.item())
