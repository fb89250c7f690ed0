"""Assignment by the highest IoU: foreground, ignored or background (paper, section 4, "Anchors")."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Matching
from core.retinanet.assigners.match import BACKGROUND, FOREGROUND, IGNORED, Match
from core.retinanet.boxes import iou_matrix, pairwise_iou

# Consecutive anchors are close to each other, so most objects are far from most runs of consecutive anchors: an object
# is only compared with the runs it touches. Objects are processed in groups, which bounds memory.
RUN = 36  # anchors
GROUP = 32  # objects


def match_anchors(anchors: Tensor, objects: Tensor, matching: Matching) -> Match:
    """Labels every anchor by its highest IoU: background below the lower threshold, foreground from the upper one.

    With `force_best_match` the anchors with an object's highest IoU (all of them at ties) become foreground, too, each
    for the object that it overlaps most itself, as in torchvision and detectron2. Unlike there, no anchor is forced for
    an object that no anchor touches.

    Args:
        anchors: float32 [N, 4].
        objects: Ground-truth boxes, float32 [M, 4]; M may be 0.
        matching: The thresholds.
    """
    find_best = _find_best_in_runs if anchors.device.type == "cpu" else _find_best_densely
    iou, best_object, is_best, best_iou, best_anchor = find_best(anchors, objects, matching.force_best_match)
    foreground = iou >= matching.fg_iou_threshold
    forced = is_best & ~foreground
    foreground |= forced
    # Arithmetic on BACKGROUND = 0, which is faster than choosing by masks.
    ignored = (iou >= matching.bg_iou_threshold) & ~foreground
    label = ignored.view(torch.int8).mul_(IGNORED).add_(foreground.view(torch.int8), alpha=FOREGROUND)
    if len(objects) == 0:
        label.fill_(BACKGROUND)  # also when the lower threshold is 0
    return Match(label, best_object, iou, forced, best_iou, best_anchor)


_Best = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def _find_best_densely(anchors: Tensor, objects: Tensor, force: bool) -> _Best:
    """Does the same as `_find_best_in_runs` by comparing all pairs, which is faster on GPUs."""
    iou, best_object = anchors.new_zeros(len(anchors)), torch.zeros_like(anchors[:, 0], dtype=torch.int64)
    is_best = torch.zeros_like(best_object, dtype=torch.bool)
    highest = anchors.new_zeros(len(objects))
    chosen = torch.zeros_like(highest, dtype=torch.int64)
    for start in range(0, len(objects), GROUP):
        here = slice(start, start + GROUP)
        overlap = iou_matrix(objects[here], anchors)  # [m, N]
        best, owner = overlap.amax(dim=0), overlap.argmax(dim=0)  # [N]; at ties the first object
        better = best > iou  # strict, so that at ties the first object wins
        iou = torch.where(better, best, iou)
        best_object = torch.where(better, owner + start, best_object)
        highest[here], chosen[here] = overlap.amax(dim=1), overlap.argmax(dim=1)
        if force:
            is_best |= ((overlap == highest[here, None]) & (overlap > 0)).any(dim=0)
    return iou, best_object, is_best, highest, chosen


class _Runs(NamedTuple):
    """R runs of consecutive anchors.

    Attributes:
        corners: float32 [4, R, RUN], coordinates first; the last run is padded with the last anchor.
        bounds: float32 [4, R]: the smallest box that contains the anchors of each run.
    """

    corners: Tensor
    bounds: Tensor


class _Nearby(NamedTuple):
    """IoUs of P pairs of an object and a run of anchors near it; the IoU of all other pairs is 0.

    Attributes:
        object: int64 [P], ascending.
        run: int64 [P].
        iou: float32 [P, RUN]: IoU of the object with each anchor of the run.
    """

    object: Tensor
    run: Tensor
    iou: Tensor


def _find_best_in_runs(anchors: Tensor, objects: Tensor, force: bool) -> _Best:
    """Finds the highest IoU of each anchor and of each object.

    Returns:
        Highest IoU [N] and object [N] of each anchor; bool [N], True for the best anchors of any object if `force`,
        else False; highest IoU [M] and anchor [M] of each object.
    """
    runs = _split_into_runs(anchors) if anchors.is_inference() else _recall_runs(anchors, anchors._version)
    iou = anchors.new_zeros(runs.corners.shape[1:])  # [R, RUN]
    best_object = torch.zeros_like(iou, dtype=torch.int64)
    is_best = torch.zeros_like(iou, dtype=torch.bool)
    highest = anchors.new_zeros(len(objects))
    chosen = torch.zeros(len(objects), dtype=torch.int64, device=anchors.device)
    for start in range(0, len(objects), GROUP):
        here = slice(start, start + GROUP)
        near = _compare_nearby(runs, objects[here])
        _update_anchors(iou, best_object, near, start)
        top = _update_objects(highest[here], chosen[here], near)
        if force:
            is_best.index_put_((near.run,), top & (near.iou > 0), accumulate=True)
    iou, best_object, is_best = (values.flatten()[: len(anchors)] for values in (iou, best_object, is_best))
    return iou, best_object, is_best, highest, chosen


@lru_cache(maxsize=4)
def _recall_runs(anchors: Tensor, version: int) -> _Runs:
    """Returns `_split_into_runs`, kept for the next image of the same size; each change of a tensor raises its version.

    Tensors are found by their identity. Inference tensors have no version.
    """
    return _split_into_runs(anchors)


def _split_into_runs(anchors: Tensor) -> _Runs:
    """Splits anchors [N, 4] into runs."""
    corners = anchors.new_empty(4, len(anchors) + -len(anchors) % RUN)
    for row, values in zip(corners, anchors.unbind(dim=1), strict=True):  # faster than one transposition
        row[: len(anchors)] = values
        row[len(anchors) :] = values[-1:]
    corners = corners.view(4, -1, RUN)
    return _Runs(corners, torch.cat([corners[:2].amin(dim=2), corners[2:].amax(dim=2)]))


def _compare_nearby(runs: _Runs, objects: Tensor) -> _Nearby:
    """Computes the IoU of objects [m, 4] with the runs that have bounds they touch."""
    left, top, right, bottom = runs.bounds  # [R]
    x1, y1, x2, y2 = objects.T[:, :, None]  # [m, 1]
    touch = (left < x2) & (right > x1) & (top < y2) & (bottom > y1)  # [m, R]
    number, run = torch.nonzero(touch).unbind(dim=1)
    anchors = runs.corners.index_select(1, run)  # [4, P, RUN]; copies whole rows, unlike an index
    return _Nearby(number, run, pairwise_iou(anchors, objects[number].T[:, :, None]))


def _update_anchors(iou: Tensor, best_object: Tensor, near: _Nearby, start: int) -> None:
    """Updates the best object of each anchor with a group of objects, numbered from `start`; at ties the first wins."""
    run, row = near.run.unique(return_inverse=True)
    rows = row[:, None].expand_as(near.iou)
    highest = iou.new_zeros(len(run), RUN).scatter_reduce_(0, rows, near.iou, "amax")
    is_highest = near.iou == highest.index_select(0, row)
    owner = torch.where(is_highest, near.object.to(torch.int32)[:, None], GROUP)
    first = torch.full_like(owner[: len(run)], GROUP).scatter_reduce_(0, rows, owner, "amin")
    before = iou.index_select(0, run)
    better = highest > before  # strict, so that at ties the first object wins
    iou[run] = torch.where(better, highest, before)
    best_object[run] = torch.where(better, first + start, best_object[run])


def _update_objects(highest: Tensor, chosen: Tensor, near: _Nearby) -> Tensor:
    """Writes the highest IoU [m] of each object and the first anchor with it [m]; returns all as bool [P, RUN]."""
    highest.scatter_reduce_(0, near.object, near.iou.amax(dim=1), "amax")
    top = near.iou == highest[near.object, None]
    number = near.run * RUN + top.to(torch.uint8).argmax(dim=1)  # [P]: first anchor of the run with it
    has_it = top.any(dim=1)
    far = torch.iinfo(torch.int64).max
    first = torch.full_like(chosen, far).scatter_reduce_(0, near.object[has_it], number[has_it], "amin")
    chosen.copy_(first.masked_fill(highest == 0, 0))
    return top
