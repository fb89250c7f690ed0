"""Focal loss and its alternatives, box losses, and the total that is minimised (paper, section 3).

All functions return one value per anchor; only `total_loss` sums them, so that each can be inspected.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss, nms

from core.config import Config, Loss
from core.retinanet.anchors import make_anchors
from core.retinanet.boxes import decode, encode
from core.retinanet.focal_kernel import FocalWeights, fused_focal_loss
from core.retinanet.matching import IGNORED, Match, match_anchors
from core.retinanet.model import Outputs
from core.retinanet.nms import first_survivors
from core.retinanet.preprocess import Batch, scale_objects
from core.structures import Sample

IOU_LOSSES = {"giou": generalized_box_iou_loss, "diou": distance_box_iou_loss, "ciou": complete_box_iou_loss}


class AnchorLosses(NamedTuple):
    """The losses of each anchor of one image, before normalisation.

    Attributes:
        classification: [N], summed over classes; 0 for ignored anchors.
        box: [N], multiplied by the box weight; 0 except for foreground.
        used: bool [N]: anchors that contribute to the classification loss.
        foreground: Number of foreground anchors, int64 scalar.
    """

    classification: Tensor
    box: Tensor
    used: Tensor
    foreground: Tensor

    def add_up(self) -> "AnchorLosses":
        """Returns the losses of all anchors together, as those of a single anchor."""
        return AnchorLosses(
            self.classification.sum()[None], self.box.sum()[None], self.used.any()[None], self.foreground
        )


class Losses(NamedTuple):
    """The classification and the box loss, two scalars; their sum is minimised."""

    classification: Tensor
    box: Tensor

    @property
    def total(self) -> Tensor:
        """Sum of classification and weighted box loss."""
        return self.classification + self.box


def focal_loss(logits: Tensor, targets: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """Returns FL(p_t) = −α_t (1−p_t)^γ log p_t for each logit (paper, equation 5).

    Let x_t be the logit with its sign flipped for background; then −log p_t = softplus(−x_t) and −log(1−p_t) =
    softplus(x_t). In this form value and gradient are finite for every logit and every γ ≥ 0, whereas a power of 1−p_t
    with an exponent below 1 has an infinite slope at p_t = 1.

    Args:
        logits: Any shape.
        targets: Same shape, 1 for foreground and 0 for background.
        alpha: Weight of foreground; that of background is 1 − α.
        gamma: Focusing parameter.
    """
    weight = alpha * targets + (1 - alpha) * (1 - targets)
    signed = logits * (2 * targets - 1)  # x_t
    return weight * torch.exp(-gamma * F.softplus(signed)) * F.softplus(-signed)


def cutoff_loss(logits: Tensor, targets: Tensor, *, alpha: float, cutoff: float) -> Tensor:
    """Returns −α_t log p_t where p_t ≤ cutoff and 0 above it (paper, section 5.1, "Hinge Loss").

    Where it is not 0 its gradient is that of cross-entropy, and thus that of the hinge α_t · max(0, log(cutoff / p_t)):
    training is the same, and the values are comparable with those of the other losses.

    Args:
        logits: Any shape.
        targets: Same shape, 1 for foreground and 0 for background.
        alpha: Weight of foreground; that of background is 1 − α.
        cutoff: Largest p_t with a loss; 1 is α-balanced cross-entropy.
    """
    p_t = torch.sigmoid(logits * (2 * targets - 1))
    return focal_loss(logits, targets, alpha=alpha, gamma=0.0) * (p_t <= cutoff)


def classification_loss(logits: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """Returns the chosen loss of each logit; for OHEM it is cross-entropy, and anchors are selected afterwards."""
    if loss.kind == "focal":
        return focal_loss(logits, targets, alpha=loss.alpha, gamma=loss.gamma)
    if loss.kind == "balanced_cross_entropy":
        return focal_loss(logits, targets, alpha=loss.alpha, gamma=0.0)
    if loss.kind == "cutoff":
        return cutoff_loss(logits, targets, alpha=loss.alpha, cutoff=loss.cutoff)
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")


def box_loss(deltas: Tensor, boxes: Tensor, anchors: Tensor, loss: Loss) -> Tensor:
    """Returns the weighted box loss [F] of foreground anchors; deltas, target boxes and anchors are [F, 4]."""
    if loss.box_loss in IOU_LOSSES:
        values = IOU_LOSSES[loss.box_loss](decode(deltas, anchors), boxes, reduction="none")
    else:
        beta = loss.smooth_l1_beta if loss.box_loss == "smooth_l1" else 0.0
        values = F.smooth_l1_loss(deltas, encode(boxes, anchors), beta=beta, reduction="none").sum(dim=1)
    return loss.box_weight * values


def anchor_losses(
    logits: Tensor, deltas: Tensor, anchors: Tensor, match: Match, boxes: Tensor, labels: Tensor, loss: Loss
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
    """
    foreground = match.foreground
    chosen = foreground.nonzero().squeeze(1)  # [F]
    objects = match.object[chosen]
    classification = _classification_loss_per_anchor(logits, chosen, labels[objects], loss)  # [N]
    used = match.label != IGNORED
    if loss.kind == "ohem":
        used = select_hardest(classification.detach(), anchors, foreground, used, loss)
    box = deltas.new_zeros(len(deltas))
    box[chosen] = box_loss(deltas[chosen], boxes[objects], anchors[chosen], loss)
    return AnchorLosses(classification * used, box, used, foreground.sum())


