"""Weighted boxes fusion: overlapping boxes become one, their mean (Solovyev et al., 2021)."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.retinanet.suppression.hard import split_by_group


class Fused(NamedTuple):
    """The result of weighted boxes fusion.

    Attributes:
        first: int64 [C]: the best-scored box of the cluster of each box, which may be itself.
        box: float32 [C, 4]: the fused box of its cluster.
        score: float32 [C]: the score of the fused box.
    """

    first: Tensor
    box: Tensor
    score: Tensor


def fuse_boxes(boxes: Tensor, scores: Tensor, groups: Tensor, *, threshold: float, views: int) -> Fused:
    """Fuses the boxes of each group that overlap.

    By descending score, each box joins the cluster whose fused box it overlaps most, if the IoU exceeds the threshold,
    or else begins a cluster. The fused box of a cluster of N boxes is their mean, weighted by their scores; its score
    is the mean of their scores, times min(N, T)/T for T views of the picture.

    Args:
        boxes: [C, 4].
        scores: [C], above 0.
        groups: int64 [C], from 0.
        threshold: 0 … 1.
        views: T, how often the picture was seen.
    """
    first, box, score = torch.empty_like(groups), boxes.cpu().clone(), scores.cpu().clone()
    order = scores.argsort(descending=True, stable=True)
    for members in split_by_group(groups[order]):
        group = order[members]  # best first
        if not len(group):
            continue
        fused = _fuse_group(boxes[group].cpu().numpy(), scores[group].cpu().numpy(), threshold)
        cluster = torch.from_numpy(fused.cluster)
        sizes = np.bincount(fused.cluster)
        means = fused.weight / sizes * np.minimum(sizes, views) / views
        first[group] = group[torch.from_numpy(fused.beginning)[cluster].to(group.device)]
        box[group.cpu()] = torch.from_numpy(fused.box.T).to(box.dtype)[cluster]
        score[group.cpu()] = torch.from_numpy(means).to(score.dtype)[cluster]
    return Fused(first, box.to(boxes.device), score.to(scores.device))


class _Clusters(NamedTuple):
    """Clusters of a group: of each box the number of its cluster, and of each cluster its beginning, box and weight.

    Attributes:
        cluster: int64 [n].
        beginning: int64 [F], index of the first box.
        box: float64 [4, F], the fused box.
        weight: float64 [F], the sum of the scores.
    """

    cluster: np.ndarray
    beginning: np.ndarray
    box: np.ndarray
    weight: np.ndarray


def _fuse_group(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> _Clusters:
    """Returns the clusters of boxes [n, 4] of a group, best first.

    In NumPy, whose calls take a third of the time of PyTorch's on vectors of this length, and in double precision.
    """
    count, exact = 0, boxes.astype(np.float64)
    cluster, beginning = np.empty(len(boxes), np.int64), np.empty(len(boxes), np.int64)
    fused, area = np.empty((4, len(boxes))), np.empty(len(boxes))
    sums: list[list[float]] = []  # of each cluster the weighted corners, and the weight
    for index, (box, score) in enumerate(zip(exact.tolist(), scores.tolist(), strict=True)):
        chosen = _find_cluster(fused[:, :count], area[:count], box, threshold)
        if chosen is None:
            chosen, count = count, count + 1
            beginning[chosen] = index
            sums.append([0.0] * 5)
        cluster[index] = chosen
        sums[chosen] = [each + score * side for each, side in zip(sums[chosen], (*box, 1.0), strict=True)]
        x1, y1, x2, y2, weight = sums[chosen]
        fused[:, chosen] = x1 / weight, y1 / weight, x2 / weight, y2 / weight
        area[chosen] = (x2 - x1) * (y2 - y1) / weight**2
    return _Clusters(cluster, beginning[:count], fused[:, :count], np.array([each[4] for each in sums]))


def _find_cluster(fused: np.ndarray, area: np.ndarray, box: list[float], threshold: float) -> int | None:
    """Returns which fused boxes [4, F], of areas [F], a box [4] overlaps most, None if no IoU exceeds the threshold."""
    x1, y1, x2, y2 = box
    if not len(area):
        return None
    shared, height = np.minimum(fused[2], x2), np.minimum(fused[3], y2)
    shared -= np.maximum(fused[0], x1)
    height -= np.maximum(fused[1], y1)
    shared = np.maximum(shared, 0, out=shared) * np.maximum(height, 0, out=height)
    with np.errstate(invalid="ignore", over="ignore"):
        iou = np.fmax(shared / (area + (x2 - x1) * (y2 - y1) - shared), 0)  # 0 for boxes without area or not finite
    best = int(iou.argmax())
    return best if iou[best] > threshold else None
