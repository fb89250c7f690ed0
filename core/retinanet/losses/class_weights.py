"""The weights of classes, by how many objects they have in the training data (`loss.class_weights`)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.config import Loss


def weigh_classes(counts: Sequence[float], loss: Loss) -> Tensor | None:
    """Returns the weight of each class, float32 [K]; None if the loss has no class weights.

    Weights are 1 / n for n objects, or (1−β) / (1−β^n), one over their effective number (Cui et al. 2019,
    Class-Balanced Loss Based on Effective Number of Samples), both scaled to the sum K as there. Classes without
    objects teach nothing; they have the weight 1 and are not counted in K.

    Args:
        counts: The number of objects of each class in the training data.
        loss: Its `class_weights` and `class_weights_beta` are used.
    """
    if loss.class_weights == "none":
        return None
    numbers = torch.tensor(counts, dtype=torch.float64)
    known = numbers > 0
    if loss.class_weights == "effective_number":
        beta = torch.tensor(loss.class_weights_beta, dtype=torch.float64)
        numbers = -torch.expm1(numbers * beta.log()) / (1 - beta)
    weights = 1 / numbers[known]
    scaled = torch.ones_like(numbers).masked_scatter(known, weights * (len(weights) / weights.sum()))
    return scaled.float()


def weigh_anchors(weights: Tensor, anchors: Tensor, labels: Tensor, count: int) -> Tensor:
    """Returns the factor of each anchor's classification loss, [N]: its object's class decides, background has 1.

    As in the paper, all scores of a foreground anchor have the weight of its true class.

    Args:
        weights: The weight of each class, [K].
        anchors: int64 [F], the foreground anchors.
        labels: int64 [F], their classes.
        count: N.
    """
    return weights.new_ones(count).index_put((anchors,), weights[labels])
