"""Non-maximum suppression by class, of no more boxes than it takes to fill a cap, and who suppressed whom."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.ops import batched_nms, nms

from core.retinanet.boxes import iou_of_all

PAIRS = 4_000_000  # of lost boxes and survivors compared at a time, which bounds memory for huge top-K
CALL = 100_000  # pairs of boxes that are compared in the time that it takes to call NMS


def class_nms(boxes: Tensor, scores: Tensor, groups: Tensor, threshold: float) -> Tensor:
    """Returns the boxes that NMS leaves in their own group, int64 [S], best first, at ties the first.

    On CPUs `torchvision.ops.batched_nms` moves groups apart by adding to the coordinates, which rounds them, or
    looks at all boxes once a group; both are avoided here.

    Args:
        boxes: [C, 4].
        scores: [C].
        groups: int64 [C], from 0.
        threshold: IoU above which the worse box goes.
    """
    if boxes.device.type != "cpu":
        return batched_nms(boxes, scores, groups, threshold)
    counts = groups.bincount()
    if len(boxes) ** 2 < CALL * torch.count_nonzero(counts) and boxes.isfinite().all():
        return nms(_apart(boxes, groups), scores.double(), _single(threshold))
    left = [group[nms(boxes[group], scores[group], threshold)] for group in _places(groups) if len(group)]
    survivors = torch.cat([groups[:0], *left]).sort().values
    return survivors[scores[survivors].argsort(descending=True, stable=True)]


def _apart(boxes: Tensor, groups: Tensor) -> Tensor:
    """Moves each group to a place of its own, by multiples of a power of two: in doubles, sizes stay what they are."""
    _, exponent = math.frexp(boxes.abs().max())  # coordinates are below 2 to this
    return boxes.double() + (groups * 2.0 ** (exponent + 1))[:, None]


def _single(threshold: float) -> float:
    """Returns the double that is below just those IoUs that, rounded to single precision, are above the threshold."""
    above = torch.tensor(threshold, dtype=torch.float32)
    if above.item() <= threshold:
        above = above.nextafter(torch.tensor(torch.inf))
    below = above.nextafter(torch.tensor(-torch.inf))
    return (above.item() + below.item()) / 2


def first_survivors(order: Tensor, count: int, suppress: Callable[[Tensor], Tensor]) -> Tensor:
    """Returns the first `count` survivors; what is worse than them cannot change them and is not looked at.

    Args:
        order: int64 [C], all boxes, best first.
        count: How many are wanted.
        suppress: Returns which of the given boxes survive, best first.
    """
    reach = 2 * count
    while True:
        survivors = suppress(order[:reach])
        if len(survivors) >= count or reach >= len(order):
            return survivors[:count]
        reach *= 2


def suppressors_of(boxes: Tensor, groups: Tensor, survivors: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Finds for each suppressed box the best-scored survivor of its group that overlaps it more than allowed.

    Args:
        boxes: [C, 4].
        groups: int64 [C].
        survivors: int64 [S], best first.
        threshold: IoU above which a box is suppressed.

    Returns:
        Index [C] and IoU [C] of the suppressor, −1 and 0 for survivors.
    """
    suppressor = torch.full_like(groups, -1)
    iou = boxes.new_zeros(len(boxes))
    lost = torch.ones_like(groups, dtype=torch.bool).index_fill(0, survivors, False).nonzero().squeeze(1)
    # A group that has lost a box has a survivor; those after the last that has lost one are left out.
    for mine, theirs in zip(_places(groups[lost]), _places(groups[survivors]), strict=False):
        if not len(mine):
            continue
        rivals = survivors[theirs]  # best first
        for block in lost[mine].split(1 + PAIRS // len(rivals)):
            overlap = iou_of_all(boxes[block], boxes[rivals])  # [block, rivals]
            # The box at fault outscored the lost one, so it comes before any lower survivor that overlaps too.
            # Where rounding leaves none over the threshold, the closest it is.
            clear, rank = (overlap > threshold).max(dim=1)
            if not clear.all():
                rank = torch.where(clear, rank, overlap.argmax(dim=1))
            suppressor[block] = rivals[rank]
            iou[block] = overlap.gather(1, rank[:, None]).squeeze(1)
    return suppressor, iou


def _places(groups: Tensor) -> tuple[Tensor, ...]:
    """Returns where each group is among int64 [n], in the order it has there; groups are counted from 0."""
    return groups.argsort(stable=True).split(groups.bincount().tolist())