def _classification_loss_per_anchor(logits: Tensor, foreground: Tensor, classes: Tensor, loss: Loss) -> Tensor:
    """Returns `classification_loss` [N] summed over classes; foreground anchors and their classes are int64 [F]."""
    if loss.kind == "cutoff":
        targets = torch.zeros_like(logits)
        targets[foreground, classes] = 1
        return classification_loss(logits, targets, loss).sum(dim=1)
    balanced = loss.kind in ("focal", "balanced_cross_entropy")
    alpha_t = (loss.alpha, 1 - loss.alpha) if balanced else (1.0, 1.0)
    weights = FocalWeights(*alpha_t, gamma=loss.gamma if loss.kind == "focal" else 0.0)
    return fused_focal_loss(logits, foreground, classes, weights)


def total_loss(images: list[AnchorLosses], loss: Loss, divisor: Tensor | float | None = None) -> Losses:
    """Sums and normalises the losses of a batch; the divisor is at least 1, also without foreground.

    Args:
        images: The losses of each image, at least one.
        loss: Its `normaliser` is used: "image" divides the sum of each image by its number of foreground anchors and
            averages the quotients, the others divide the sum of the batch.
        divisor: Divisor of "batch" and "moving_average"; by default the number of foreground anchors of the batch.
    """
    classification = torch.stack([image.classification.sum() for image in images])  # [B]
    box = torch.stack([image.box.sum() for image in images])
    foreground = torch.stack([image.foreground for image in images])
    if loss.normaliser == "image":
        divisors = foreground.clamp(min=1)
        return Losses((classification / divisors).mean(), (box / divisors).mean())
    if divisor is None:
        divisor = foreground.sum().clamp(min=1)
    return Losses(classification.sum() / divisor, box.sum() / divisor)


def batch_losses(outputs: Outputs, batch: Batch, samples: Sequence[Sample], config: Config) -> list[AnchorLosses]:
    """Computes the loss of every anchor of every image; crowd regions do not count as objects.

    Args:
        outputs: The network's outputs for the batch, of any float type; the losses are computed in float32.
        batch: The preprocessed images.
        samples: Their ground truth, in pixels of the original images.
        config: Settings of anchors, matching and loss.

    Returns:
        The losses of each image, in the order of the batch.
    """
    device = outputs.logits.device
    anchors = make_anchors(config.anchors, *batch.pixels.shape[-2:]).boxes.to(device)
    results = []
    for logits, deltas, sample, factors in zip(
        outputs.logits.float(), outputs.deltas.float(), samples, batch.factors, strict=True
    ):
        boxes, labels = scale_objects(sample, factors)
        match = match_anchors(anchors, boxes, config.matching)
        results.append(anchor_losses(logits, deltas, anchors, match, boxes, labels, config.loss))
    return results


class ForegroundAverage:
    """Exponential moving average of the number of foreground anchors per batch, the "moving_average" normaliser."""

    MOMENTUM = 0.9  # as in detectron2, which starts at 100

    def __init__(self, value: float = 100.0) -> None:
        self.value = value

    def update(self, foreground: float) -> float:
        """Updates the average with the count of a batch and returns it."""
        self.value = self.MOMENTUM * self.value + (1 - self.MOMENTUM) * max(foreground, 1.0)
        return self.value


def select_hardest(values: Tensor, anchors: Tensor, foreground: Tensor, usable: Tensor, loss: Loss) -> Tensor:
    """Selects the anchors of OHEM: by descending loss, after NMS, optionally three background per foreground anchor.

    Args:
        values: Loss of each anchor, [N].
        anchors: [N, 4].
        foreground: bool [N].
        usable: bool [N]: anchors that may be selected.
        loss: Number of anchors, NMS threshold and ratio (paper, section 5.1, "Online Hard Example Mining").

    Returns:
        bool [N]: the selected anchors.
    """
    order = values.masked_fill(~usable, -torch.inf).argsort(descending=True, stable=True)[: int(usable.sum())]
    count = loss.ohem_anchors
    if loss.ohem_one_to_three:
        positive = _suppress(order[foreground[order]], count // 4, values, anchors, loss.ohem_nms_threshold)
        negative_count = min(3 * len(positive), count - len(positive))
        negative = _suppress(order[~foreground[order]], negative_count, values, anchors, loss.ohem_nms_threshold)
        chosen = torch.cat([positive, negative])
    else:
        chosen = _suppress(order, count, values, anchors, loss.ohem_nms_threshold)
    return torch.zeros_like(usable).index_fill(0, chosen, True)


def _suppress(order: Tensor, count: int, values: Tensor, anchors: Tensor, threshold: float) -> Tensor:
    """Returns the first `count` indices of `order` that survive NMS."""
    if threshold == 1:
        return order[:count]
    return first_survivors(order, count, lambda some: some[nms(anchors[some], values[some], threshold)])
