from typing import NamedTuple

import pytest
import torch
from torchvision.ops import box_iou

from core.config import Anchors, Inference
from core.retinanet.anchors import make_anchors
from core.retinanet.postprocess import (
    BEYOND_CAP,
    KEPT,
    SUPPRESSED,
    Candidates,
    Fates,
    LevelCounts,
    apply_nms,
    count_per_level,
    find_suppressors,
    select_candidates,
    select_detections,
)

ONE_PER_LOCATION = Anchors(size_p3=32, size_p7=512, scales=(1,), ratios=(1,), convention="exact")
GRID = make_anchors(ONE_PER_LOCATION, 64, 64)  # 64 + 16 + 4 + 1 + 1 anchors


def candidates(boxes: list, scores: list, labels: list | None = None) -> Candidates:
    count = len(boxes)
    index = torch.arange(count)
    return Candidates(
        torch.zeros(count, dtype=torch.int64),
        index,
        torch.tensor(labels or [0] * count, dtype=torch.int64),
        torch.tensor(scores, dtype=torch.float32),
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
    )


class Stages(NamedTuple):
    counts: tuple[LevelCounts, ...]
    candidates: Candidates
    fates: Fates


def run_inference(logits, deltas, anchors, size, inference) -> Stages:
    """Runs all steps; arguments as `select_candidates`."""
    found = select_candidates(logits, deltas, anchors, size, inference)
    return Stages(count_per_level(logits, anchors, found, inference), found, apply_nms(found, inference))


def suppressors_and_ious(found: Candidates, inference: Inference) -> tuple[list[int], list[float]]:
    """Returns the suppressor of each candidate and the IoU with it."""
    by = find_suppressors(found, apply_nms(found, inference), inference)
    return by.candidate.tolist(), by.overlap.tolist()


A, A2, B = [0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]  # IoU(A, A2) = 0.9


def test_nms_by_hand():
    these = candidates([A2, A, B], [0.8, 0.9, 0.5])
    fates = apply_nms(these, Inference())
    assert fates.fate.tolist() == [SUPPRESSED, KEPT, KEPT] and fates.order.tolist() == [1, 2]
    by, iou = suppressors_and_ious(these, Inference())
    assert by == [1, -1, -1] and iou == pytest.approx([0.9, 0, 0])


def test_overlap_at_the_threshold_stays():
    boxes = [[0, 0, 10, 10], [0, 0, 10, 5]]
    assert apply_nms(candidates(boxes, [0.9, 0.8]), Inference(nms_threshold=0.5)).fate.tolist() == [KEPT, KEPT]
    assert apply_nms(candidates(boxes, [0.9, 0.8]), Inference(nms_threshold=0.49)).fate.tolist() == [KEPT, SUPPRESSED]


def test_classes_do_not_suppress_each_other_unless_agnostic():
    two = candidates([A, A2], [0.9, 0.8], [0, 1])
    assert apply_nms(two, Inference()).fate.tolist() == [KEPT, KEPT]
    assert apply_nms(two, Inference(class_agnostic_nms=True)).fate.tolist() == [KEPT, SUPPRESSED]


def test_cap_cuts_survivors_only():
    fates = apply_nms(candidates([A, A2, B], [0.9, 0.8, 0.7]), Inference(max_detections=1))
    assert fates.fate.tolist() == [KEPT, SUPPRESSED, BEYOND_CAP] and fates.order.tolist() == [0]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"class_agnostic_nms": True},
        {"nms_kind": "soft"},
        {"nms_kind": "diou"},
        {"nms_kind": "diou", "max_detections": 3},
        {"nms_kind": "wbf"},
        {"nms_kind": "wbf", "max_detections": 3, "class_agnostic_nms": True},
        {"max_detections": 3},
    ],
)
def test_select_detections_keeps_what_apply_nms_keeps(settings):
    torch.manual_seed(0)
    corners = torch.rand(60, 2) * 40
    boxes = torch.cat([corners, corners + 5 + 20 * torch.rand(60, 2)], dim=1)
    some = candidates(boxes.tolist(), torch.rand(60).tolist(), torch.randint(3, (60,)).tolist())
    inference = Inference(**settings)
    fates, (order, score, box) = apply_nms(some, inference), select_detections(some, inference)
    assert order.tolist() == fates.order.tolist() and torch.equal(score, fates.score) and torch.equal(box, fates.box)
    assert (fates.score[order].diff() <= 0).all()
    assert 0 < len(order) < 60


