"""Non-maximum suppression per group, limited to as many boxes as a cap needs, and the suppressor of each box."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.ops import batched_nms, nms

PAIRS = 4_000_000  # of suppressed boxes and survivors compared at a time, which bounds memory for huge top-K
CALL = 100_000  # pairs of boxes that NMS compares in the time of one call's overhead


def class_nms(boxes: Tensor, scores: Tensor, groups: Tensor, threshold: float) -> Tensor:
    """Returns the boxes that survive NMS within their group, int64 [S], by descending score, at ties by index.

    On CPUs `torchvision.ops.batched_nms` either adds an offset per group to the coordinates, which rounds them, or
    passes over all boxes once per group; this function avoids both.

    Args:
        boxes: [C, 4].
        scores: [C].
        groups: int64 [C], from 0.
        threshold: IoU above which the box with the lower score is suppressed.
    """
    if boxes.device.type != "cpu":
        return batched_nms(boxes, scores, groups, threshold)
    counts = groups.bincount()
    if len(boxes) ** 2 < CALL * torch.count_nonzero(counts) and boxes.isfinite().all():
        return nms(_separate_groups(boxes, groups), scores.double(), _to_single_threshold(threshold))
    left = [group[nms(boxes[group], scores[group], threshold)] for group in split_by_group(groups) if len(group)]
    survivors = torch.cat([groups[:0], *left]).sort().values
    return survivors[scores[survivors].argsort(descending=True, stable=True)]


def _separate_groups(boxes: Tensor, groups: Tensor) -> Tensor:
    """Shifts each group by a different multiple of a power of two, which is exact in double precision."""
    _, exponent = math.frexp(boxes.abs().max())  # coordinates are below 2 to the power of it
    return boxes.double() + (groups * 2.0 ** (exponent + 1))[:, None]


def _to_single_threshold(threshold: float) -> float:
    """Returns the double that is exceeded by exactly those IoUs that exceed the threshold in single precision."""
    above = torch.tensor(threshold, dtype=torch.float32)
    if above.item() <= threshold:
        above = above.nextafter(torch.tensor(torch.inf))
    below = above.nextafter(torch.tensor(-torch.inf))
    return (above.item() + below.item()) / 2


def first_survivors(order: Tensor, count: int, suppress: Callable[[Tensor], Tensor]) -> Tensor:
    """Returns the first `count` survivors; lower-scored boxes cannot affect them and are not processed.

    Args:
        order: int64 [C], all boxes, best first.
        count: Maximum number of survivors.
        suppress: Returns the survivors among the given boxes, best first.
    """
    reach = 2 * count
    while True:
        survivors = suppress(order[:reach])
        if len(survivors) >= count or reach >= len(order):
            return survivors[:count]
        reach *= 2


def find_box_suppressors(
    boxes: Tensor, groups: Tensor, survivors: Tensor, threshold: float, measure: Callable[[Tensor, Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Finds for each suppressed box the best-scored survivor of its group with an overlap above the threshold.

    Args:
        boxes: [C, 4].
        groups: int64 [C].
        survivors: int64 [S], best first.
        threshold: Overlap above which a box is suppressed.
        measure: Returns the overlaps [N, M] of boxes [N, 4] with others [M, 4]: `iou_matrix` or `diou_matrix`.

    Returns:
        Index [C] of the suppressor and overlap [C] with it; −1 and 0 for survivors.
    """
    suppressor = torch.full_like(groups, -1)
    overlaps = boxes.new_zeros(len(boxes))
    lost = torch.ones_like(groups, dtype=torch.bool).index_fill(0, survivors, False).nonzero().squeeze(1)
    # Every group with a suppressed box has a survivor; later groups without suppressed boxes are left out.
    for mine, theirs in zip(split_by_group(groups[lost]), split_by_group(groups[survivors]), strict=False):
        if not len(mine):
            continue
        rivals = survivors[theirs]  # best first
        for block in lost[mine].split(1 + PAIRS // len(rivals)):
            overlap = measure(boxes[block], boxes[rivals])  # [block, rivals]
            # The suppressor outscored the suppressed box, so it comes before all survivors with lower scores that
            # overlap, too. If rounding leaves none above the threshold, the highest decides.
            clear, rank = (overlap > threshold).max(dim=1)
            if not clear.all():
                rank = torch.where(clear, rank, overlap.argmax(dim=1))
            suppressor[block] = rivals[rank]
            overlaps[block] = overlap.gather(1, rank[:, None]).squeeze(1)
    return suppressor, overlaps


def split_by_group(groups: Tensor) -> tuple[Tensor, ...]:
    """Returns the indices of each group's members among int64 [n], ascending; groups are numbered from 0."""
    return groups.argsort(stable=True).split(groups.bincount().tolist())
