"""The distribution of the loss over anchors: the cumulative normalised loss (paper, section 5.1, figure 4)."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from core.config import IOU_TARGETS, Loss
from core.retinanet.assigners.match import BACKGROUND, Match
from core.retinanet.losses import classification_loss, count_bins, find_bins, harmonise, predicted_ious

GAMMAS = (0.0, 0.5, 1.0, 2.0)  # the values of γ in the paper's figure


class AnchorLogits(NamedTuple):
    """Class logits of foreground and background anchors, of one or more images.

    Attributes:
        foreground: Logits of the F foreground anchors, [F, K].
        labels: int64 [F], the class of each foreground anchor's object.
        background: Logits of the N background anchors, [N, K].
        ious: IoU of the box that each foreground anchor predicts with its object, [F].
    """

    foreground: Tensor
    labels: Tensor
    background: Tensor
    ious: Tensor

    @classmethod
    def from_outputs(
        cls, logits: Tensor, deltas: Tensor, anchors: Tensor, match: Match, boxes: Tensor, labels: Tensor
    ) -> Self:
        """Selects one image's foreground and background logits; the arguments are those of `anchor_losses`."""
        chosen = match.foreground
        ious = predicted_ious(deltas, anchors, match, boxes)
        return cls(logits[chosen], labels[match.object[chosen]], logits[match.label == BACKGROUND], ious)

    @classmethod
    def join(cls, images: Sequence[Self]) -> Self:
        """Concatenates the anchors of several images."""
        return cls(*map(torch.cat, zip(*images, strict=True)))

    def compute_losses(self, loss: Loss) -> tuple[Tensor, Tensor]:
        """Returns the classification loss of each foreground anchor [F] and each background anchor [N]."""
        targets = F.one_hot(self.labels, self.foreground.shape[1]).to(self.foreground.dtype)
        if loss.kind in IOU_TARGETS:
            targets = targets * self.ious[:, None]
        logits = torch.cat([self.foreground, self.background])
        targets = torch.cat([targets, torch.zeros_like(self.background)])
        losses = classification_loss(logits, targets, loss)
        if loss.kind == "ghm":
            numbers = find_bins(logits, targets, loss.ghm_bins)
            losses = losses * harmonise(numbers, count_bins(numbers, loss.ghm_bins))
        foreground, background = losses.sum(dim=1).split([len(self.foreground), len(self.background)])
        return foreground, background


def compute_cumulative_loss(losses: Tensor) -> Tensor:
    """Returns the share of the total loss that the 1, 2, … n easiest anchors have, float64 [n]; zeros for no loss."""
    running = losses.double().sort().values.cumsum(dim=0)
    return running / running[-1:].clamp(min=torch.finfo(torch.float64).tiny)


def compute_hardest_share(cumulative: Tensor, share: float) -> float:
    """Returns the share of the total loss that the hardest anchors have; NaN without anchors.

    Args:
        cumulative: The result of `compute_cumulative_loss`, [n].
        share: The share of the anchors that counts as hardest, 0 … 1; at least one anchor is used.
    """
    if len(cumulative) == 0:
        return math.nan
    count = max(1, round(share * len(cumulative)))
    return 1 - cumulative[-count - 1].item() if count < len(cumulative) else cumulative[-1].item()
