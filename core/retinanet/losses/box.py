"""The box losses of foreground anchors."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss

from core.config import Loss
from core.retinanet.assigners.match import Match
from core.retinanet.boxes import decode, encode, pairwise_iou

IOU_LOSSES = {"giou": generalized_box_iou_loss, "diou": distance_box_iou_loss, "ciou": complete_box_iou_loss}


def box_loss(deltas: Tensor, boxes: Tensor, anchors: Tensor, loss: Loss) -> Tensor:
    """Returns the weighted box loss [F] of foreground anchors; deltas, target boxes and anchors are [F, 4]."""
    if loss.box_loss in IOU_LOSSES:
        values = IOU_LOSSES[loss.box_loss](decode(deltas, anchors), boxes, reduction="none")
    else:
        beta = loss.smooth_l1_beta if loss.box_loss == "smooth_l1" else 0.0
        values = F.smooth_l1_loss(deltas, encode(boxes, anchors), beta=beta, reduction="none").sum(dim=1)
    return loss.box_weight * values


@torch.no_grad()
def predicted_ious(deltas: Tensor, anchors: Tensor, match: Match, boxes: Tensor) -> Tensor:
    """Returns the IoU of the box that each foreground anchor predicts with its object, float32 [F], without gradient.

    These are the targets of `IOU_TARGETS`: scores learn them, but do not move the boxes.

    Args:
        deltas: [N, 4].
        anchors: [N, 4].
        match: Assignment of the N anchors.
        boxes: Ground-truth boxes, [M, 4].
    """
    chosen = match.foreground
    predicted, truth = decode(deltas[chosen], anchors[chosen]), boxes[match.object[chosen]]
    return pairwise_iou(predicted.T, truth.T).nan_to_num_(0.0).clamp_(max=1)  # 0/0 of two boxes without area
