"""Focal loss and its relatives, box losses, and the sums that are minimised (paper, section 3).

Every function keeps the value of each anchor; sums are taken last, so that the page can show who pays what.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss, nms

from core.config import Loss
from core.retinanet.boxes import decode, encode
from core.retinanet.focal_kernel import FocalWeights, focal_by_anchor
from core.retinanet.matching import IGNORED, Match
from core.retinanet.nms import first_survivors

IOU_LOSSES = {"giou": generalized_box_iou_loss, "diou": distance_box_iou_loss, "ciou": complete_box_iou_loss}


class AnchorLosses(NamedTuple):
    """What each anchor of one picture pays, before the normaliser.

    Attributes:
        classification: [N], summed over classes; 0 for ignored anchors.
        box: [N], already times the box weight; 0 except for foreground.
        used: bool [N]: anchors that count in the classification loss.
        foreground: Number of foreground anchors, int64 scalar.
    """

    classification: Tensor
    box: Tensor
    used: Tensor
    foreground: Tensor


class Losses(NamedTuple):
    """The two scalars whose sum is minimised."""

    classification: Tensor
    box: Tensor

    @property
    def total(self) -> Tensor:
        """Classification plus weighted box loss."""
        return self.classification + self.box


def focal_loss(logits: Tensor, targets: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """Returns FL(p_t) = −α_t (1−p_t)^γ log p_t for each logit (paper, equation 5).

    With x_t the logit signed so that right is positive, −log p_t = softplus(−x_t) and −log(1−p_t) = softplus(x_t).
    In this form value and gradient stay finite for every logit and every γ ≥ 0, where raising 1−p_t to a
    power below 1 has an infinite slope at p_t = 1.

    Args:
        logits: Any shape.
        targets: Same shape, 1 for foreground and 0 for background.
        alpha: Weight of foreground; background weighs 1 − α.
        gamma: Focusing parameter.
    """
    weight = alpha * targets + (1 - alpha) * (1 - targets)
    signed = logits * (2 * targets - 1)  # x_t
    return weight * torch.exp(-gamma * F.softplus(signed)) * F.softplus(-signed)


def cutoff_loss(logits: Tensor, targets: Tensor, *, alpha: float, cutoff: float) -> Tensor:
    """Returns −α_t log p_t where p_t ≤ cutoff and 0 above it (paper, section 5.1, "Hinge Loss").

    Where it is not 0 its slope is that of cross-entropy, and so also that of the hinge α_t · max(0, log(cutoff / p_t)):
    both train alike, and here what an anchor pays can be compared with the other losses.

    Args:
        logits: Any shape.
        targets: Same shape, 1 for foreground and 0 for background.
        alpha: Weight of foreground; background weighs 1 − α.
        cutoff: Largest p_t that pays; 1 is α-balanced cross-entropy.
    """
    p_t = torch.sigmoid(logits * (2 * targets - 1))
    return focal_loss(logits, targets, alpha=alpha, gamma=0.0) * (p_t <= cutoff)


def classification_loss(logits: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """Returns the chosen loss of each logit; OHEM's is cross-entropy, its choice of anchors comes later."""
    if loss.kind == "focal":
        return focal_loss(logits, targets, alpha=loss.alpha, gamma=loss.gamma)
    if loss.kind == "balanced_cross_entropy":
        return focal_loss(logits, targets, alpha=loss.alpha, gamma=0.0)
    if loss.kind == "cutoff":
        return cutoff_loss(logits, targets, alpha=loss.alpha, cutoff=loss.cutoff)
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")


def box_loss(deltas: Tensor, boxes: Tensor, anchors: Tensor, loss: Loss) -> Tensor:
    """Returns the weighted box loss [F] of foreground anchors: deltas, target boxes and anchors are [F, 4]."""
    if loss.box_loss in IOU_LOSSES:
        values = IOU_LOSSES[loss.box_loss](decode(deltas, anchors), boxes, reduction="none")
    else:
        beta = loss.smooth_l1_beta if loss.box_loss == "smooth_l1" else 0.0
        values = F.smooth_l1_loss(deltas, encode(boxes, anchors), beta=beta, reduction="none").sum(dim=1)
    return loss.box_weight * values


