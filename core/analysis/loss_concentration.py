"""How a loss is spread over anchors: the cumulative normalised loss (paper, section 5.1, figure 4)."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from core.config import Loss
from core.retinanet.losses import classification_loss
from core.retinanet.matching import BACKGROUND, Match

GAMMAS = (0.0, 0.5, 1.0, 2.0)  # of the paper's figure


class Sides(NamedTuple):
    """Class logits of foreground and background anchors; pictures can be joined.

    Attributes:
        foreground: [F, K].
        labels: int64 [F], the class each foreground anchor answers for.
        background: [N, K].
    """

    foreground: Tensor
    labels: Tensor
    background: Tensor

    @classmethod
    def of(cls, logits: Tensor, match: Match, labels: Tensor) -> "Sides":
        """Splits one picture's logits [anchors, K] by what the anchors are; labels [M] are those of its objects."""
        chosen = match.foreground
        return cls(logits[chosen], labels[match.object[chosen]], logits[match.label == BACKGROUND])

    @classmethod
    def join(cls, pictures: "list[Sides]") -> "Sides":
        """Puts the anchors of several pictures together."""
        return cls(*map(torch.cat, zip(*pictures, strict=True)))

    def losses(self, loss: Loss) -> tuple[Tensor, Tensor]:
        """Returns what each foreground [F] and each background anchor [N] pays for classification."""
        targets = F.one_hot(self.labels, self.foreground.shape[1]).to(self.foreground.dtype)
        foreground = classification_loss(self.foreground, targets, loss)
        background = classification_loss(self.background, torch.zeros_like(self.background), loss)
        return foreground.sum(dim=1), background.sum(dim=1)


def cumulative(losses: Tensor) -> Tensor:
    """Returns the share of all loss that the 1, 2, … n easiest anchors hold, float64 [n]; all 0 without any loss."""
    running = losses.double().sort().values.cumsum(dim=0)
    return running / running[-1:].clamp(min=torch.finfo(torch.float64).tiny)


def hardest_share(held: Tensor, share: float) -> float:
    """Returns the share of all loss that the hardest `share` of the anchors hold, at least one anchor; nan for none.

    Args:
        held: What `cumulative` returns, [n].
        share: Of the anchors, 0 … 1.
    """
    if len(held) == 0:
        return math.nan
    count = max(1, round(share * len(held)))
    return 1 - held[-count - 1].item() if count < len(held) else held[-1].item()
