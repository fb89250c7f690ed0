"""GHM-C: scores are weighted by how rare the size of their gradient is (Li et al. 2019, Gradient Harmonized Detector).

The gradient of cross-entropy by a logit has the norm g = |p − y|. The paper divides its range into M bins of width 1/M
and approximates the density of gradients at g by M times the number R of scores in the bin; the loss is the sum of the
cross-entropies, each divided by that density. In training R is a moving average.
"""

from typing import NamedTuple

import torch
from torch import Tensor

EMPTY = 1e-9  # where a bin has no scores, their cross-entropy is 0, too


class GradientBins(NamedTuple):
    """The scores of one image, or of several together, by the norm of their gradient, in M bins of equal width.

    Attributes:
        counts: Number of scores in each bin, float32 [M].
        cross_entropy: Their cross-entropy, added up, [M].
    """

    counts: Tensor
    cross_entropy: Tensor

    @classmethod
    def of(cls, numbers: Tensor, cross_entropy: Tensor, bins: int) -> "GradientBins":
        """Sorts scores into bins, of which `find_bins` has returned the numbers."""
        added = cross_entropy.new_zeros(bins).index_add(0, numbers.flatten(), cross_entropy.flatten())
        return cls(count_bins(numbers, bins), added)


def find_bins(logits: Tensor, targets: Tensor, bins: int) -> Tensor:
    """Returns the number of each score's bin, int64, of the shape of `logits`; targets are 0 or 1."""
    norms = torch.sigmoid(logits.detach() * (1 - 2 * targets))  # |p − y|
    return (norms * bins).nan_to_num(0.0).long().clamp_(max=bins - 1)  # the cross-entropy stays NaN and is noticed


def count_bins(numbers: Tensor, bins: int) -> Tensor:
    """Returns how many scores are in each bin, float32 [M]."""
    return torch.bincount(numbers.flatten(), minlength=bins).float()


def harmonise(numbers: Tensor, counts: Tensor) -> Tensor:
    """Returns the paper's β = N / (M · R) of scores by the numbers of their bins: the density of all N over their own.

    A bin without scores weighs as if it had one.
    """
    return (counts.sum() / (len(counts) * counts.clamp(min=1)))[numbers]


def harmonised_loss(images: list[GradientBins], counts: Tensor | None = None) -> Tensor:
    """Returns the loss of a batch, a scalar: all scores' cross-entropies, each divided by the density at its gradient.

    Args:
        images: The scores of each image.
        counts: R of each bin, [M]; by default the number of scores of these images.
    """
    if counts is None:
        counts = torch.stack([image.counts for image in images]).sum(dim=0)
    cross_entropy = torch.stack([image.cross_entropy for image in images]).sum(dim=0)
    return (cross_entropy / (len(counts) * counts.clamp(min=EMPTY))).sum()


class GradientAverage:
    """Exponential moving average of the number of scores per bin and batch; the first batch begins it.

    Attributes:
        counts: The average, float32 [M]; None before the first batch.
    """

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum
        self.counts: Tensor | None = None

    def update(self, counts: Tensor) -> Tensor:
        """Updates the average with the counts of a batch and returns it."""
        if self.counts is None:
            self.counts = counts
        else:
            self.counts = self.momentum * self.counts.to(counts.device) + (1 - self.momentum) * counts
        return self.counts
