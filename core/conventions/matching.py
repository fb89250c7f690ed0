"""Assignment by max IoU with the forced matches of each framework."""

import torch
from torch import Tensor

from core.config import Matching
from core.conventions.rules import Rules
from core.retinanet.assigners.match import FOREGROUND, Match
from core.retinanet.assigners.max_iou import match_anchors
from core.retinanet.boxes import iou_matrix


def assign(anchors: Tensor, objects: Tensor, matching: Matching, rules: Rules) -> Match:
    """Labels every anchor by its highest IoU, and forces matches as the rules say.

    Args:
        anchors: float32 [N, 4].
        objects: Ground-truth boxes, float32 [M, 4]; M may be 0.
        matching: The thresholds, and whether matches are forced.
        rules: Their `forcing` is used.
    """
    if not matching.force_best_match or rules.forcing == "touching" or not len(objects):
        return match_anchors(anchors, objects, matching)
    match = match_anchors(anchors, objects, matching.model_copy(update={"force_best_match": False}))
    reached = match.foreground
    label, owner, iou = match.label.clone(), match.object.clone(), match.iou.clone()
    for number in range(len(objects)):
        overlap = iou_matrix(objects[number, None], anchors)[0]  # [N]
        best = overlap == overlap.max()
        label[best] = FOREGROUND
        if rules.forcing == "object":
            owner[best], iou[best] = number, overlap[best]
    foreground = label == FOREGROUND
    return match._replace(label=label, object=owner, iou=iou, forced=torch.logical_and(foreground, ~reached))
