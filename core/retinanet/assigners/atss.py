"""Assignment by adaptive training sample selection, ATSS (Zhang et al. 2020, CVPR, algorithm 1).

Each object has a threshold of its own. Of each level the k anchors with the closest centres are its candidates; the
threshold is the mean of their IoUs with the object plus their standard deviation. Candidates that reach it, and are
centred inside the object, are foreground; all other anchors are background, and none is ignored.
"""

import torch
from torch import Tensor

from core.retinanet.anchors import AnchorGrid
from core.retinanet.assigners.claims import assign_owners, settle_claims
from core.retinanet.assigners.match import Closest, Match
from core.retinanet.assigners.max_iou import GROUP
from core.retinanet.boxes import pairwise_iou


def assign_closest(fit: Match, grid: AnchorGrid, objects: Tensor, topk: int) -> Match:
    """Assigns anchors by ATSS; one that several objects claim goes to that with the highest IoU, at ties the first.

    The deviation has the divisor n − 1, as in the authors' code.

    Args:
        fit: The assignment of the same anchors by the highest IoU.
        grid: The anchors.
        objects: Ground-truth boxes, float32 [M, 4]; M may be 0.
        topk: Candidates of an object on each level, k, however many anchors a location has; the authors' code takes k
            of each kind of anchor.
    """
    anchor = find_closest(grid, objects, topk)  # [M, C]
    iou = pairwise_iou(grid.boxes[anchor].permute(2, 0, 1), objects.T[:, :, None]).nan_to_num_(0.0)
    mean = iou.mean(dim=1, keepdim=True)
    deviation = ((iou - mean).square().sum(dim=1) / max(1, anchor.shape[1] - 1)).sqrt()
    inside = is_inside(grid.centres[anchor], objects[:, None])
    closest = Closest(anchor, iou, inside, mean.squeeze(1) + deviation)
    number, column = closest.is_foreground.nonzero().unbind(dim=1)
    owner = settle_claims(anchor[number, column], number, iou[number, column], len(grid.boxes))
    return assign_owners(fit, owner, grid.boxes, objects)._replace(closest=closest)


def find_closest(grid: AnchorGrid, objects: Tensor, topk: int) -> Tensor:
    """Returns the anchors of each level whose centres are closest to that of each object, int64 [M, C].

    Levels come in their order, the closest anchor of a level first. Anchors of a location share their centre: at ties
    the first anchors are taken. A level with fewer than k anchors gives all of them.
    """
    locations = topk // grid.per_location + bool(topk % grid.per_location)
    middles = (objects[:, :2] + objects[:, 2:]) / 2
    of_location = torch.arange(grid.per_location, device=objects.device)
    levels, first = [], 0
    for size, stride, count in zip(grid.grids, grid.strides, grid.counts, strict=True):
        nearest = torch.cat([_find_nearest(size, stride, group, locations) for group in middles.split(GROUP)])
        anchors = (nearest[:, :, None] * grid.per_location + of_location).flatten(1)  # [M, locations · A]
        levels.append(first + anchors[:, :topk])
        first += count
    return torch.cat(levels, dim=1)


def _find_nearest(size: tuple[int, int], stride: tuple[float, float], middles: Tensor, number: int) -> Tensor:
    """Returns the locations of a level that are nearest to points (x, y), [m, 2], int64 [m, number].

    The nearest n locations are in the nearest n rows and columns: n others of a row that is farther are nearer.
    """
    column, across = _find_nearest_on_axis(size[1], stride[1], middles[:, 0], number)
    row, down = _find_nearest_on_axis(size[0], stride[0], middles[:, 1], number)
    location = (row[:, :, None] * size[1] + column[:, None]).flatten(1)  # ascending
    distance = (down[:, :, None] + across[:, None]).flatten(1)
    return location.gather(1, distance.sort(dim=1, stable=True).indices[:, :number])


def _find_nearest_on_axis(size: int, stride: float, middles: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Returns the rows or columns nearest to coordinates [m], ascending, int64 [m, n], and their squared distances."""
    away = (torch.arange(size, device=middles.device) * stride - middles[:, None]).square()  # [m, size]
    nearest = away.sort(dim=1, stable=True).indices[:, :number].sort(dim=1).values
    return nearest, away.gather(1, nearest)


def is_inside(centres: Tensor, objects: Tensor) -> Tensor:
    """Returns which centres, [..., 2], are inside their objects, [..., 4], and not on their edge."""
    return ((centres > objects[..., :2]) & (centres < objects[..., 2:])).all(dim=-1)
