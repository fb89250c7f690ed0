"""Post-processing with all intermediate results: threshold → top-K → decode → NMS → cap (paper, section 4)."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Inference
from core.retinanet.anchors import AnchorGrid
from core.retinanet.boxes import clip, decode, diou_matrix, iou_matrix, pairwise_iou
from core.retinanet.suppression.distance import diou_nms
from core.retinanet.suppression.fusion import fuse_boxes
from core.retinanet.suppression.hard import class_nms, find_box_suppressors, first_survivors
from core.retinanet.suppression.soft import soft_nms

KEPT, SUPPRESSED, BEYOND_CAP = 0, 1, 2  # fates of a candidate

# Sizes of blocks of which top-K first compares only the maxima; the size leaves enough blocks that few are searched.
BLOCKS = range(5, 129)
VECTOR = 16  # values that a processor compares at a time: larger blocks are whole vectors


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
    """The C (anchor, class) pairs that enter NMS, ordered by view, tile and level, then by descending score.

    Attributes:
        level: int64 [C], 0 for P3.
        anchor: int64 [C], index among all anchors of the whole picture, or of the tile, as the view shows it.
        label: int64 [C].
        score: float32 [C], before NMS.
        box: float32 [C, 4], decoded and clipped, in pixels of the resized image.
        tile: int64 [C], index of the tile in which it was found, `core.retinanet.tiles.WHOLE` for the whole picture;
            None if the picture is seen whole only.
        view: int64 [C], index of the view in which it was found (`core.retinanet.views.make_views`); None if there is
            one only.
    """

    level: Tensor
    anchor: Tensor
    label: Tensor
    score: Tensor
    box: Tensor
    tile: Tensor | None = None
    view: Tensor | None = None


class Suppressors(NamedTuple):
    """The suppressor of each candidate; in weighted boxes fusion the best candidate of its cluster.

    Attributes:
        candidate: int64 [C]: index of the candidate that suppressed this one, −1 for none.
        overlap: float32 [C]: what was compared with the NMS threshold, 0 for none: the IoU with it, less ρ²/c² in
            DIoU-NMS; in weighted boxes fusion the IoU with the fused box of all.
    """

    candidate: Tensor
    overlap: Tensor


class Fates(NamedTuple):
    """The result of NMS and the cap for each candidate.

    Attributes:
        fate: int8 [C]: KEPT, SUPPRESSED or BEYOND_CAP.
        score: float32 [C]: final score; soft NMS lowers it, and the best candidate of a cluster gets that of the fused
            box.
        order: int64 [D]: the kept candidates, best first.
        box: float32 [C, 4]: final box; the best candidate of a cluster gets the fused one.
        suppressors: The suppressors if NMS determined them, as soft NMS and fusion do; else `find_suppressors` does.
    """

    fate: Tensor
    score: Tensor
    order: Tensor
    box: Tensor
    suppressors: Suppressors | None = None


def concatenate_candidates(parts: Sequence[Candidates]) -> Candidates:
    """Returns candidates as one, in order; all have a tile, or a view, or none has."""
    columns = zip(Candidates._fields, zip(*parts, strict=True), strict=True)
    return Candidates(**{name: torch.cat(column) for name, column in columns if column[0] is not None})


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
    if size > VECTOR:
        size -= size % VECTOR
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
    """Runs the chosen kind of NMS and the cap, per class unless it is class-agnostic."""
    if inference.nms_kind == "soft":
        return _lower(candidates, inference)
    if inference.nms_kind == "wbf":
        return _fuse(candidates, inference)
    survivors = _suppress(candidates, inference, slice(None))
    return _cap(candidates, survivors, inference)


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
    measure = diou_matrix if inference.nms_kind == "diou" else iou_matrix
    groups, threshold = _groups(candidates, inference), inference.nms_threshold
    return Suppressors(*find_box_suppressors(candidates.box, groups, survivors, threshold, measure))


class Selected(NamedTuple):
    """The detections: `order`, `score` and `box` of `Fates`."""

    order: Tensor
    score: Tensor
    box: Tensor


def select_detections(candidates: Candidates, inference: Inference) -> Selected:
    """Returns a part of the result of `apply_nms`, but processes only as many candidates as the cap requires."""
    if inference.nms_kind in ("soft", "wbf"):
        fates = apply_nms(candidates, inference)
        return Selected(fates.order, fates.score, fates.box)
    order = candidates.score.argsort(descending=True, stable=True)
    order = first_survivors(order, inference.max_detections, partial(_suppress, candidates, inference))
    return Selected(order, candidates.score, candidates.box)


def _groups(candidates: Candidates, inference: Inference) -> Tensor:
    return torch.zeros_like(candidates.label) if inference.class_agnostic_nms else candidates.label


def _suppress(candidates: Candidates, inference: Inference, some: Tensor | slice) -> Tensor:
    """Returns the indices of the survivors of hard or DIoU-NMS among some candidates, best first."""
    nms = diou_nms if inference.nms_kind == "diou" else class_nms
    groups = _groups(candidates, inference)[some]
    survivors = nms(candidates.box[some], candidates.score[some], groups, inference.nms_threshold)
    return survivors if isinstance(some, slice) else some[survivors]


def _cap(candidates: Candidates, survivors: Tensor, inference: Inference) -> Fates:
    """Returns the fates if these candidates survive, best first, with unchanged scores and boxes."""
    fate = torch.full_like(candidates.label, SUPPRESSED, dtype=torch.int8)
    fate[survivors] = BEYOND_CAP
    order = survivors[: inference.max_detections]
    fate[order] = KEPT
    return Fates(fate, candidates.score, order, candidates.box)


def _lower(candidates: Candidates, inference: Inference) -> Fates:
    """Runs Soft-NMS; a score that it lowers to the threshold or below counts as suppressed by what lowered it most."""
    box, score, groups = candidates.box, candidates.score, _groups(candidates, inference)
    above, count = inference.score_threshold, inference.max_detections
    lowered = soft_nms(box, score, groups, sigma=inference.soft_nms_sigma, above=above, count=count)
    fate = torch.full_like(candidates.label, BEYOND_CAP, dtype=torch.int8)
    fate[lowered.score <= above] = SUPPRESSED
    fate[lowered.order] = KEPT
    survived = fate != SUPPRESSED
    suppressors = Suppressors(lowered.lowered_by.masked_fill(survived, -1), lowered.iou.masked_fill(survived, 0.0))
    return Fates(fate, lowered.score, lowered.order, box, suppressors)


def _fuse(candidates: Candidates, inference: Inference) -> Fates:
    """Runs weighted boxes fusion; the best candidate of a cluster gets the fused score and box, and stands for it."""
    box, score, groups = candidates.box, candidates.score, _groups(candidates, inference)
    views = 1 if candidates.view is None else inference.num_views
    fused = fuse_boxes(box, score, groups, threshold=inference.nms_threshold, views=views)
    alone = fused.first == torch.arange(len(score), device=score.device)
    box, score = torch.where(alone[:, None], fused.box, box), torch.where(alone, fused.score, score)
    first = torch.nonzero(alone).squeeze(1)
    fates = _cap(candidates, first[score[first].argsort(descending=True, stable=True)], inference)
    overlap = pairwise_iou(candidates.box.T, fused.box.T).nan_to_num_(0.0)
    suppressors = Suppressors(fused.first.masked_fill(alone, -1), overlap.masked_fill_(alone, 0.0))
    return fates._replace(score=score, box=box, suppressors=suppressors)
