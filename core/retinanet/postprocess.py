"""Post-processing with all intermediate results: threshold → top-K → decode → NMS → cap (paper, section 4)."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Inference
from core.retinanet.anchors import AnchorGrid
from core.retinanet.boxes import clip, decode, iou_matrix
from core.retinanet.nms import class_nms, find_box_suppressors, first_survivors

KEPT, SUPPRESSED, BEYOND_CAP = 0, 1, 2  # fates of a candidate

# Sizes of blocks of which top-K first compares only the maxima; the size leaves enough blocks that few are searched.
BLOCKS = range(8, 257)


class LevelCounts(NamedTuple):
    """The number of candidates of a pyramid level after each step.

    Attributes:
        anchors: Anchors of the level.
        scored: (anchor, class) pairs above the score threshold.
        topk: Pairs after top-K.
    """

    anchors: int
    scored: int
    topk: int


class Candidates(NamedTuple):
    """The C (anchor, class) pairs that enter NMS, ordered by tile, by level, then by descending score.

    Attributes:
        level: int64 [C], 0 for P3.
        anchor: int64 [C], index among all anchors of the whole picture, or of the tile.
        label: int64 [C].
        score: float32 [C], before NMS.
        box: float32 [C, 4], decoded and clipped, in pixels of the resized image.
        tile: int64 [C], index of the tile in which it was found, `core.retinanet.tiles.WHOLE` for the whole picture;
            None if the picture is seen whole only.
    """

    level: Tensor
    anchor: Tensor
    label: Tensor
    score: Tensor
    box: Tensor
    tile: Tensor | None = None


class Suppressors(NamedTuple):
    """The suppressor of each candidate.

    Attributes:
        candidate: int64 [C]: index of the candidate that suppressed this one, −1 for none.
        iou: float32 [C]: IoU with it, 0 for none.
    """

    candidate: Tensor
    iou: Tensor


class Fates(NamedTuple):
    """The result of NMS and the cap for each candidate.

    Attributes:
        fate: int8 [C]: KEPT, SUPPRESSED or BEYOND_CAP.
        score: float32 [C]: final score; soft NMS lowers it.
        order: int64 [D]: the kept candidates, best first.
        suppressors: The suppressors if NMS determined them, as soft NMS does; else `find_suppressors` does.
    """

    fate: Tensor
    score: Tensor
    order: Tensor
    suppressors: Suppressors | None = None


@torch.inference_mode()
def select_candidates(
    logits: Tensor, deltas: Tensor, anchors: AnchorGrid, size: tuple[int, int], inference: Inference
) -> Candidates:
    """Runs the steps before NMS: threshold → top-K → decode.

    Args:
        logits: [N, K].
        deltas: [N, 4].
        anchors: The N anchors of the padded image.
        size: (height, width) of the resized image without padding; boxes are clipped to it.
        inference: Threshold and top-K.
    """
    picked, start = [], 0
    for number, level in enumerate(logits.split(anchors.counts)):
        score, anchor, label = _select_in_level(level, inference)
        picked.append((torch.full_like(anchor, number), anchor + start, label, score))
        start += len(level)
    level, anchor, label, score = (torch.cat(parts) for parts in zip(*picked, strict=True))
    box = clip(decode(deltas[anchor], anchors.boxes.to(deltas.device)[anchor]), *size)
    return Candidates(level, anchor, label, score, box)


def _select_in_level(logits: Tensor, inference: Inference) -> tuple[Tensor, Tensor, Tensor]:
    """Returns score, anchor and label [k] of the best pairs of a level [n, K] above the threshold, best first."""
    pairs = logits.flatten()
    logit, pair = _fast_topk(pairs, inference.topk_candidates)
    if logit[:1].isnan().any():  # top-K puts NaN first, but it is above no threshold
        logit, pair = _fast_topk(pairs.masked_fill(pairs.isnan(), -torch.inf), inference.topk_candidates)
    score = logit.float().sigmoid()  # monotonic: the order stays the same
    passed = score > inference.score_threshold
    score, pair = score[passed], pair[passed]
    return score, pair // logits.shape[1], pair % logits.shape[1]


def _fast_topk(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Returns the `count` highest values, or all if there are fewer, and their indices; faster than `Tensor.topk`.

    The highest values are in the `count` blocks with the highest maxima, so that only these blocks are searched.

    Args:
        values: [n].
        count: Number of values to return.
    """
    size = min(len(values) // (8 * count), BLOCKS[-1])
    if size not in BLOCKS:
        return values.topk(min(count, len(values)))
    blocks = len(values) // size
    rows, rest = values[: blocks * size].view(blocks, size), values[blocks * size :]
    peak, block = rows.amax(dim=1).topk(count, sorted=False)
    best = torch.cat([rows[block].flatten(), rest])
    index = torch.nonzero(~(best < peak.min())).squeeze(1)  # at least the maxima, and all NaN
    highest, order = best[index].topk(count)
    index = index[order]
    block = torch.cat([block, block.new_tensor([blocks])])  # the rest follows the last block
    return highest, block[index // size] * size + index % size


@torch.inference_mode()
def count_per_level(
    logits: Tensor, anchors: AnchorGrid, candidates: Candidates, inference: Inference
) -> tuple[LevelCounts, ...]:
    """Counts the candidates of each level after each step; arguments as for `select_candidates`, with its result."""
    above = (level.sigmoid() > inference.score_threshold for level in logits.split(anchors.counts))
    scored = [int(torch.count_nonzero(level)) for level in above]
    topk = candidates.level.bincount(minlength=len(scored)).tolist()
    return tuple(LevelCounts(*level) for level in zip(anchors.counts, scored, topk, strict=True))


@torch.inference_mode()
def apply_nms(candidates: Candidates, inference: Inference) -> Fates:
    """Runs NMS and the cap; NMS is per class unless it is class-agnostic."""
    if inference.nms_kind == "soft":
        return _soft_nms(candidates, inference)
    groups = _groups(candidates, inference)
    survivors = class_nms(candidates.box, candidates.score, groups, inference.nms_threshold)
    fate = torch.full_like(candidates.label, SUPPRESSED, dtype=torch.int8)
    fate[survivors] = BEYOND_CAP
    order = survivors[: inference.max_detections]
    fate[order] = KEPT
    return Fates(fate, candidates.score, order)


@torch.inference_mode()
def find_suppressors(candidates: Candidates, fates: Fates, inference: Inference) -> Suppressors:
    """Finds the suppressor of each candidate, which takes longer than NMS itself.

    Args:
        candidates: As for `apply_nms`.
        fates: The result of `apply_nms`.
        inference: As for `apply_nms`.
    """
    if fates.suppressors:
        return fates.suppressors
    survivors = torch.nonzero(fates.fate != SUPPRESSED).squeeze(1)
    survivors = survivors[candidates.score[survivors].argsort(descending=True, stable=True)]
    groups = _groups(candidates, inference)
    return Suppressors(*find_box_suppressors(candidates.box, groups, survivors, inference.nms_threshold))


def select_detections(candidates: Candidates, inference: Inference) -> tuple[Tensor, Tensor]:
    """Returns `order` and `score` of `apply_nms`, but processes only as many candidates as the cap requires."""
    if inference.nms_kind == "soft":
        fates = _soft_nms(candidates, inference)
        return fates.order, fates.score
    groups = _groups(candidates, inference)

    def suppress(some: Tensor) -> Tensor:
        return some[class_nms(candidates.box[some], candidates.score[some], groups[some], inference.nms_threshold)]

    order = candidates.score.argsort(descending=True, stable=True)
    return first_survivors(order, inference.max_detections, suppress), candidates.score


def _groups(candidates: Candidates, inference: Inference) -> Tensor:
    return torch.zeros_like(candidates.label) if inference.class_agnostic_nms else candidates.label


def _soft_nms(candidates: Candidates, inference: Inference) -> Fates:
    """Repeatedly keeps the best box and multiplies the other scores by exp(−IoU²/σ) (Soft-NMS 2017, equation 3).

    A box with a final score at or below the threshold counts as suppressed by the box that lowered its score most.
    """
    groups, score = _groups(candidates, inference), candidates.score.clone()
    waiting = torch.ones_like(groups, dtype=torch.bool)
    suppressor = torch.full_like(groups, -1)
    iou = score.new_zeros(len(score))
    order: list[Tensor] = []
    while len(order) < inference.max_detections:
        open_score = score.masked_fill(~waiting, -torch.inf)
        if len(score) == 0 or open_score.max() <= inference.score_threshold:
            break
        best = open_score.argmax()
        order.append(best)
        waiting[best] = False
        overlap = iou_matrix(candidates.box[best : best + 1], candidates.box).squeeze(0)  # [C]
        rivals = waiting & (groups == groups[best])
        score = torch.where(rivals, score * torch.exp(-(overlap**2) / inference.soft_nms_sigma), score)
        strongest = rivals & (overlap > iou)
        suppressor[strongest] = best
        iou = torch.where(strongest, overlap, iou)
    kept = torch.stack(order) if order else groups.new_zeros(0)
    fate = torch.full_like(groups, BEYOND_CAP, dtype=torch.int8)
    fate[score <= inference.score_threshold] = SUPPRESSED
    fate[kept] = KEPT
    survived = fate != SUPPRESSED
    suppressors = Suppressors(suppressor.masked_fill(survived, -1), iou.masked_fill(survived, 0.0))
    return Fates(fate, score, kept, suppressors)
