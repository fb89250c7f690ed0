"""The kinds of anchors whose part in the loss and in its gradient is compared."""

import torch
from torch import Tensor

from core.retinanet.assigners.match import BACKGROUND, Match

EASY = 0.5  # a background anchor is easy, i.e. classified correctly, if all its scores are below this
FOREGROUND, HARD_BACKGROUND, EASY_BACKGROUND = KINDS = ("foreground", "hard background", "easy background")


def sort_by_kind(logits: Tensor, match: Match) -> Tensor:
    """Returns which anchors are of each of the `KINDS`, bool [3, N]; ignored ones are of none.

    Args:
        logits: [N, K].
        match: Assignment of the N anchors.
    """
    background = match.label == BACKGROUND
    easy = logits.amax(dim=1).sigmoid() < EASY
    return torch.stack([match.foreground, background & ~easy, background & easy])
