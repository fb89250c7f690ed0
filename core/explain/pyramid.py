"""Where a feature of the pyramid comes from: the backbone's map of its own level, and the levels above.

P3 is a convolution of the sum of C3, through a lateral 1×1 convolution, and the map above it, enlarged; so is P4, and
P5 has nothing above it. All of this is linear: a feature is exactly the sum of what each of the backbone's maps adds to
it, and of the biases, which no picture changes. P6 and P7 have strided convolutions of their own.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import FeaturePyramidNetwork

from core.retinanet.anchors import AnchorGrid
from core.retinanet.boxes import iou_matrix

TINY = torch.finfo(torch.float32).tiny


class Origin(NamedTuple):
    """The parts of the features of a location of P3, P4 or P5.

    Attributes:
        maps: What each of the backbone's maps from its own level up adds, [S, C]; C3 first for P3.
        biases: What the biases of all convolutions add, [C].
    """

    maps: Tensor
    biases: Tensor

    @property
    def feature(self) -> Tensor:
        """The features themselves, [C]."""
        return self.maps.sum(dim=0) + self.biases

    @property
    def shares(self) -> Tensor:
        """The share of each map, and last of the biases, [S + 1]; their sum is 1.

        It is the inner product of the part with the features, over the square of their length.
        """
        parts, whole = torch.cat([self.maps, self.biases[None]]), self.feature
        return parts @ whole / whole.square().sum().clamp(min=TINY)

    @property
    def norms(self) -> Tensor:
        """The length of each part, the biases last, [S + 1]."""
        return torch.cat([self.maps, self.biases[None]]).norm(dim=1)


@torch.inference_mode()
def trace_feature(
    pyramid: FeaturePyramidNetwork, body: tuple[Tensor, ...], level: int, place: tuple[int, int]
) -> Origin:
    """Returns the parts of the features at a location.

    Args:
        pyramid: The feature pyramid.
        body: C3, C4, C5 of one image, [1, C, rows, columns].
        level: 0 for P3 to 2 for P5.
        place: Row and column in the level's map.
    """
    weights = dict(pyramid.named_parameters())
    sizes = [(each.shape[2], each.shape[3]) for each in body]
    rows, columns = (_neighbours(at, size) for at, size in zip(place, sizes[level], strict=True))
    border = _measure_border(place, sizes[level])
    added, constant = [], torch.zeros_like(weights["inner_blocks.0.0.bias"])
    for index in range(level, len(body)):
        if index > level:
            rows, columns = (
                _find_source(at, fine, coarse)
                for at, fine, coarse in zip((rows, columns), sizes[index - 1], sizes[index], strict=True)
            )
        seen = body[index][0][:, rows][:, :, columns]  # [C, 3, 3], less at the border
        added.append(torch.einsum("oi,ihw->ohw", weights[f"inner_blocks.{index}.0.weight"][:, :, 0, 0], seen))
        constant = constant + weights[f"inner_blocks.{index}.0.bias"]
    patches = torch.stack([*added, constant[:, None, None].expand_as(added[0])])
    made = F.conv2d(F.pad(patches, border), weights[f"layer_blocks.{level}.0.weight"])[:, :, 0, 0]
    return Origin(made[:-1], made[-1] + weights[f"layer_blocks.{level}.0.bias"])


def rate_levels(grid: AnchorGrid, box: Tensor) -> Tensor:
    """Returns the highest IoU of any anchor of each level with a box, [4], as float32 [levels]."""
    ious = iou_matrix(grid.boxes, box[None])[:, 0]
    return torch.stack([each.max() for each in ious.split(grid.counts)])


def _neighbours(at: int, size: int) -> Tensor:
    """Returns the positions around one, those within the map, int64 [2 or 3]."""
    return torch.arange(max(0, at - 1), min(size, at + 2))


def _measure_border(place: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Returns how far a 3×3 patch extends beyond the map: left, right, top, bottom."""
    (row, column), (rows, columns) = place, size
    return int(column == 0), int(column == columns - 1), int(row == 0), int(row == rows - 1)


def _find_source(positions: Tensor, fine: int, coarse: int) -> Tensor:
    """Returns the position of the coarser map that each of a finer one is a copy of when the former is enlarged."""
    numbered = torch.arange(coarse, dtype=torch.float32)[None, None]
    return F.interpolate(numbered, size=fine, mode="nearest")[0, 0].long()[positions]
