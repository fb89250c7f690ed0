"""Sums over the anchors of every location of the picture, from all levels."""

import torch
import torch.nn.functional as F
from torch import Tensor

from core.retinanet.anchors import AnchorGrid

DECADES = 4  # powers of ten that the colours span


def spread(values: Tensor, grid: AnchorGrid) -> Tensor:
    """Returns values of anchors, [N], at each location of P3, [rows, columns]; those of coarser levels are spread out.

    The sum stays what it is.
    """
    total = torch.zeros(grid.grids[0])
    for each, size in zip(values.split(list(grid.counts)), grid.grids, strict=True):
        cells = each.view(1, 1, *size, grid.per_location).sum(dim=4)  # [1, 1, rows, columns]
        share = (size[0] * size[1]) / total.numel()
        total += F.interpolate(cells, total.shape, mode="nearest")[0, 0] * share
    return total


def scale_decades(values: Tensor) -> Tensor:
    """Returns values from 0 up on a logarithmic scale: 1 for their maximum, 0 from `DECADES` powers of ten below it."""
    decades = (values / values.max().clamp(min=1e-9)).clamp(min=1e-9).log10()
    return (1 + decades / DECADES).clamp(min=0)