def test_a_suppressed_box_suppresses_no_other():
    """In a chain, A suppresses B, so C, which overlaps only B, is kept."""
    chain = [[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]]
    these, inference = candidates(chain, [0.9, 0.8, 0.7]), Inference(nms_threshold=0.3)
    assert apply_nms(these, inference).fate.tolist() == [KEPT, SUPPRESSED, KEPT]
    assert suppressors_and_ious(these, inference)[0] == [-1, 0, -1]


@pytest.mark.slow
@pytest.mark.parametrize("cap", [1000, 20])
@pytest.mark.parametrize("agnostic", [True, False])
def test_suppressors_equal_those_of_a_greedy_loop(agnostic, cap):
    """Boxes beyond the cap suppress others, too."""
    generator = torch.Generator().manual_seed(3)
    corner = torch.rand(300, 2, generator=generator) * 60
    boxes = torch.cat([corner, corner + 5 + torch.rand(300, 2, generator=generator) * 30], dim=1)
    scores, labels = torch.rand(300, generator=generator), torch.randint(0, 3, (300,), generator=generator)
    these = candidates(boxes.tolist(), scores.tolist(), labels.tolist())
    inference = Inference(class_agnostic_nms=agnostic, nms_threshold=0.4, max_detections=cap)
    fates = apply_nms(these, inference)
    by, iou = suppressors_and_ious(these, inference)
    overlap = box_iou(boxes, boxes)
    kept: list[int] = []
    for i in scores.argsort(descending=True).tolist():
        rivals = [k for k in kept if overlap[k, i] > 0.4 and (agnostic or labels[k] == labels[i])]
        if rivals:
            assert fates.fate[i] == SUPPRESSED and by[i] == rivals[0]
            assert iou[i] == pytest.approx(overlap[rivals[0], i].item(), abs=1e-6)
        else:
            kept.append(i)
            assert by[i] == -1 and iou[i] == 0
    assert fates.order.tolist() == kept[:cap]


def test_soft_nms_by_hand():
    fates = apply_nms(candidates([A, A2, B], [0.9, 0.8, 0.5]), Inference(nms_kind="soft", soft_nms_sigma=0.5))
    lowered = 0.8 * torch.exp(torch.tensor(-(0.9**2) / 0.5)).item()
    assert fates.score.tolist() == pytest.approx([0.9, lowered, 0.5], abs=1e-5)
    assert fates.order.tolist() == [0, 2, 1] and (fates.fate == KEPT).all()


def test_soft_nms_drops_at_the_threshold_and_names_the_suppressor():
    inference = Inference(nms_kind="soft", soft_nms_sigma=0.1, score_threshold=0.05)
    these = candidates([A, A2, B], [0.9, 0.8, 0.5])
    assert apply_nms(these, inference).fate.tolist() == [KEPT, SUPPRESSED, KEPT]
    assert suppressors_and_ious(these, inference) == ([-1, 0, -1], pytest.approx([0, 0.9, 0]))


def test_soft_nms_respects_cap_and_classes():
    inference = Inference(nms_kind="soft", max_detections=1)
    fates = apply_nms(candidates([A, A2], [0.9, 0.8], [0, 1]), inference)
    assert fates.fate.tolist() == [KEPT, BEYOND_CAP] and fates.score[1] == pytest.approx(0.8)


def test_diou_nms_names_the_suppressor_and_the_measure():
    """IoU 0.9, ρ = 0.5, c² = 200."""
    inference = Inference(nms_kind="diou", nms_threshold=0.8)
    these = candidates([A2, A, B], [0.8, 0.9, 0.5])
    assert apply_nms(these, inference).fate.tolist() == [SUPPRESSED, KEPT, KEPT]
    assert suppressors_and_ious(these, inference) == ([1, -1, -1], pytest.approx([0.9 - 0.25 / 200, 0, 0]))
    assert apply_nms(these, Inference(nms_kind="diou", nms_threshold=0.899)).order.tolist() == [1, 0, 2]


