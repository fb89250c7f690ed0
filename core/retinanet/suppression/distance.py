"""DIoU-NMS: non-maximum suppression that spares boxes whose centres lie apart (Zheng et al., AAAI 2020)."""

import torch
from torch import Tensor

from core.retinanet.boxes import diou_matrix
from core.retinanet.suppression.hard import split_by_group

BLOCK = 256  # boxes that are compared with each other at a time
RIVALS = 4096  # survivors that a block is compared with at a time, which bounds memory


def diou_nms(boxes: Tensor, scores: Tensor, groups: Tensor, threshold: float) -> Tensor:
    """Returns the boxes that survive DIoU-NMS within their group, int64 [S], by descending score, at ties by index.

    A box is suppressed if its IoU with a better survivor, less ρ²/c², exceeds the threshold: ρ is the distance of their
    centres, c the diagonal of the smallest box around both.

    Args:
        boxes: [C, 4].
        scores: [C].
        groups: int64 [C], from 0.
        threshold: 0 … 1.
    """
    order = scores.argsort(descending=True, stable=True)
    members = [order[each] for each in split_by_group(groups[order]) if len(each)]  # best first
    left = [group[_find_survivors(boxes[group], threshold)] for group in members]
    survivors = torch.cat([order[:0], *left]).sort().values
    return survivors[scores[survivors].argsort(descending=True, stable=True)]


def _find_survivors(boxes: Tensor, threshold: float) -> Tensor:
    """Returns the indices of the survivors among boxes [n, 4] of a group, best first."""
    survivors = torch.zeros(0, dtype=torch.int64, device=boxes.device)
    for block in torch.arange(len(boxes), device=boxes.device).split(BLOCK):
        for rivals in survivors.split(RIVALS):
            block = block[~(diou_matrix(boxes[rivals], boxes[block]) > threshold).any(dim=0)]
        beats = (diou_matrix(boxes[block], boxes[block]) > threshold).triu(1)
        survivors = torch.cat([survivors, block[_keep_greedily(beats)]])
    return survivors


def _keep_greedily(beats: Tensor) -> Tensor:
    """Returns which boxes remain, bool [n], if each one that remains removes those that it beats.

    Whether a box remains depends on better ones only. So the first box is right from the start, and each repetition
    makes at least the next one right, but usually all at once.

    Args:
        beats: bool [n, n], whether the box of the row, if it remains, removes the one of the column, which is worse.
    """
    kept = torch.ones(len(beats), dtype=torch.bool, device=beats.device)
    while True:
        left = ~(beats & kept[:, None]).any(dim=0)
        if torch.equal(left, kept):
            return kept
        kept = left
