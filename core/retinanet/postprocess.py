"""From outputs to detections, with every stage kept: threshold → top-K → decode → NMS → cap (paper, section 4)."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Inference
from core.retinanet.anchors import AnchorGrid
from core.retinanet.boxes import clip, decode, iou_of_all
from core.retinanet.nms import class_nms, first_survivors, suppressors_of

KEPT, SUPPRESSED, BEYOND_CAP = 0, 1, 2  # fates of a candidate

# Values of which only the highest is looked at first: so many that few blocks are looked at again, if there are enough.
BLOCKS = range(8, 257)


class LevelCounts(NamedTuple):
    """How many candidates of one pyramid level passed each step.

    Attributes:
        anchors: Anchors of the level.
        scored: (anchor, class) pairs above the score threshold.
        topk: Pairs left by top-K.
    """

    anchors: int
    scored: int
    topk: int


class Candidates(NamedTuple):
    """The (anchor, class) pairs left by top-K, level by level, best first in each level.

    Attributes:
        level: int64 [C], 0 for P3.
        anchor: int64 [C], index among all anchors.
        label: int64 [C].
        score: float32 [C], as predicted.
        box: float32 [C, 4], decoded and clipped, pixels of the network's picture.
    """

    level: Tensor
    anchor: Tensor
    label: Tensor
    score: Tensor
    box: Tensor


class Suppressors(NamedTuple):
    """Who suppressed each candidate.

    Attributes:
        index: int64 [C]: the candidate that suppressed this one, −1 where none did.
        iou: float32 [C]: IoU with it, 0 where there is none.
    """

    index: Tensor
    iou: Tensor


class Fates(NamedTuple):
    """What NMS and the cap made of each candidate.

    Attributes:
        fate: int8 [C]: KEPT, SUPPRESSED or BEYOND_CAP.
        score: float32 [C]: final score; soft NMS lowers it.
        order: int64 [D]: the kept candidates, best first.
        suppressors: Who suppressed whom, where that had to be found out on the way; else `suppressors` finds it.
    """

    fate: Tensor
    score: Tensor
    order: Tensor
    suppressors: Suppressors | None = None


@torch.inference_mode()
def select(
    logits: Tensor, deltas: Tensor, anchors: AnchorGrid, size: tuple[int, int], inference: Inference
) -> Candidates:
    """Runs the stages before NMS: threshold → top-K → decode.

    Args:
        logits: [N, K].
        deltas: [N, 4].
        anchors: The N anchors of the padded picture.
        size: (height, width) of the picture in the network's pixels, without padding; boxes are clipped to it.
        inference: Thresholds and caps.
    """
    picked, start = [], 0
    for number, level in enumerate(logits.split(anchors.counts)):
        score, anchor, label = _top_candidates(level, inference)
        picked.append((torch.full_like(anchor, number), anchor + start, label, score))
        start += len(level)
    level, anchor, label, score = (torch.cat(parts) for parts in zip(*picked, strict=True))
    box = clip(decode(deltas[anchor], anchors.boxes.to(deltas.device)[anchor]), *size)
    return Candidates(level, anchor, label, score, box)


def _top_candidates(logits: Tensor, inference: Inference) -> tuple[Tensor, Tensor, Tensor]:
    """Returns score, anchor and label [k] of the best pairs of a level [n, K] that pass the threshold, best first."""
    pairs = logits.flatten()
    logit, pair = _top(pairs, inference.topk_candidates)
    if logit[:1].isnan().any():  # comes before all numbers, but is above nothing
        logit, pair = _top(pairs.masked_fill(pairs.isnan(), -torch.inf), inference.topk_candidates)
    score = logit.float().sigmoid()  # keeps the order
    passed = score > inference.score_threshold
    score, pair = score[passed], pair[passed]
    return score, pair // logits.shape[1], pair % logits.shape[1]


def _top(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Returns the `count` highest of many values [n], or all if there are fewer, and their places, highest first.

    A block of values whose highest is not among the `count` highest of all blocks has none of the highest values, so
    that all but few are done with after one look.
    """
    size = min(len(values) // (8 * count), BLOCKS[-1])
    if size not in BLOCKS:
        return values.topk(min(count, len(values)))
    blocks = len(values) // size
    rows, rest = values[: blocks * size].view(blocks, size), values[blocks * size :]
    peak, block = rows.amax(dim=1).topk(count, sorted=False)
    best = torch.cat([rows[block].flatten(), rest])
    spot = torch.nonzero(~(best < peak.min())).squeeze(1)  # the peaks at least, and whatever is NaN
    highest, which = best[spot].topk(count)
    spot = spot[which]
    block = torch.cat([block, block.new_tensor([blocks])])  # the rest comes after the last
    return highest, block[spot // size] * size + spot % size


@torch.inference_mode()
def level_counts(
    logits: Tensor, anchors: AnchorGrid, candidates: Candidates, inference: Inference
) -> tuple[LevelCounts, ...]:
    """Returns how much passed each step on each level; arguments as `select`, and what it returned."""
    above = (level.sigmoid() > inference.score_threshold for level in logits.split(anchors.counts))
    scored = [int(torch.count_nonzero(level)) for level in above]
    topk = candidates.level.bincount(minlength=len(scored)).tolist()
    return tuple(LevelCounts(*level) for level in zip(anchors.counts, scored, topk, strict=True))


@torch.inference_mode()
def decide(candidates: Candidates, inference: Inference) -> Fates:
    """Runs NMS and the cap; candidates of different classes leave each other alone unless NMS is class-agnostic."""
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
def suppressors(candidates: Candidates, fates: Fates, inference: Inference) -> Suppressors:
    """Finds out who suppressed whom, which takes longer than to find out who survives.

    Args:
        candidates: As for `decide`.
        fates: What it returned.
        inference: As for `decide`.
    """
    if fates.suppressors:
        return fates.suppressors
    survivors = torch.nonzero(fates.fate != SUPPRESSED).squeeze(1)
    survivors = survivors[candidates.score[survivors].argsort(descending=True, stable=True)]
    groups = _groups(candidates, inference)
    return Suppressors(*suppressors_of(candidates.box, groups, survivors, inference.nms_threshold))


def kept(candidates: Candidates, inference: Inference) -> tuple[Tensor, Tensor]:
    """Returns `order` and `score` of `decide`, and looks at no more candidates than that takes."""
    if inference.nms_kind == "soft":
        fates = _soft_nms(candidates, inference)
        return fates.order, fates.score
    groups = _groups(candidates, inference)

    def survivors(some: Tensor) -> Tensor:
        return some[class_nms(candidates.box[some], candidates.score[some], groups[some], inference.nms_threshold)]

    order = candidates.score.argsort(descending=True, stable=True)
    return first_survivors(order, inference.max_detections, survivors), candidates.score


def _groups(candidates: Candidates, inference: Inference) -> Tensor:
    return torch.zeros_like(candidates.label) if inference.class_agnostic_nms else candidates.label


def _soft_nms(candidates: Candidates, inference: Inference) -> Fates:
    """Takes the best box, lowers the scores it overlaps by exp(−IoU²/σ), repeats (Soft-NMS 2017, equation 3).

    A box whose score falls to the threshold counts as suppressed by the box that lowered it most.
    """
    groups, score = _groups(candidates, inference), candidates.score.clone()
    waiting = torch.ones_like(groups, dtype=torch.bool)
    suppressor = torch.full_like(groups, -1)
    iou = score.new_zeros(len(score))
    order = []
    while len(order) < inference.max_detections:
        open_score = score.masked_fill(~waiting, -torch.inf)
        if len(score) == 0 or open_score.max() <= inference.score_threshold:
            break
        best = open_score.argmax()
        order.append(best)
        waiting[best] = False
        overlap = iou_of_all(candidates.box[best : best + 1], candidates.box).squeeze(0)  # [C]
        rivals = waiting & (groups == groups[best])
        score = torch.where(rivals, score * torch.exp(-(overlap**2) / inference.soft_nms_sigma), score)
        strongest = rivals & (overlap > iou)
        suppressor[strongest] = best
        iou = torch.where(strongest, overlap, iou)
    kept = torch.stack(order) if order else groups.new_zeros(0)
    fate = torch.full_like(groups, BEYOND_CAP, dtype=torch.int8)
    fate[score <= inference.score_threshold] = SUPPRESSED
    fate[kept] = KEPT
    blameless = fate != SUPPRESSED
    blamed = Suppressors(suppressor.masked_fill(blameless, -1), iou.masked_fill(blameless, 0.0))
    return Fates(fate, score, kept, blamed)
