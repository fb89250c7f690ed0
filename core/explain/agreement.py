"""The rank correlation of two maps of the same picture."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK = 8  # px, side of the squares that are compared: finer detail is beyond what random masks can tell


def correlate_ranks(first: Tensor, second: Tensor) -> float:
    """Returns Spearman's rank correlation of two sets of numbers, −1 … 1; equal numbers share their mean rank.

    Args:
        first: Of any shape.
        second: Of the same shape. If all numbers of a set are equal, the correlation is 0.
    """
    ranks = torch.stack([_rank(first), _rank(second)])
    ranks -= ranks.mean(dim=1, keepdim=True)
    norms = ranks.norm(dim=1).prod()
    return (ranks.prod(dim=0).sum() / norms).item() if norms > 0 else 0.0


def correlate_maps(first: Tensor, second: Tensor, box: tuple[float, float, float, float]) -> float:
    """Returns the rank correlation of two maps, [H, W], over the squares of `BLOCK` px on and around a box.

    Far from the box all maps are nearly 0, and the ranks there are noise.

    Args:
        first: A map.
        second: Another one.
        box: x1, y1, x2, y2; a margin of half its width and height, and of two squares at least, is counted as well.
    """
    blocks = torch.stack([F.avg_pool2d(each[None], BLOCK, ceil_mode=True)[0] for each in (first, second)])
    x1, y1, x2, y2 = box
    across, down = max((x2 - x1) / 2, 2 * BLOCK), max((y2 - y1) / 2, 2 * BLOCK)
    columns = _find_blocks(x1 - across, x2 + across, blocks.shape[2])
    rows = _find_blocks(y1 - down, y2 + down, blocks.shape[1])
    near = blocks[:, rows, columns]
    return correlate_ranks(near[0], near[1])


def _find_blocks(low: float, high: float, count: int) -> slice:
    return slice(max(0, int(low // BLOCK)), min(count, math.ceil(high / BLOCK)))


def _rank(numbers: Tensor) -> Tensor:
    """Returns the rank of each number, float64; equal numbers get the mean of their ranks."""
    _, inverse, counts = torch.unique(numbers.flatten(), return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    return (last - (counts - 1) / 2)[inverse]
