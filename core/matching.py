"""Anchors × ground truth → foreground, ignored or background (paper, section 4, "Anchors")."""

from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import box_iou

from core.hyperparameters import Matching

FOREGROUND, BACKGROUND, IGNORED = 1, 0, -1

# Objects compared with all anchors at a time: bounds memory to BLOCK × N values however many objects there are.
BLOCK = 16


class Match(NamedTuple):
    """What became of each anchor.

    Attributes:
        label: int8 [N]: FOREGROUND, BACKGROUND or IGNORED.
        object: int64 [N]: index of the object the anchor overlaps most; meaningless without objects.
        iou: float32 [N]: IoU with that object, 0 without objects.
        forced: bool [N]: foreground only because no other anchor overlaps some object more.
        best_iou: float32 [M]: the highest IoU any anchor has with each object.
        best_anchor: int64 [M]: the first anchor that has it.
    """

    label: Tensor
    object: Tensor
    iou: Tensor
    forced: Tensor
    best_iou: Tensor
    best_anchor: Tensor

    @property
    def foreground(self) -> Tensor:
        """bool [N]: anchors that answer for an object."""
        return self.label == FOREGROUND


def match_anchors(anchors: Tensor, objects: Tensor, matching: Matching) -> Match:
    """Labels every anchor by its best IoU: below the lower threshold background, from the upper one foreground.

    With `force_best_match` the anchors that overlap an object most (all of them, at ties) become foreground too,
    each for the object that it overlaps most itself, as in torchvision and detectron2. Unlike there, an object
    that no anchor touches forces none.

    Args:
        anchors: float32 [N, 4].
        objects: Ground-truth boxes, float32 [M, 4]; M may be 0.
        matching: The thresholds.
    """
    iou, best_object, anchor_of_object, best_iou, best_anchor = _best(anchors, objects, matching.force_best_match)
    label = torch.full_like(best_object, IGNORED, dtype=torch.int8)
    label[iou < matching.bg_iou_threshold] = BACKGROUND
    label[iou >= matching.fg_iou_threshold] = FOREGROUND
    if len(objects) == 0:
        label.fill_(BACKGROUND)  # also when the lower threshold is 0
    forced = anchor_of_object & (label != FOREGROUND)
    label[forced] = FOREGROUND
    return Match(label, best_object, iou, forced, best_iou, best_anchor)


def _best(anchors: Tensor, objects: Tensor, force: bool) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Returns each anchor's best IoU [N] and object [N], whether it is some object's best anchor [N], and each object's
    best IoU [M] and anchor [M].

    Whose best anchors are marked only if they are to be forced.
    """
    iou = anchors.new_zeros(len(anchors))
    best_object = torch.zeros(len(anchors), dtype=torch.int64, device=anchors.device)
    is_best = torch.zeros(len(anchors), dtype=torch.bool, device=anchors.device)
    highest, chosen = (
        anchors.new_zeros(len(objects)),
        torch.zeros(len(objects), dtype=torch.int64, device=anchors.device),
    )
    for start in range(0, len(objects), BLOCK):
        block = box_iou(objects[start : start + BLOCK], anchors)  # [m, N]
        block_iou, row = block.max(dim=0)
        better = block_iou > iou  # strictly: the first of equal objects wins
        iou = torch.where(better, block_iou, iou)
        best_object = torch.where(better, row + start, best_object)
        here = slice(start, start + BLOCK)
        highest[here], chosen[here] = block.max(dim=1)
        if force:
            top = highest[here, None]  # [m, 1]
            is_best |= ((block == top) & (top > 0)).any(dim=0)
    return iou, best_object, is_best, highest, chosen
