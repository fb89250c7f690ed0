"""What objects are divided by: their size, their shape, how many a picture has, and where in it they are."""

from collections.abc import Callable

import torch
from torch import Tensor

from core.structures import GroundTruth

Measure = Callable[[Tensor, GroundTruth], Tensor]  # of boxes [N, 4] in a picture with these objects: [N]
POSITION = "position"


def _measure_size(boxes: Tensor, truth: GroundTruth) -> Tensor:
    return ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).clamp(min=0).sqrt()


def _measure_elongation(boxes: Tensor, truth: GroundTruth) -> Tensor:
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-6)
    return sides.amax(dim=1) / sides.amin(dim=1)


def _count_objects(boxes: Tensor, truth: GroundTruth) -> Tensor:
    return torch.full((len(boxes),), float((~truth.crowd).sum()))


def _measure_position(boxes: Tensor, truth: GroundTruth) -> Tensor:
    """Returns how far the centres are from the nearest border of the picture, as a share of half its shorter side.

    It is 0 at the border and 1 in the middle: of a long picture, all along the line in its middle. A picture of unknown
    size has no borders: NaN.
    """
    if truth.size is None:
        return torch.full((len(boxes),), torch.nan)
    height, width = truth.size
    x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2).unbind(dim=1)
    return torch.stack([x, width - x, y, height - y]).amin(dim=0) / (min(height, width) / 2)


QUANTITIES: dict[str, Measure] = {
    "size, px": _measure_size,  # the square root of the area
    "elongation": _measure_elongation,  # the longer side by the shorter one
    "objects in the picture": _count_objects,
    POSITION: _measure_position,  # 0 at the border, 1 in the middle
}
