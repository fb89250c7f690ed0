"""The focal loss of every anchor and its gradient in one pass; equals that of `core.retinanet.losses` with autograd.

Nearly all (anchor, class) pairs are background, so all of them are computed as background and the few foreground pairs
are overwritten. Loss and gradient share one sigmoid and one logarithm per pair, and the terms of a block of rows stay
in the CPU's cache. Only the gradient is as large as the logits: new memory takes longer to get than to fill.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 2**17  # values per block on a CPU; its terms then fit a core's cache
SURE = 0.75  # p above which log(1 − p) is not computed from p, whose rounding would count too much


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
        foreground = _compute(logits, anchors, labels, weights, loss, slope)
        if slope is not None:
            ctx.save_for_backward(logits, anchors, labels)
            ctx.weights, ctx.slopes = weights, (slope, foreground)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        """Turns the slope into the gradient in place; where a graph is kept and used again, it is computed again."""
        slopes, ctx.slopes = ctx.slopes, None
        logits, anchors, labels = ctx.saved_tensors
        if slopes is None:
            slope = torch.empty_like(logits)
            slopes = slope, _compute(logits, anchors, labels, ctx.weights, logits.new_empty(len(logits)), slope)
        slope, foreground = slopes
        slope.mul_((gradient * ctx.weights.background)[:, None])
        slope[anchors, labels] = foreground.mul_(gradient[anchors]).mul_(ctx.weights.foreground)
        return slope, None, None, None


def _compute(
    logits: Tensor, anchors: Tensor, labels: Tensor, weights: FocalWeights, loss: Tensor, slope: Tensor | None
) -> Tensor:
    """Writes the loss [N] and, if `slope` is given, the slope [N, K] of all pairs as background, without its weight.

    Foreground is background with −x (paper, appendices A and B).

    Returns:
        The slope [F] of the foreground pairs, without its weight, if `slope` is given.
    """
    rows = max(BLOCK // logits.shape[1], 1) if logits.device.type == "cpu" else max(len(logits), 1)
    starts = range(0, len(logits), rows)
    ends = torch.searchsorted(anchors, torch.tensor([*starts, len(logits)], device=anchors.device)).tolist()
    room = logits.new_empty(3, min(rows, len(logits)), logits.shape[1])
    for start, first, last in zip(starts, ends, ends[1:], strict=False):
        block, foreground = slice(start, start + rows), slice(first, last)
        terms = _PairTerms.of(logits[block], weights, room[:, : len(logits) - start])
        terms.gain[anchors[foreground] - start, labels[foreground]] = 0
        torch.sum(terms.gain, dim=1, out=loss[block])
        if slope is not None:
            terms.write_slope_(weights, slope[block])
    signed = -logits[anchors, labels]  # [F]
    terms = _PairTerms.of(signed, weights, signed.new_empty(3, len(signed)))
    loss.mul_(-weights.background).add_(0.0)  # not −0
    loss.index_add_(0, anchors, terms.gain, alpha=-weights.foreground)
    if slope is not None:
        terms.write_slope_(weights, signed)
    return signed.neg_()


class _PairTerms(NamedTuple):
    """Terms that loss and gradient of background logits x share: p, p^γ and −p^γ · (softplus(x) + ε p)."""

    p: Tensor
    modulation: Tensor
    gain: Tensor

    @classmethod
    def of(cls, logits: Tensor, weights: FocalWeights, room: Tensor) -> "_PairTerms":
        """Computes the terms in `room`, [3, …]; −softplus(x) is log(1−p), and logsigmoid(−x) where p is near 1."""
        p, power, gain = room
        torch.sigmoid(logits, out=p)
        torch.neg(p, out=gain).log1p_()
        if p.numel() and not p.max() <= SURE:  # also if it is NaN
            sure = p > SURE
            gain[sure] = F.logsigmoid(-logits[sure])
        if weights.epsilon:
            gain.sub_(p, alpha=weights.epsilon)
        torch.pow(p, weights.gamma, out=power)
        return cls(p, power, gain.mul_(power))

    def write_slope_(self, weights: FocalWeights, slope: Tensor) -> None:
        """Writes p^γ · ((1−p) (γ softplus(x) + ε (γ+1) p) + p) and overwrites the terms.

        With t = −γ · gain + ε p^γ p, this is t + p (p^γ − t).
        """
        rest = self.gain.mul_(-weights.gamma)
        if weights.epsilon:
            rest.addcmul_(self.modulation, self.p, value=weights.epsilon)
        torch.lerp(rest, self.modulation, self.p, out=slope)
