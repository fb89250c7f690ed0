"""The loss of a batch, which is minimised: sums over anchors, normalised by their foreground."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Loss
from core.retinanet.losses.density import harmonised_loss
from core.retinanet.losses.image import AnchorLosses


class Losses(NamedTuple):
    """The classification and the box loss, two scalars; their sum is minimised."""

    classification: Tensor
    box: Tensor

    @property
    def total(self) -> Tensor:
        """Sum of classification and weighted box loss."""
        return self.classification + self.box


def total_loss(
    images: list[AnchorLosses], loss: Loss, divisor: Tensor | float | None = None, counts: Tensor | None = None
) -> Losses:
    """Sums and normalises the losses of a batch; the divisor is at least 1, also without foreground.

    Args:
        images: The losses of each image, at least one.
        loss: Its `normaliser` is used: "image" divides the sum of each image by its number of foreground anchors and
            averages the quotients, the others divide the sum of the batch. The classification loss of GHM-C is not
            divided: its weights are those of the batch.
        divisor: Divisor of "batch" and "moving_average"; by default the number of foreground anchors of the batch.
        counts: Number of scores in each bin of GHM-C, [M]; by default those of the batch.
    """
    bins = [image.bins for image in images if image.bins is not None]
    losses = _normalise(images, loss, divisor)
    return losses._replace(classification=harmonised_loss(bins, counts)) if bins else losses


def _normalise(images: list[AnchorLosses], loss: Loss, divisor: Tensor | float | None) -> Losses:
    classification = torch.stack([image.classification.sum() for image in images])  # [B]
    box = torch.stack([image.box.sum() for image in images])
    foreground = torch.stack([image.foreground for image in images])
    if loss.normaliser == "image":
        divisors = foreground.clamp(min=1)
        return Losses((classification / divisors).mean(), (box / divisors).mean())
    if divisor is None:
        divisor = foreground.sum().clamp(min=1)
    return Losses(classification.sum() / divisor, box.sum() / divisor)


class ForegroundAverage:
    """Exponential moving average of the number of foreground anchors per batch, the "moving_average" normaliser."""

    MOMENTUM = 0.9  # as in detectron2, which starts at 100

    def __init__(self, value: float = 100.0) -> None:
        self.value = value

    def update(self, foreground: float) -> float:
        """Updates the average with the count of a batch and returns it."""
        self.value = self.MOMENTUM * self.value + (1 - self.MOMENTUM) * max(foreground, 1.0)
        return self.value