def test_the_best_candidate_of_a_cluster_stands_for_it():
    """The lower edge of the fused box is (0.25 · 9 + 0.75 · 10) / 1 = 9.75, whose IoU with A2 is 9/9.75."""
    these = candidates([A2, A, B], [0.25, 0.75, 0.625])
    fates = apply_nms(these, Inference(nms_kind="wbf"))
    assert fates.fate.tolist() == [SUPPRESSED, KEPT, KEPT] and fates.order.tolist() == [2, 1]
    assert fates.score.tolist() == [0.25, 0.5, 0.625]
    assert fates.box.tolist() == [A2, [0, 0, 10, 9.75], B]
    by, iou = suppressors_and_ious(these, Inference(nms_kind="wbf"))
    assert by == [1, -1, -1] and iou == pytest.approx([9 / 9.75, 0, 0])


def test_the_cap_and_classes_hold_for_fusion():
    these = candidates([A, A2, B], [0.9, 0.8, 0.5], [0, 1, 0])
    assert apply_nms(these, Inference(nms_kind="wbf", max_detections=2)).fate.tolist() == [KEPT, KEPT, BEYOND_CAP]
    agnostic = apply_nms(these, Inference(nms_kind="wbf", class_agnostic_nms=True))
    assert agnostic.fate.tolist() == [KEPT, SUPPRESSED, KEPT] and agnostic.score[0] == pytest.approx(0.85)


@pytest.mark.parametrize("kind", ["hard", "soft", "diou", "wbf"])
def test_no_candidates(kind):
    fates = apply_nms(candidates([], []), Inference(nms_kind=kind))
    assert len(fates.fate) == len(fates.order) == 0


