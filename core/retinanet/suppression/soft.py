"""Soft-NMS: overlapping boxes are not dropped, but their scores are lowered (Bodla et al., ICCV 2017)."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.retinanet.boxes import iou_matrix


class Lowered(NamedTuple):
    """The result of Soft-NMS.

    Attributes:
        order: int64 [D]: the boxes that are kept, best first.
        score: float32 [C]: the scores that are left.
        lowered_by: int64 [C]: the kept box that lowered the score of this one most, −1 for none.
        iou: float32 [C]: IoU with it, 0 for none.
    """

    order: Tensor
    score: Tensor
    lowered_by: Tensor
    iou: Tensor


def soft_nms(boxes: Tensor, scores: Tensor, groups: Tensor, *, sigma: float, above: float, count: int) -> Lowered:
    """Repeatedly keeps the best box and multiplies the other scores of its group by exp(−IoU²/σ) (equation 3).

    Args:
        boxes: [C, 4].
        scores: [C].
        groups: int64 [C].
        sigma: σ.
        above: Score that the kept boxes exceed.
        count: Maximum number of boxes that are kept.
    """
    score, waiting = scores.clone(), torch.ones_like(groups, dtype=torch.bool)
    lowered_by, iou = torch.full_like(groups, -1), scores.new_zeros(len(scores))
    order: list[Tensor] = []
    while len(order) < count:
        open_score = score.masked_fill(~waiting, -torch.inf)
        if len(score) == 0 or open_score.max() <= above:
            break
        best = open_score.argmax()
        order.append(best)
        waiting[best] = False
        overlap = iou_matrix(boxes[best : best + 1], boxes).squeeze(0)  # [C]
        rivals = waiting & (groups == groups[best])
        score = torch.where(rivals, score * torch.exp(-(overlap**2) / sigma), score)
        strongest = rivals & (overlap > iou)
        lowered_by[strongest] = best
        iou = torch.where(strongest, overlap, iou)
    return Lowered(torch.stack(order) if order else groups.new_zeros(0), score, lowered_by, iou)
