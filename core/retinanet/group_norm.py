"""Group norm of the heads: PyTorch's own, in float32, with a faster backward pass where a group has few channels.

On CPUs PyTorch's backward pass walks over the channels of one group at a time. In channels-last format two of them are
too few for vector instructions; sums over all channels of a location are several times as fast on large maps.

Shapes: B images, C channels, G groups, P = H·W locations.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

MAX_CHANNELS = 2  # in a group; with more of them PyTorch's own is as fast
MIN_LOCATIONS = 2048  # B·P; on fewer, the many small operations take longer


class GroupNorm(nn.GroupNorm):
    """Group norm with a faster backward pass for training on CPUs; where its input is bfloat16 it computes in float32.

    In bfloat16 CPUs would take almost twice as long.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns the normalised maps [B, C, H, W], of the input's type."""
        if self.training and self.affine and input.requires_grad and _is_slow(input, self.num_groups):
            return _GroupNorm.apply(input, self.weight, self.bias, self.num_groups, self.eps)
        return super().forward(_to_single(input)).to(input.dtype)


def _to_single(maps: Tensor) -> Tensor:
    """Returns maps as they are computed with: bfloat16 as float32."""
    return maps.float() if maps.dtype == torch.bfloat16 else maps


def _is_slow(maps: Tensor, groups: int) -> bool:
    """True if PyTorch's own backward pass is slow."""
    batch, channels, height, width = maps.shape
    is_large = batch * height * width >= MIN_LOCATIONS and channels <= MAX_CHANNELS * groups
    return is_large and maps.is_cpu and maps.is_contiguous(memory_format=torch.channels_last)


class _GroupNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor, groups: int, epsilon: float) -> Tensor:
        batch, channels, height, width = maps.shape
        sizes = batch, channels, height * width
        normal, *statistics = torch.native_group_norm(_to_single(maps), weight, bias, *sizes, groups, epsilon)
        ctx.save_for_backward(maps, weight, *statistics)
        return normal.to(maps.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        maps, weight, mean, scale = ctx.saved_tensors
        listed, by_output = _list_locations(maps), _list_locations(gradient)
        of_maps, of_weight, of_bias = _compute(listed, by_output, weight, mean, scale)
        shape = (maps.shape[0], *maps.shape[2:], maps.shape[1])
        return of_maps.view(shape).permute(0, 3, 1, 2).to(maps.dtype), of_weight, of_bias, None, None


def _list_locations(maps: Tensor) -> Tensor:
    """Returns the channels of every location [B, P, C], as they are computed with."""
    return _to_single(maps).permute(0, 2, 3, 1).flatten(1, 2)


def _compute(x: Tensor, dy: Tensor, weight: Tensor, mean: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the gradients of y = (x − μ) s w + b, with the mean μ and s = 1/σ of each group, by x, w and b.

    With the sums Σ over the locations and channels of a group, of which there are M:
    dx = w s dy + p x + q, where p = s³ (μ Σ w dy − Σ w x dy) / M and q = −p μ − s (Σ w dy) / M.

    Args:
        x: Input [B, P, C].
        dy: Gradient by the output [B, P, C].
        weight: w [C].
        mean: μ [B, G].
        scale: s [B, G].
    """
    (batch, locations, channels), groups = x.shape, mean.shape[1]
    grouped = (batch, groups, channels // groups)
    weight, mean, scale = weight.view(grouped[1:]), mean.unsqueeze(2), scale.unsqueeze(2)
    with_x, alone = (x * dy).sum(dim=1).view(grouped), dy.sum(dim=1).view(grouped)
    mean_with_x, mean_alone = (
        (weight * each).sum(dim=2, keepdim=True) / (locations * grouped[2]) for each in (with_x, alone)
    )
    slope = scale**3 * (mean * mean_alone - mean_with_x)
    offset = -slope * mean - scale * mean_alone
    by_dy, by_x, constant = (
        each.expand(grouped).reshape(batch, 1, channels) for each in (weight * scale, slope, offset)
    )
    of_x = torch.addcmul(constant, by_dy, dy).addcmul_(by_x, x)
    of_weight = (scale * (with_x - mean * alone)).sum(dim=0)
    return of_x, of_weight.view(channels), alone.sum(dim=0).view(channels)