def outputs(fill: float = -10.0, classes: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.full((86, classes), fill), torch.zeros(86, 4)


def test_stages_by_hand():
    logits, deltas = outputs()
    logits[9, 2] = 3.0  # P3, row 1, column 1
    logits[85, 0] = 1.0  # P7
    logits[85, 1] = 0.5  # the same anchor, another class
    stages = run_inference(logits, deltas, GRID, (60, 50), Inference())
    assert [tuple(level) for level in stages.counts] == [(64, 1, 1), (16, 0, 0), (4, 0, 0), (1, 0, 0), (1, 2, 2)]
    found = stages.candidates
    assert found.anchor.tolist() == [9, 85, 85] and found.label.tolist() == [2, 0, 1]
    assert found.level.tolist() == [0, 4, 4]
    assert torch.allclose(found.score, torch.tensor([3.0, 1, 0.5]).sigmoid())
    assert found.box[0].tolist() == [0, 0, 24, 24] and found.box[1].tolist() == [0, 0, 50, 60]  # clipped


def test_topk_is_per_level_and_keeps_the_best():
    logits, deltas = outputs()
    logits[:64, 0] = torch.arange(64) / 64
    logits[64:80, 1] = 1.0
    stages = run_inference(logits, deltas, GRID, (64, 64), Inference(topk_candidates=5, nms_threshold=1))
    assert [level.scored for level in stages.counts[:2]] == [64, 16]
    assert [level.topk for level in stages.counts[:2]] == [5, 5]
    assert stages.candidates.anchor[:5].tolist() == [63, 62, 61, 60, 59]


def test_threshold_is_exclusive_and_nan_is_below_it():
    logits, deltas = outputs()
    logits[0, 0], logits[1, 0] = 0.0, float("nan")
    assert len(run_inference(logits, deltas, GRID, (64, 64), Inference(score_threshold=0.5)).candidates.score) == 0
    assert len(run_inference(logits, deltas, GRID, (64, 64), Inference(score_threshold=0.49)).candidates.score) == 1


def test_counts_add_up_on_random_outputs():
    generator = torch.Generator().manual_seed(0)
    logits, deltas = torch.randn(86, 3, generator=generator) * 3, torch.randn(86, 4, generator=generator)
    inference = Inference(score_threshold=0.1, topk_candidates=20, max_detections=7)
    stages = run_inference(logits, deltas, GRID, (64, 64), inference)
    fate = stages.fates.fate
    assert sum(level.topk for level in stages.counts) == len(fate)
    assert (fate == KEPT).sum() == len(stages.fates.order) == 7
    score = stages.fates.score[stages.fates.order]
    assert (score.diff() <= 0).all()
    box, label = stages.candidates.box[fate != SUPPRESSED], stages.candidates.label[fate != SUPPRESSED]
    overlap = box_iou(box, box).nan_to_num().fill_diagonal_(0)  # clipping leaves boxes without area
    assert (overlap[label[:, None] == label[None, :]] <= 0.5 + 1e-6).all()


def test_boxes_without_area_suppress_no_other():
    """Far outside the image clipping leaves no area, and the IoU would be 0/0."""
    flat = [[64, 10, 64, 20]] * 3
    these = candidates([*flat, A, A2], [0.9, 0.8, 0.7, 0.6, 0.5])
    assert apply_nms(these, Inference()).fate.tolist() == [KEPT, KEPT, KEPT, KEPT, SUPPRESSED]
    assert suppressors_and_ious(these, Inference())[0] == [-1, -1, -1, -1, 3]
    soft = apply_nms(candidates([*flat, A, A2], [0.9, 0.8, 0.7, 0.6, 0.5]), Inference(nms_kind="soft"))
    assert soft.score.isfinite().all()


def test_candidates_are_the_best_pairs_of_all():
    """Compares with the sigmoid of all logits, of which a row and single values are NaN."""
    torch.manual_seed(0)
    logits, deltas = torch.randn(GRID.boxes.shape[0], 5) * 2, torch.zeros(GRID.boxes.shape[0], 4)
    logits[3], logits[10, 2] = torch.nan, torch.nan
    for topk, threshold in [(1, 0.0), (7, 0.2), (100, 0.5), (10_000, 0.05)]:
        inference = Inference(topk_candidates=topk, score_threshold=threshold)
        stages = run_inference(logits, deltas, GRID, (64, 64), inference)
        start = 0
        for level, count in enumerate(GRID.counts):
            scores = logits[start : start + count].sigmoid().flatten()
            expected = scores[scores > threshold].sort(descending=True).values[:topk]
            here = stages.candidates.level == level
            assert torch.allclose(
                stages.candidates.score[here], expected, rtol=1e-6
            )  # the last bit depends on the position
            assert stages.counts[level].scored == int((scores > threshold).sum())
            start += count
        found = stages.candidates
        assert torch.allclose(found.score, logits[found.anchor, found.label].sigmoid(), rtol=1e-6)


@pytest.mark.parametrize("side", [32, 160, 360])  # of P3: too few pairs for blocks, small blocks, the largest ones
def test_the_best_pairs_of_a_level_are_found_among_ties_nan_and_infinity(side):
    grid = make_anchors(ONE_PER_LOCATION, side, side)
    dice = torch.Generator().manual_seed(side)
    logits = torch.randint(0, 900, (len(grid.boxes), 7), generator=dice) / 100
    last = grid.counts[0] - 1
    logits[last, -1], logits[3, 2], logits[5] = 20.0, torch.nan, -torch.inf  # the best comes after all blocks
    for topk in (1, 5, 60):
        inference = Inference(topk_candidates=topk, score_threshold=0.0)
        found = select_candidates(logits, torch.zeros_like(grid.boxes), grid, (side, side), inference)
        for level, values in enumerate(logits.nan_to_num(nan=-torch.inf, neginf=-torch.inf).split(grid.counts)):
            anchor, label = (each[found.level == level] for each in (found.anchor, found.label))
            assert torch.equal(logits[anchor, label], values.flatten().sort(descending=True).values[:topk])
            assert len(set(zip(anchor.tolist(), label.tolist(), strict=True))) == len(anchor)
