"""Anchors of a pyramid: `scales × ratios` boxes at each location of each level (paper, section 4, "Anchors")."""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Anchors

LEVELS = ("P3", "P4", "P5", "P6", "P7")
STRIDES = (8, 16, 32, 64, 128)  # pixels between neighbouring locations of a level; fixed by the network


class AnchorGrid(NamedTuple):
    """All anchors of an image size, ordered by level, row, column and anchor of the location.

    Attributes:
        boxes: float32 [N, 4], xyxy pixels; cached and shared between callers, so never modify it in place.
        grids: (rows, columns) of each level.
        strides: (vertical, horizontal) pixels between the locations of each level.
        per_location: Number of anchors per location, A; ordered by ratio, then by scale.
    """

    boxes: Tensor
    grids: tuple[tuple[int, int], ...]
    strides: tuple[tuple[float, float], ...]
    per_location: int

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of anchors of each level; their sum is N."""
        return tuple(rows * columns * self.per_location for rows, columns in self.grids)

    @property
    def level(self) -> Tensor:
        """int64 [N]: the level of each anchor, 0 for P3."""
        return torch.repeat_interleave(torch.arange(len(self.grids)), torch.tensor(self.counts))

    @property
    def centres(self) -> Tensor:
        """float32 [N, 2]: the centre (x, y) of each anchor, shared by those of a location; cached as `boxes`."""
        return _find_places(self.grids, self.strides, self.per_location, self.boxes.device)[0]

    @property
    def spacing(self) -> Tensor:
        """float32 [N, 2]: horizontal and vertical pixels between the locations of each anchor's level; also cached."""
        return _find_places(self.grids, self.strides, self.per_location, self.boxes.device)[1]


@lru_cache(maxsize=8)
def _find_places(
    grids: tuple[tuple[int, int], ...],
    strides: tuple[tuple[float, float], ...],
    per_location: int,
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Returns the centre (x, y) and the spacing (x, y) of each anchor, float32 [N, 2] each."""
    centres, spacings = [], []
    for (rows, columns), (down, across) in zip(grids, strides, strict=True):
        y, x = torch.arange(rows, device=device) * down, torch.arange(columns, device=device) * across
        y, x = torch.meshgrid(y, x, indexing="ij")
        centres.append(torch.stack([x, y], dim=-1).flatten(0, 1).repeat_interleave(per_location, dim=0))
        spacings.append(torch.tensor([across, down], device=device).expand(len(centres[-1]), 2))
    return torch.cat(centres), torch.cat(spacings)


def pyramid_grids(height: int, width: int) -> tuple[tuple[int, int], ...]:
    """Returns (rows, columns) of P3–P7 for a padded image: each level has half the resolution, rounded up."""
    return tuple((math.ceil(height / stride), math.ceil(width / stride)) for stride in STRIDES)


def pyramid_strides(anchors: Anchors, height: int, width: int) -> tuple[tuple[float, float], ...]:
    """Returns (vertical, horizontal) pixels between the locations of P3–P7 for a padded image."""
    exact = anchors.convention == "exact"
    return tuple(
        (float(stride), float(stride)) if exact else (float(height // rows), float(width // columns))
        for stride, (rows, columns) in zip(STRIDES, pyramid_grids(height, width), strict=True)
    )


@lru_cache(maxsize=8)
def make_anchors(anchors: Anchors, height: int, width: int) -> AnchorGrid:
    """Returns the anchors of a padded image of `height × width` pixels.

    The "torchvision" convention truncates sizes to integers, rounds corners to whole pixels and divides the image's
    side by the grid's, rounded down, to get the stride; "exact" does none of this. mmdetection has the same anchors as
    "exact"; detectron2 has the same boxes, but orders those of a location by scale and then by ratio.
    """
    grids, strides = pyramid_grids(height, width), pyramid_strides(anchors, height, width)
    levels = [
        tile(cell_anchors(anchors, size), grid, stride)
        for size, grid, stride in zip(anchors.sizes, grids, strides, strict=True)
    ]
    return AnchorGrid(torch.cat(levels), grids, strides, anchors.per_location)


def cell_anchors(anchors: Anchors, size: float) -> Tensor:
    """Returns the anchors [A, 4] of a location, centred on the origin, for a level's base size in pixels.

    A ratio is height over width; all ratios of a scale have the same area.
    """
    exact = anchors.convention == "exact"
    sides = torch.tensor([size * scale if exact else int(size * scale) for scale in anchors.scales])
    root = torch.tensor(anchors.ratios, dtype=torch.float32).sqrt()
    half_width = ((1 / root)[:, None] * sides[None, :]).flatten() / 2  # [ratios, scales] → [A]
    half_height = (root[:, None] * sides[None, :]).flatten() / 2
    cell = torch.stack([-half_width, -half_height, half_width, half_height], dim=1)  # [A, 4]
    return cell if exact else cell.round()


def tile(cell: Tensor, grid: tuple[int, int], stride: tuple[float, float]) -> Tensor:
    """Copies the anchors [A, 4] of a location to the top left corner of every cell: [rows · columns · A, 4]."""
    y = torch.arange(grid[0]) * stride[0]
    x = torch.arange(grid[1]) * stride[1]
    y, x = torch.meshgrid(y, x, indexing="ij")
    corners = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)  # [rows · columns, 1, 4]
    return (corners + cell).reshape(-1, 4)
