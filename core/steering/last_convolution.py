"""The gradient on the weight of a head's last convolution, in closed form.

An output of an anchor at a location is the product of a row of the weight with the 3×3 patch of features around it,
plus a bias. So the loss' gradient by that row is the slope of the loss by the output times the patch, and that of an
anchor the outer product of its slopes and the patch; that on the bias is left out. Its norm is the product of both
norms; its inner product with any other gradient on the weight is the product of the slopes with what the convolution
would return if that gradient were its weight. Anchors of different shapes have different rows: only those of the same
scale and ratio can agree or disagree.

Shapes: N anchors in all, A at a location, W outputs of each (the classes, or 4 deltas), C channels, G groups.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_weight

from core.retinanet.anchors import AnchorGrid
from core.retinanet.model import RetinaNet

SIDE = 3  # of the kernel
FEW = 1 / 32  # of the anchors of a level, up to which it is quicker to add them up one by one
GFLOP = 1e9


class LastConvolution(NamedTuple):
    """The factors of the gradient on the weight of a head's last convolution, for one image.

    Attributes:
        features: Its input on each level, [C, rows, columns].
        slopes: The gradient of the loss by its outputs, [N, W].
        grid: The anchors.
    """

    features: tuple[Tensor, ...]
    slopes: Tensor
    grid: AnchorGrid

    @property
    def levels(self) -> int:
        """Number of pyramid levels."""
        return len(self.features)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the weight: A·W, C, 3, 3."""
        return self.grid.per_location * self.slopes.shape[1], self.features[0].shape[0], SIDE, SIDE

    def map_slopes(self, slopes: Tensor, level: int) -> Tensor:
        """Returns slopes [N, W] of a level as the convolution's output has them, [A·W, rows, columns]."""
        rows, columns = self.grid.grids[level]
        of_level = slopes.split(self.grid.counts)[level].view(rows, columns, -1)
        return of_level.permute(2, 0, 1)


class HeadInputs(NamedTuple):
    """The input of the last convolution of both heads on each level, [C, rows, columns] each."""

    classification: tuple[Tensor, ...]
    box: tuple[Tensor, ...]


@torch.inference_mode()
def compute_inputs(model: RetinaNet, levels: Sequence[Tensor]) -> HeadInputs:
    """Returns the inputs of the heads' last convolutions.

    Args:
        model: The network, in evaluation mode.
        levels: The feature maps of one image, [1, C, rows, columns].
    """
    heads = (model.head["classification_head"], model.head["regression_head"])
    return HeadInputs(*(tuple(head.get_submodule("conv")(level)[0] for level in levels) for head in heads))


def measure_norms(last: LastConvolution) -> Tensor:
    """Returns the norm of each anchor's gradient, [N]."""
    squares = [_add_neighbours(features.square().sum(dim=0)) for features in last.features]
    patches = torch.cat([each.flatten() for each in squares]).sqrt()  # [locations]
    return last.slopes.norm(dim=1) * patches.repeat_interleave(last.grid.per_location)


def _add_neighbours(values: Tensor) -> Tensor:
    """Returns the sum of each value of a map [rows, columns] and its eight neighbours; there are none beyond it."""
    return F.conv2d(values[None, None], values.new_ones(1, 1, SIDE, SIDE), padding=1)[0, 0]


def add_up_gradients(last: LastConvolution, groups: Tensor) -> Tensor:
    """Returns the gradient of each group of anchors on each level, [levels, G, A·W, C, 3, 3].

    Args:
        last: The convolution.
        groups: Which anchors belong to each group, bool [G, N].
    """
    return torch.stack([torch.stack([_add_up(last, level, group) for group in groups]) for level in range(last.levels)])


def _add_up(last: LastConvolution, level: int, group: Tensor) -> Tensor:
    """Returns the gradient of a group on a level: of few anchors one by one, of many by the convolution's formula."""
    own = group.split(last.grid.counts)[level]
    anchors = own.nonzero().squeeze(1)
    if len(anchors) < FEW * len(own):
        return _add_up_few(last, level, anchors)
    features = last.features[level]
    maps = last.map_slopes(last.slopes * group[:, None], level)
    return conv2d_weight(features[None], last.shape, maps[None].contiguous(), padding=1)


def _add_up_few(last: LastConvolution, level: int, anchors: Tensor) -> Tensor:
    """Returns the gradient of some anchors of a level, int64 [F], in a time that grows with their number."""
    if not len(anchors):
        return last.slopes.new_zeros(last.shape)
    per_location, (_, columns) = last.grid.per_location, last.grid.grids[level]
    slopes = last.slopes.split(last.grid.counts)[level][anchors]
    place, shape = anchors // per_location, anchors % per_location
    spread = slopes.new_zeros(len(anchors), per_location, slopes.shape[1])
    spread[torch.arange(len(anchors)), shape] = slopes  # each in the rows of its shape
    patches = _cut_patches(last.features[level], place // columns, place % columns)
    return (spread.flatten(1).T @ patches).view(last.shape)


def _cut_patches(features: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Returns the 3×3 patches of features [C, rows, columns] around F locations, [F, C·9]; beyond the map is 0."""
    padded, steps = F.pad(features, (1, 1, 1, 1)), torch.arange(SIDE)
    down, across = (rows[:, None] + steps)[:, :, None], (columns[:, None] + steps)[:, None, :]
    return padded[:, down, across].permute(1, 0, 2, 3).flatten(1)


def project(last: LastConvolution, gradient: Tensor) -> Tensor:
    """Returns the inner product of each anchor's gradient with a gradient on the weight, [A·W, C, 3, 3], as [N]."""
    products = []
    for level, features in enumerate(last.features):
        outputs = F.conv2d(features[None], gradient, padding=1)[0]  # [A·W, rows, columns]
        terms = (outputs * last.map_slopes(last.slopes, level)).unflatten(0, (last.grid.per_location, -1))
        products.append(terms.sum(dim=1).permute(1, 2, 0).flatten())
    return torch.cat(products)


def estimate_gflops(grid: AnchorGrid, channels: int, width: int, groups: int) -> float:
    """Returns the operations of `add_up_gradients` and of one `project`, in billions.

    Args:
        grid: The anchors.
        channels: C.
        width: W.
        groups: G.
    """
    return 2 * len(grid.boxes) * width * channels * SIDE**2 * (groups + 1) / GFLOP


def estimate_memory(grid: AnchorGrid, channels: int, width: int, groups: int) -> int:
    """Returns the bytes that `add_up_gradients` returns in single precision; the arguments are as above."""
    return 4 * len(grid.grids) * groups * grid.per_location * width * channels * SIDE**2