def anchor_losses(
    logits: Tensor, deltas: Tensor, anchors: Tensor, match: Match, boxes: Tensor, labels: Tensor, loss: Loss
) -> AnchorLosses:
    """Returns what each anchor of one picture pays.

    Args:
        logits: [N, K].
        deltas: [N, 4].
        anchors: [N, 4].
        match: Labels of the N anchors.
        boxes: Ground truth, [M, 4].
        labels: Classes of the ground truth, int64 [M].
        loss: Which losses.
    """
    foreground = match.foreground
    chosen = foreground.nonzero().squeeze(1)  # [F]
    objects = match.object[chosen]
    classification = _by_anchor(logits, chosen, labels[objects], loss)  # [N]
    used = match.label != IGNORED
    if loss.kind == "ohem":
        used = hardest(classification.detach(), anchors, foreground, used, loss)
    box = deltas.new_zeros(len(deltas))
    box[chosen] = box_loss(deltas[chosen], boxes[objects], anchors[chosen], loss)
    return AnchorLosses(classification * used, box, used, foreground.sum())


def _by_anchor(logits: Tensor, foreground: Tensor, classes: Tensor, loss: Loss) -> Tensor:
    """Returns `classification_loss` summed over classes, [N]; foreground anchors and their classes are int64 [F]."""
    if loss.kind == "cutoff":
        targets = torch.zeros_like(logits)
        targets[foreground, classes] = 1
        return classification_loss(logits, targets, loss).sum(dim=1)
    balanced = loss.kind in ("focal", "balanced_cross_entropy")
    alpha_t = (loss.alpha, 1 - loss.alpha) if balanced else (1.0, 1.0)
    weights = FocalWeights(*alpha_t, gamma=loss.gamma if loss.kind == "focal" else 0.0)
    return focal_by_anchor(logits, foreground, classes, weights)


def total_loss(images: list[AnchorLosses], loss: Loss, divisor: Tensor | float | None = None) -> Losses:
    """Sums the pictures' losses under the chosen normaliser; a picture or batch without foreground divides by 1.

    Args:
        images: One entry a picture, at least one.
        loss: The normaliser: "image" averages the pictures' own quotients, the others divide the batch's sum.
        divisor: What "batch" and "moving_average" divide by; the batch's own foreground if not given.
    """
    classification = torch.stack([image.classification.sum() for image in images])  # [B]
    box = torch.stack([image.box.sum() for image in images])
    foreground = torch.stack([image.foreground for image in images])
    if loss.normaliser == "image":
        own = foreground.clamp(min=1)
        return Losses((classification / own).mean(), (box / own).mean())
    if divisor is None:
        divisor = foreground.sum().clamp(min=1)
    return Losses(classification.sum() / divisor, box.sum() / divisor)


class ForegroundAverage:
    """Exponential moving average of the foreground anchors of a batch, the "moving_average" normaliser."""

    MOMENTUM = 0.9  # as in detectron2, which starts at 100

    def __init__(self, value: float = 100.0) -> None:
        self.value = value

    def update(self, foreground: float) -> float:
        """Takes in a batch's count and returns the new average."""
        self.value = self.MOMENTUM * self.value + (1 - self.MOMENTUM) * max(foreground, 1.0)
        return self.value


def hardest(values: Tensor, anchors: Tensor, foreground: Tensor, usable: Tensor, loss: Loss) -> Tensor:
    """Chooses OHEM's anchors: highest loss first, NMS among them, optionally three background to a foreground.

    Args:
        values: Loss of each anchor, [N].
        anchors: [N, 4].
        foreground: bool [N].
        usable: bool [N]: anchors that may be chosen.
        loss: Number, NMS threshold and ratio (paper, section 5.1, "Online Hard Example Mining").

    Returns:
        bool [N]: the chosen anchors.
    """
    order = values.masked_fill(~usable, -torch.inf).argsort(descending=True, stable=True)[: int(usable.sum())]
    count = loss.ohem_anchors
    if loss.ohem_one_to_three:
        positive = _survivors(order[foreground[order]], count // 4, values, anchors, loss.ohem_nms_threshold)
        negative_count = min(3 * len(positive), count - len(positive))
        negative = _survivors(order[~foreground[order]], negative_count, values, anchors, loss.ohem_nms_threshold)
        chosen = torch.cat([positive, negative])
    else:
        chosen = _survivors(order, count, values, anchors, loss.ohem_nms_threshold)
    return torch.zeros_like(usable).index_fill(0, chosen, True)


def _survivors(order: Tensor, count: int, values: Tensor, anchors: Tensor, threshold: float) -> Tensor:
    """Returns the first `count` indices of `order` that NMS leaves."""
    if threshold == 1:
        return order[:count]
    return first_survivors(order, count, lambda some: some[nms(anchors[some], values[some], threshold)])
