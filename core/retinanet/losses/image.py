"""The losses of every anchor of an image, before normalisation, so that each can be inspected."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import IOU_TARGETS, Config, Loss
from core.retinanet.anchors import make_anchors
from core.retinanet.assigners.assign import assign_anchors
from core.retinanet.assigners.match import IGNORED, Match
from core.retinanet.assigners.simota import NetworkView
from core.retinanet.focal_kernel import FocalWeights, fused_focal_loss
from core.retinanet.losses.box import box_loss, predicted_ious
from core.retinanet.losses.class_weights import weigh_anchors
from core.retinanet.losses.classification import classification_loss
from core.retinanet.losses.density import GradientBins, find_bins, harmonise
from core.retinanet.losses.hardest import select_hardest
from core.retinanet.model import Outputs
from core.retinanet.preprocess import Batch, scale_objects
from core.structures import Sample


class AnchorLosses(NamedTuple):
    """The losses of each anchor of one image, before normalisation.

    Attributes:
        classification: [N], summed over classes; 0 for ignored anchors. Under GHM-C scores are weighted as if this
            image were the whole batch.
        box: [N], multiplied by the box weight; 0 except for foreground.
        used: bool [N]: anchors that contribute to the classification loss.
        foreground: Number of foreground anchors, int64 scalar.
        bins: The scores by the norm of their gradient, under GHM-C alone.
        by_class: The part of `classification` from the foreground of each class, [K], without gradient.
    """

    classification: Tensor
    box: Tensor
    used: Tensor
    foreground: Tensor
    bins: GradientBins | None = None
    by_class: Tensor | None = None

    def add_up(self) -> "AnchorLosses":
        """Returns the losses of all anchors together, as those of a single anchor."""
        sums = self.classification.sum()[None], self.box.sum()[None]
        return AnchorLosses(*sums, self.used.any()[None], self.foreground, self.bins, self.by_class)


def anchor_losses(
    logits: Tensor,
    deltas: Tensor,
    anchors: Tensor,
    match: Match,
    boxes: Tensor,
    labels: Tensor,
    loss: Loss,
    class_weights: Tensor | None = None,
) -> AnchorLosses:
    """Returns the losses of each anchor of one image.

    Args:
        logits: [N, K].
        deltas: [N, 4].
        anchors: [N, 4].
        match: Assignment of the N anchors.
        boxes: Ground-truth boxes, [M, 4].
        labels: Ground-truth classes, int64 [M].
        loss: Hyperparameters of the loss.
        class_weights: The weight of each class, [K], see `weigh_classes`; by default 1. OHEM selects by weighted
            losses; GHM-C counts scores without weights.
    """
    foreground = match.foreground
    chosen = foreground.nonzero().squeeze(1)  # [F]
    objects = match.object[chosen]
    pairs, bins = (chosen, labels[objects]), None
    used = match.label != IGNORED
    factors = None if class_weights is None else weigh_anchors(class_weights, *pairs, len(logits))  # [N]
    if loss.kind == "ghm":
        classification, bins = _harmonised_loss_per_anchor(logits, pairs, used, loss, factors)
    elif loss.kind in IOU_TARGETS:
        targets = predicted_ious(deltas, anchors, match, boxes)
        classification = _loss_with_targets(logits, pairs, targets, loss)  # [N]
    else:
        classification = _classification_loss_per_anchor(logits, pairs, loss)
    if factors is not None and loss.kind != "ghm":
        classification = classification * factors
    if loss.kind == "ohem":
        used = select_hardest(classification.detach(), anchors, foreground, used, loss)
    box = deltas.new_zeros(len(deltas))
    box[chosen] = box_loss(deltas[chosen], boxes[objects], anchors[chosen], loss)
    classification = classification * used
    by_class = logits.new_zeros(logits.shape[1]).index_add(0, pairs[1], classification.detach()[chosen])
    return AnchorLosses(classification, box, used, foreground.sum(), bins, by_class)


def _classification_loss_per_anchor(logits: Tensor, pairs: tuple[Tensor, Tensor], loss: Loss) -> Tensor:
    """Returns `classification_loss` [N] summed over classes; `pairs` are the foreground anchors and classes [F]."""
    if loss.kind == "cutoff":
        return classification_loss(logits, _make_targets(logits, pairs), loss).sum(dim=1)
    return fused_focal_loss(logits, *pairs, _weigh(loss))


def _make_targets(logits: Tensor, pairs: tuple[Tensor, Tensor]) -> Tensor:
    """Returns 1 for the foreground pairs and 0 for all others, [N, K]."""
    targets = torch.zeros_like(logits)
    targets[pairs] = 1
    return targets


def _harmonised_loss_per_anchor(
    logits: Tensor, pairs: tuple[Tensor, Tensor], used: Tensor, loss: Loss, factors: Tensor | None
) -> tuple[Tensor, GradientBins]:
    """Returns the loss of each anchor under GHM-C, [N], and the bins of all scores of `used` anchors."""
    targets = _make_targets(logits, pairs)[used]
    cross_entropy = classification_loss(logits[used], targets, loss)
    if factors is not None:
        cross_entropy = cross_entropy * factors[used, None]
    numbers = find_bins(logits[used], targets, loss.ghm_bins)
    bins = GradientBins.of(numbers, cross_entropy, loss.ghm_bins)
    paid = (cross_entropy * harmonise(numbers, bins.counts)).sum(dim=1)
    return logits.new_zeros(len(logits)).masked_scatter(used, paid), bins


def _loss_with_targets(logits: Tensor, pairs: tuple[Tensor, Tensor], targets: Tensor, loss: Loss) -> Tensor:
    """Returns the loss of each anchor [N], with targets [F] of the foreground pairs; the kernel computes all others."""
    anchors, classes = pairs
    others = logits.index_put(pairs, logits.new_tensor(-torch.inf))  # such background pays nothing and has no gradient
    background = fused_focal_loss(others, anchors[:0], classes[:0], _weigh(loss))
    return background.index_add(0, anchors, classification_loss(logits[pairs], targets, loss))


def _weigh(loss: Loss) -> FocalWeights:
    """Returns the parameters with which the kernel computes one of the focal family, or cross-entropy.

    Foreground scores with `IOU_TARGETS` are computed apart.
    """
    alpha, gamma = loss.alpha, loss.gamma
    match loss.kind:
        case "focal":
            return FocalWeights(alpha, 1 - alpha, gamma)
        case "poly1_focal":
            return FocalWeights(alpha, 1 - alpha, gamma, loss.poly1_epsilon)
        case "balanced_cross_entropy":
            return FocalWeights(alpha, 1 - alpha, 0.0)
        case "quality_focal":
            return FocalWeights(1.0, 1.0, loss.quality_beta)
        case "varifocal":
            return FocalWeights(1.0, loss.varifocal_alpha, gamma)
    return FocalWeights(1.0, 1.0, 0.0)


def batch_losses(
    outputs: Outputs, batch: Batch, samples: Sequence[Sample], config: Config, class_weights: Tensor | None = None
) -> list[AnchorLosses]:
    """Computes the loss of every anchor of every image; crowd regions do not count as objects.

    Args:
        outputs: The network's outputs for the batch, of any float type; the losses are computed in float32.
        batch: The preprocessed images.
        samples: Their ground truth, in pixels of the original images.
        config: Settings of anchors, matching and loss.
        class_weights: The weight of each class, [K]; by default 1.

    Returns:
        The losses of each image, in the order of the batch.
    """
    device = outputs.logits.device
    grid = make_anchors(config.anchors, *batch.pixels.shape[-2:])
    grid = grid._replace(boxes=grid.boxes.to(device))
    weights = None if class_weights is None else class_weights.to(device)
    results = []
    for logits, deltas, sample, factors in zip(
        outputs.logits.float(), outputs.deltas.float(), samples, batch.factors, strict=True
    ):
        boxes, labels = scale_objects(sample, factors)
        match = assign_anchors(grid, boxes, config.matching, NetworkView(logits, deltas, labels))
        results.append(anchor_losses(logits, deltas, grid.boxes, match, boxes, labels, config.loss, weights))
    return results
