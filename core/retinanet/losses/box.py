"""The box losses of foreground anchors."""

import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss

from core.config import Loss
from core.retinanet.boxes import decode, encode

IOU_LOSSES = {"giou": generalized_box_iou_loss, "diou": distance_box_iou_loss, "ciou": complete_box_iou_loss}


def box_loss(deltas: Tensor, boxes: Tensor, anchors: Tensor, loss: Loss) -> Tensor:
    """Returns the weighted box loss [F] of foreground anchors; deltas, target boxes and anchors are [F, 4]."""
    if loss.box_loss in IOU_LOSSES:
        values = IOU_LOSSES[loss.box_loss](decode(deltas, anchors), boxes, reduction="none")
    else:
        beta = loss.smooth_l1_beta if loss.box_loss == "smooth_l1" else 0.0
        values = F.smooth_l1_loss(deltas, encode(boxes, anchors), beta=beta, reduction="none").sum(dim=1)
    return loss.box_weight * values
