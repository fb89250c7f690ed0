"""The focal loss of every anchor and its gradient in one pass; equals that of `core.retinanet.losses` with autograd.

Nearly all (anchor, class) pairs are background, so all of them are computed as background and the few foreground pairs
are overwritten. Loss and gradient share one exponential and one logarithm per pair, and the terms of a block of rows
stay in the CPU's cache. Only the gradient is as large as the logits: new memory takes longer to get than to fill.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 2**17  # values per block on a CPU; its terms then fit a core's cache


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
        _compute(logits, anchors, labels, weights, loss, slope)
        if slope is not None:
            ctx.save_for_backward(logits, anchors, labels)
            ctx.weights, ctx.slope = weights, slope
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        """Turns the slope into the gradient in place; where a graph is kept and used again, it is computed again."""
        slope, ctx.slope = ctx.slope, None
        if slope is None:
            logits, anchors, labels = ctx.saved_tensors
            slope = torch.empty_like(logits)
            _compute(logits, anchors, labels, ctx.weights, logits.new_empty(len(logits)), slope)
        return slope.mul_(gradient[:, None]), None, None, None


def _compute(
    logits: Tensor, anchors: Tensor, labels: Tensor, weights: FocalWeights, loss: Tensor, slope: Tensor | None
) -> None:
    """Writes the loss [N] and, if `slope` is given, the gradient [N, K] of logits [N, K].

    Foreground is background with −x (paper, appendices A and B).
    """
    rows = max(BLOCK // logits.shape[1], 1) if logits.device.type == "cpu" else max(len(logits), 1)
    starts = range(0, len(logits), rows)
    ends = torch.searchsorted(anchors, torch.tensor([*starts, len(logits)], device=anchors.device)).tolist()
    room = logits.new_empty(3, min(rows, len(logits)), logits.shape[1])
    for start, first, last in zip(starts, ends, ends[1:], strict=False):
        block, foreground = slice(start, start + rows), slice(first, last)
        terms = _PairTerms.of(logits[block], weights, room[:, : len(logits) - start])
        terms.loss[anchors[foreground] - start, labels[foreground]] = 0
        torch.sum(terms.loss, dim=1, out=loss[block])
        if slope is not None:
            terms.write_slope_(weights.background, weights, slope[block])
    signed = -logits[anchors, labels]  # [F]
    terms = _PairTerms.of(signed, weights, signed.new_empty(3, len(signed)))
    loss.mul_(weights.background).index_add_(0, anchors, terms.loss, alpha=weights.foreground)
    if slope is not None:
        terms.write_slope_(weights.foreground, weights, signed)
        slope[anchors, labels] = -signed


class _PairTerms(NamedTuple):
    """Terms that loss and gradient of background logits x share: p, p^γ and p^γ · (softplus(x) + ε p)."""

    p: Tensor
    modulation: Tensor
    loss: Tensor

    @classmethod
    def of(cls, logits: Tensor, weights: FocalWeights, room: Tensor) -> "_PairTerms":
        """Computes the terms in `room`, [3, …]: with e = exp(x), p is e / (1 + e) and softplus(x) is log(1 + e)."""
        p, power, paid = room
        torch.exp(logits, out=power)
        torch.log1p(power, out=paid)
        if paid.numel() and not paid.max().isfinite():  # e may overflow
            torch.sigmoid(logits, out=p)
            paid.copy_(F.softplus(logits))
        else:
            torch.div(power, torch.add(power, 1, out=p), out=p)
        if weights.epsilon:
            paid.add_(p, alpha=weights.epsilon)
        torch.pow(p, weights.gamma, out=power)
        return cls(p, power, paid.mul_(power))

    def write_slope_(self, weight: float, weights: FocalWeights, slope: Tensor) -> None:
        """Writes weight · p^γ · ((1−p) (γ softplus(x) + ε (γ+1) p) + p) and overwrites the terms.

        With t = γ · loss + ε p^γ p, this is weight · (t + p (p^γ − t)).
        """
        torch.mul(self.loss, weight * weights.gamma, out=slope)
        if weights.epsilon:
            slope.addcmul_(self.modulation, self.p, value=weight * weights.epsilon)
        rest = torch.sub(slope, self.modulation, alpha=weight, out=self.modulation)
        slope.addcmul_(rest, self.p, value=-1)
