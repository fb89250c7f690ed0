"""The claims of objects on anchors: an anchor goes to one of those that claim it, and is background if none does."""

import torch
from torch import Tensor

from core.retinanet.assigners.match import BACKGROUND, FOREGROUND, Match
from core.retinanet.boxes import pairwise_iou

NOBODY = torch.iinfo(torch.int64).max


def settle_claims(anchor: Tensor, object: Tensor, worth: Tensor, count: int) -> Tensor:
    """Returns the object of each anchor, int64 [N], `NOBODY` for none.

    Args:
        anchor: The anchor of each claim, int64 [P].
        object: The object that claims it, int64 [P].
        worth: What the anchor is worth to it, float32 [P]: the highest wins, at ties the first object.
        count: Number of anchors, N.
    """
    highest = worth.new_full((count,), -torch.inf).scatter_reduce_(0, anchor, worth, "amax")
    wins = worth == highest[anchor]
    owner = torch.full((count,), NOBODY, device=anchor.device)
    return owner.scatter_reduce_(0, anchor[wins], object[wins], "amin")


def assign_owners(fit: Match, owner: Tensor, anchors: Tensor, objects: Tensor) -> Match:
    """Returns the assignment in which each anchor with an owner is foreground and all others are background.

    Args:
        fit: The assignment by the highest IoU, of which what is said about background and about objects stays.
        owner: The object of each anchor, int64 [N], or `NOBODY`.
        anchors: float32 [N, 4].
        objects: Ground-truth boxes, float32 [M, 4].
    """
    foreground = owner != NOBODY
    chosen = foreground.nonzero().squeeze(1)
    assigned, iou = fit.object.clone(), fit.iou.clone()
    assigned[chosen] = owner[chosen]
    iou[chosen] = pairwise_iou(anchors[chosen].T, objects[owner[chosen]].T).nan_to_num_(0.0)  # 0/0 without area
    label = torch.full_like(fit.label, BACKGROUND).masked_fill_(foreground, FOREGROUND)
    return fit._replace(label=label, object=assigned, iou=iou, forced=torch.zeros_like(fit.forced))
