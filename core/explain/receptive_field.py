"""The effective receptive field of a prediction (Luo et al. 2016)."""

from typing import NamedTuple

import torch
from torch import Tensor

HALF, MOST = 0.5, 0.95  # of a field, that its two boxes hold in each direction
Box = tuple[int, int, int, int]


class ReceptiveField(NamedTuple):
    """An effective receptive field; boxes are x1, y1, x2, y2 in pixels, None without a gradient.

    Attributes:
        shares: float32 [H, W], each pixel's share of the squared gradient; the sum is 1, or 0 without a gradient.
        half: The columns and the rows that each hold the central half of it.
        most: Those that each hold the central 95%.
        reach: All columns and rows that hold any.
    """

    shares: Tensor
    half: Box | None
    most: Box | None
    reach: Box | None


def measure_field(gradient: Tensor) -> ReceptiveField:
    """Returns the effective receptive field of a prediction for one picture.

    Were the same small noise on every pixel, each would have this share in the variance of the prediction. Luo et al.
    average the gradient over many pictures; here it is that of the picture on show.

    Args:
        gradient: That of the prediction with respect to the pixels, [3, H, W].
    """
    strength = gradient.double().square().sum(dim=0)  # [H, W]
    total = strength.sum()
    if not total > 0:
        return ReceptiveField(torch.zeros_like(gradient[0]), None, None, None)
    shares = strength / total
    half, most = (_find_central(shares, within) for within in (HALF, MOST))
    return ReceptiveField(shares.to(gradient.dtype), half, most, _find_central(shares, 1))


def _find_central(shares: Tensor, within: float) -> Box:
    """Returns the box without the outer columns and rows of which those on each side hold at most (1 − within) / 2."""
    tail = (1 - within) / 2
    edges = []
    for lines in (shares.sum(dim=0), shares.sum(dim=1)):
        first = int((lines.cumsum(0) <= tail).sum())
        last = len(lines) - int((lines.flip(0).cumsum(0) <= tail).sum())
        edges.append((first, last))
    (x1, x2), (y1, y2) = edges
    return x1, y1, x2, y2
