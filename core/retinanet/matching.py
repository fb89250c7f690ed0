"""Anchors × ground truth → foreground, ignored or background (paper, section 4, "Anchors")."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Matching
from core.retinanet.boxes import iou_of_all, pairwise_iou

FOREGROUND, BACKGROUND, IGNORED = 1, 0, -1

# Anchors that follow each other lie near each other, so most objects are far from most runs of them: only the runs
# that an object touches are compared with it. Objects are taken GROUP at a time, which bounds memory.
RUN = 36
GROUP = 32


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
    best = _best_nearby if anchors.device.type == "cpu" else _best_of_all
    iou, best_object, anchor_of_object, best_iou, best_anchor = best(anchors, objects, matching.force_best_match)
    above_lower, above_upper = (
        (iou >= threshold).view(torch.int8) for threshold in (matching.bg_iou_threshold, matching.fg_iou_threshold)
    )
    # From BACKGROUND, 0; what reaches the upper threshold reaches the lower one, too.
    label = above_lower.mul_(IGNORED).add_(above_upper, alpha=FOREGROUND - IGNORED)
    if len(objects) == 0:
        label.fill_(BACKGROUND)  # also when the lower threshold is 0
    forced = anchor_of_object & (label != FOREGROUND)
    label[forced] = FOREGROUND
    return Match(label, best_object, iou, forced, best_iou, best_anchor)


_Best = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def _best_of_all(anchors: Tensor, objects: Tensor, force: bool) -> _Best:
    """As `_best_nearby`, by comparing all with all: graphics cards are done with that before they are told of less."""
    iou, best_object = anchors.new_zeros(len(anchors)), torch.zeros_like(anchors[:, 0], dtype=torch.int64)
    is_best = torch.zeros_like(best_object, dtype=torch.bool)
    highest = anchors.new_zeros(len(objects))
    chosen = torch.zeros_like(highest, dtype=torch.int64)
    for start in range(0, len(objects), GROUP):
        here = slice(start, start + GROUP)
        overlap = iou_of_all(objects[here], anchors)  # [m, N]
        best, owner = overlap.amax(dim=0), overlap.argmax(dim=0)  # [N]; of equal objects the first
        better = best > iou  # strictly: earlier objects win
        iou = torch.where(better, best, iou)
        best_object = torch.where(better, owner + start, best_object)
        highest[here], chosen[here] = overlap.amax(dim=1), overlap.argmax(dim=1)
        if force:
            is_best |= ((overlap == highest[here, None]) & (overlap > 0)).any(dim=0)
    return iou, best_object, is_best, highest, chosen


class _Nearby(NamedTuple):
    """IoUs of some objects with the runs of anchors near them; all other anchors have 0.

    Attributes:
        object: int64 [P], ascending.
        run: int64 [P].
        iou: float32 [P, RUN]: of the object with each anchor of the run.
    """

    object: Tensor
    run: Tensor
    iou: Tensor


def _best_nearby(anchors: Tensor, objects: Tensor, force: bool) -> _Best:
    """Returns each anchor's best IoU [N] and object [N], whether it is some object's best anchor [N], and each object's
    best IoU [M] and anchor [M].

    Whose best anchors are marked only if they are to be forced.
    """
    runs = _runs(anchors)  # [4, R, RUN]
    iou = anchors.new_zeros(runs.shape[1:])  # [R, RUN]
    best_object = torch.zeros_like(iou, dtype=torch.int64)
    is_best = torch.zeros_like(iou, dtype=torch.bool)
    highest = anchors.new_zeros(len(objects))
    chosen = torch.zeros(len(objects), dtype=torch.int64, device=anchors.device)
    for start in range(0, len(objects), GROUP):
        here = slice(start, start + GROUP)
        near = _nearby(runs, objects[here])
        _update_anchors(iou, best_object, near, start)
        top = _update_objects(highest[here], chosen[here], near)
        if force:
            is_best.index_put_((near.run,), top & (near.iou > 0), accumulate=True)
    per_anchor = (part.flatten()[: len(anchors)] for part in (iou, best_object, is_best))
    return *per_anchor, highest, chosen


def _runs(anchors: Tensor) -> Tensor:
    """Cuts anchors [N, 4], the last one repeated, into runs that follow each other, [4, R, RUN]."""
    runs = anchors.new_empty(4, len(anchors) + -len(anchors) % RUN)
    for row, values in zip(runs, anchors.unbind(dim=1), strict=True):  # faster than to transpose them at once
        row[: len(anchors)] = values
        row[len(anchors) :] = values[-1:]
    return runs.view(4, -1, RUN)


def _nearby(runs: Tensor, objects: Tensor) -> _Nearby:
    """Compares objects [m, 4] with the runs [4, R, RUN] whose common bounds they touch."""
    left, top = runs[:2].amin(dim=2)  # [R]
    right, bottom = runs[2:].amax(dim=2)
    x1, y1, x2, y2 = objects.T[:, :, None]  # [m, 1]
    touch = (left < x2) & (right > x1) & (top < y2) & (bottom > y1)  # [m, R]
    number, run = torch.nonzero(touch).unbind(dim=1)
    return _Nearby(number, run, pairwise_iou(runs[:, run], objects[number].T[:, :, None]))


def _update_anchors(iou: Tensor, best_object: Tensor, near: _Nearby, start: int) -> None:
    """Takes objects from number `start` on into each anchor's best; of equal objects the first wins."""
    run, row = near.run.unique(return_inverse=True)
    place = row[:, None].expand_as(near.iou)
    highest = iou.new_zeros(len(run), RUN).scatter_reduce_(0, place, near.iou, "amax")
    owner = torch.where(near.iou == highest[row], near.object[:, None], GROUP)
    first = torch.full_like(highest, GROUP, dtype=torch.int64).scatter_reduce_(0, place, owner, "amin")
    before = iou[run]
    better = highest > before  # strictly: earlier objects win
    iou[run] = torch.where(better, highest, before)
    best_object[run] = torch.where(better, first + start, best_object[run])


def _update_objects(highest: Tensor, chosen: Tensor, near: _Nearby) -> Tensor:
    """Fills in each object's best IoU [m] and the first anchor that has it [m]; returns bool [P, RUN]: who has it."""
    highest.scatter_reduce_(0, near.object, near.iou.amax(dim=1), "amax")
    top = near.iou == highest[near.object, None]
    number = near.run * RUN + top.to(torch.uint8).argmax(dim=1)  # [P]: first anchor of the run that has it
    has_it = top.any(dim=1)
    far = torch.iinfo(torch.int64).max
    first = torch.full_like(chosen, far).scatter_reduce_(0, near.object[has_it], number[has_it], "amin")
    chosen.copy_(first.masked_fill(highest == 0, 0))
    return top
