"""The focal loss of every anchor and its gradient in one pass; equals that of `core.retinanet.losses` with autograd.

Nearly all (anchor, class) pairs are background, so all of them are computed as background and the few foreground pairs
are overwritten. Loss and gradient share their exponentials, and blocks of rows are small enough for the CPU's cache.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 2**17  # values per block on a CPU; its temporaries then fit a core's cache


class FocalWeights(NamedTuple):
    """Parameters of the loss weight · (1−p_t)^γ · (−log p_t + ε (1−p_t)), which is focal loss for ε = 0.

    Attributes:
        foreground: Weight of foreground pairs.
        background: Weight of background pairs.
        gamma: Focusing parameter γ ≥ 0.
        epsilon: ε of Poly-1 focal loss.
    """

    foreground: float
    background: float
    gamma: float
    epsilon: float = 0.0


def fused_focal_loss(logits: Tensor, anchors: Tensor, labels: Tensor, weights: FocalWeights) -> Tensor:
    """Returns the loss of each anchor [N], summed over classes; differentiable once.

    Args:
        logits: [N, K].
        anchors: int64 [F], ascending: the foreground anchors.
        labels: int64 [F], their classes.
        weights: Parameters of the loss.
    """
    return _FusedFocalLoss.apply(logits, anchors, labels, weights)


class _FusedFocalLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, anchors: Tensor, labels: Tensor, weights: FocalWeights) -> Tensor:
        loss = logits.new_empty(len(logits))
        slope = torch.empty_like(logits) if ctx.needs_input_grad[0] else None
        rows = max(BLOCK // logits.shape[1], 1) if logits.device.type == "cpu" else max(len(logits), 1)
        starts = range(0, len(logits), rows)
        ends = torch.searchsorted(anchors, torch.tensor([*starts, len(logits)], device=anchors.device)).tolist()
        for start, first, last in zip(starts, ends, ends[1:], strict=False):
            block, foreground = slice(start, start + rows), slice(first, last)
            pairs = (anchors[foreground] - start, labels[foreground])
            _compute_block(logits[block], pairs, weights, loss[block], None if slope is None else slope[block])
        if slope is not None:
            ctx.save_for_backward(slope)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (slope,) = ctx.saved_tensors
        return slope * gradient[:, None], None, None, None


def _compute_block(
    logits: Tensor, pairs: tuple[Tensor, Tensor], weights: FocalWeights, loss: Tensor, slope: Tensor | None
) -> None:
    """Writes the loss [n] and, if `slope` is given, the gradient [n, K] of logits [n, K] with these foreground pairs.

    Foreground is background with −x (paper, appendices A and B).
    """
    background = _PairTerms.of(logits, weights.background, weights.gamma)
    foreground = _PairTerms.of(-logits[pairs], weights.foreground, weights.gamma)
    value = background.loss(weights.epsilon)
    value[pairs] = foreground.loss(weights.epsilon)
    torch.sum(value, dim=1, out=loss)
    if slope is not None:
        gradient = background.slope_(weights.gamma, weights.epsilon)
        gradient[pairs] = -foreground.slope_(weights.gamma, weights.epsilon)
        slope.copy_(gradient)


class _PairTerms(NamedTuple):
    """Terms that loss and gradient of background logits x share: p, softplus(x) and weight · p^γ."""

    p: Tensor
    cross_entropy: Tensor
    modulation: Tensor

    @classmethod
    def of(cls, logits: Tensor, weight: float, gamma: float) -> "_PairTerms":
        p = torch.sigmoid(logits)
        return cls(p, F.softplus(logits), p.pow(gamma).mul_(weight))

    def loss(self, epsilon: float) -> Tensor:
        """Returns weight · p^γ · (softplus(x) + ε p)."""
        paid = self.cross_entropy.add(self.p, alpha=epsilon) if epsilon else self.cross_entropy
        return self.modulation * paid

    def slope_(self, gamma: float, epsilon: float) -> Tensor:
        """Returns weight · p^γ · ((1−p) (γ softplus(x) + ε (γ+1) p) + p) and overwrites the terms."""
        rising = self.cross_entropy.mul_(gamma)
        if epsilon:
            rising.add_(self.p, alpha=epsilon * (gamma + 1))
        return rising.addcmul_(rising, self.p, value=-1).add_(self.p).mul_(self.modulation)
