"""Focal loss of every anchor and its gradient in one pass; equal to `core.retinanet.losses.focal_loss` with autograd.

Nearly all (anchor, class) pairs are background, so all are computed as background and the few foreground pairs put in
their place. Loss and slope share their exponentials, and a block of rows stays in the processor's cache meanwhile.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 2**17  # values at a time on a CPU; its temporaries then fit a core's cache


class FocalWeights(NamedTuple):
    """A loss weight · (1−p_t)^γ · −log p_t.

    Attributes:
        foreground: Weight of foreground pairs.
        background: Weight of background pairs.
        gamma: Focusing parameter γ ≥ 0.
    """

    foreground: float
    background: float
    gamma: float


def focal_by_anchor(logits: Tensor, anchors: Tensor, labels: Tensor, weights: FocalWeights) -> Tensor:
    """Returns each anchor's loss [N], summed over classes; differentiable once.

    Args:
        logits: [N, K].
        anchors: int64 [F], ascending: the foreground anchors.
        labels: int64 [F], their classes.
        weights: Which loss.
    """
    return _FocalPass.apply(logits, anchors, labels, weights)


class _FocalPass(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, anchors: Tensor, labels: Tensor, weights: FocalWeights) -> Tensor:
        loss = logits.new_empty(len(logits))
        slope = torch.empty_like(logits) if ctx.needs_input_grad[0] else None
        rows = max(BLOCK // logits.shape[1], 1) if logits.device.type == "cpu" else max(len(logits), 1)
        starts = range(0, len(logits), rows)
        ends = torch.searchsorted(anchors, torch.tensor([*starts, len(logits)], device=anchors.device)).tolist()
        for start, first, last in zip(starts, ends, ends[1:], strict=False):
            here, some = slice(start, start + rows), slice(first, last)
            pairs = (anchors[some] - start, labels[some])
            _block(logits[here], pairs, weights, loss[here], None if slope is None else slope[here])
        if slope is not None:
            ctx.save_for_backward(slope)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (slope,) = ctx.saved_tensors
        return slope * gradient[:, None], None, None, None


def _block(
    logits: Tensor, pairs: tuple[Tensor, Tensor], weights: FocalWeights, loss: Tensor, slope: Tensor | None
) -> None:
    """Writes the loss [n] and, if wanted, the slope [n, K] of logits [n, K] whose foreground pairs are given."""
    with_slope = slope is not None
    value, gradient = _background(logits, weights.background, weights.gamma, with_slope=with_slope)
    right, right_gradient = _background(-logits[pairs], weights.foreground, weights.gamma, with_slope=with_slope)
    value[pairs] = right
    torch.sum(value, dim=1, out=loss)
    if with_slope:
        gradient[pairs] = -right_gradient
        slope.copy_(gradient)


def _background(logits: Tensor, weight: float, gamma: float, *, with_slope: bool) -> tuple[Tensor, Tensor | None]:
    """Returns weight · p^γ · softplus(x) for background logits x, and if wanted its slope
    weight · p^γ · (γ (1−p) softplus(x) + p); foreground is the same with −x (paper, appendices A and B).
    """
    p, cross_entropy = torch.sigmoid(logits), F.softplus(logits)
    modulation = p.pow(gamma).mul_(weight)
    value = modulation * cross_entropy
    if not with_slope:
        return value, None
    rising = cross_entropy.mul_(gamma)
    return value, rising.addcmul_(rising, p, value=-1).add_(p).mul_(modulation)
