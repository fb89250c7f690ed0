"""Who pays the classification loss of a batch: the foreground of each class, and background."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from core.retinanet.losses import AnchorLosses

MOST_CLASSES = 100  # of which every step of a run is recorded


def sum_by_class(images: Sequence[AnchorLosses], normaliser: str) -> Tensor | None:
    """Returns what the foreground of each class and, last, all background pays, up to a common factor, [K + 1].

    None for too many classes, and under GHM-C, whose weights are those of the batch, not of an image.

    Args:
        images: The losses of images.
        normaliser: `loss.normaliser`.
    """
    rows = []
    for image in images:
        of_foreground = image.by_class
        if of_foreground is None or image.bins is not None or len(of_foreground) > MOST_CLASSES:
            return None
        background = image.classification.detach().sum() - of_foreground.sum()
        row = torch.cat((of_foreground, background[None]))
        rows.append(row / image.foreground.clamp(min=1) if normaliser == "image" else row)
    return torch.stack(rows).sum(dim=0)


def find_shares(sums: Tensor | None) -> tuple[float, ...]:
    """Returns the shares of `sum_by_class`, which add up to 1; () without a loss, or for one that is not finite."""
    values = [] if sums is None else sums.clamp(min=0).tolist()  # the rest may be below 0 by rounding
    whole = math.fsum(values)
    return tuple(value / whole for value in values) if 0 < whole < math.inf else ()
