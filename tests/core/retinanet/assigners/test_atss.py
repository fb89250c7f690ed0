import pytest
import torch
from torchvision.ops import box_iou

from core.config import Anchors, Matching
from core.retinanet.anchors import AnchorGrid, make_anchors
from core.retinanet.assigners.assign import assign_anchors
from core.retinanet.assigners.atss import find_closest
from core.retinanet.assigners.match import BACKGROUND, FOREGROUND, Match
from core.retinanet.assigners.max_iou import GROUP, match_anchors
from tests.core.retinanet.assigners.small_grid import make_small_grid
from tests.core.retinanet.test_boxes import random_boxes

GRIDS = [
    make_anchors(Anchors(), 160, 224),
    make_anchors(Anchors(convention="exact", scales=(1.0,), ratios=(1.0,)), 160, 224),
    make_anchors(Anchors(convention="exact", ratios=(0.5, 2.0)), 130, 130),
]


def assign(grid: AnchorGrid, objects: torch.Tensor, topk: int = 9) -> Match:
    return assign_anchors(grid, objects, Matching(assigner="atss", atss_topk=topk))


def assign_plainly(grid: AnchorGrid, objects: torch.Tensor, topk: int) -> tuple[list[int], list[float]]:
    """Returns the object of each anchor, −1 for none, and each object's threshold: the paper's algorithm 1."""
    middles = (grid.boxes[:, :2] + grid.boxes[:, 2:]) / 2
    owner, highest, thresholds = [-1] * len(middles), [0.0] * len(middles), []
    for number, box in enumerate(objects):
        candidates: list[int] = []
        first = 0
        for count in grid.counts:
            away = (middles[first : first + count] - (box[:2] + box[2:]) / 2).square().sum(dim=1).mul(1000).round()
            candidates += sorted(range(first, first + count), key=lambda index: (away[index - first].item(), index))[
                :topk
            ]
            first += count
        ious = box_iou(box[None], grid.boxes[candidates])[0]
        thresholds.append(float(ious.mean() + ious.std()))
        for index, iou in zip(candidates, ious.tolist(), strict=True):
            x, y = middles[index].tolist()
            inside = box[0] < x < box[2] and box[1] < y < box[3]
            if iou >= thresholds[-1] and inside and iou > highest[index]:
                owner[index], highest[index] = number, iou
    return owner, thresholds


@pytest.mark.slow
@pytest.mark.parametrize("grid", GRIDS, ids=["A = 9", "A = 1", "A = 6"])
@pytest.mark.parametrize(("count", "topk"), [(5, 9), (12, 4), (GROUP + 2, 1), (7, 20)])
def test_same_as_the_algorithm_of_the_paper(grid, count, topk):
    objects = random_boxes(count, count, 120).round()  # of whole pixels, so that distances tie alike
    found, (owner, thresholds) = assign(grid, objects, topk), assign_plainly(grid, objects, topk)
    expected = torch.tensor(owner)
    assert torch.equal(found.foreground, expected >= 0) and found.foreground.any()
    assert torch.equal(found.object[found.foreground], expected[expected >= 0])
    assert torch.allclose(found.closest.threshold, torch.tensor(thresholds), atol=1e-6)


def test_by_hand():
    grid, objects = make_small_grid(), torch.tensor([[4.0, -4, 14, 4]])
    found = assign(grid, objects, 3)
    assert found.closest.anchor.tolist() == [[1, 2, 0]]  # 1, 7 and 9 px away
    assert torch.allclose(found.closest.iou, torch.tensor([[0.8, 0.125, 0]]))
    assert found.closest.threshold.item() == pytest.approx(0.308333 + 0.430358, abs=1e-5)
    assert found.label.tolist() == [BACKGROUND, FOREGROUND, BACKGROUND, BACKGROUND]
    assert found.iou.tolist() == pytest.approx([0, 0.8, 0.125, 0]) and found.object.tolist() == [0, 0, 0, 0]


def test_the_threshold_is_inclusive_and_a_single_candidate_has_no_deviation():
    grid, objects = make_small_grid(), torch.tensor([[4.0, -4, 20, 4]])  # IoU 0, 0.5, 0.5, 0
    both, one = assign(grid, objects, 2), assign(grid, objects, 1)
    assert both.closest.threshold.item() == 0.5 and both.label.tolist() == [0, 1, 1, 0]
    assert one.closest.threshold.item() == 0.5 and one.label.tolist() == [0, 1, 0, 0]  # at ties the first


def test_a_candidate_centred_outside_or_on_the_edge_is_background():
    grid = make_small_grid()
    found = assign(grid, torch.tensor([[8.0, -4, 12, 4], [-4, 0, 4, 4]]), 1)
    assert found.closest.anchor.tolist() == [[1], [0]] and not found.closest.inside.any()
    assert (found.closest.iou >= found.closest.threshold[:, None]).all() and not found.foreground.any()


def test_an_anchor_that_two_objects_claim_goes_to_the_higher_iou_and_at_ties_to_the_first():
    grid = make_small_grid()
    wide, exact = [-4.0, -4, 6, 4], [-4.0, -4, 4, 4]
    assert assign(grid, torch.tensor([wide, exact]), 1).object[0] == 1
    twins = assign(grid, torch.tensor([exact, exact]), 1)
    assert twins.closest.is_foreground.all() and twins.object[0] == 0 and int(twins.foreground.sum()) == 1


def test_the_object_with_the_highest_iou_need_not_be_the_one_that_claims_an_anchor():
    grid, objects = make_small_grid(), torch.tensor([[4.0, -4, 20, 4], [4, -4, 13, 4]])
    assert match_anchors(grid.boxes, objects, Matching()).object[1] == 1  # with an IoU of 0.89
    found = assign(grid, objects, 2)
    assert found.closest.threshold.tolist() == pytest.approx([0.5, 1.06004], abs=1e-4)
    assert found.object.tolist()[1:3] == [0, 0] and found.iou.tolist()[1:3] == [0.5, 0.5]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("topk", [1, 9, 13, 100])
def test_k_anchors_of_each_level_however_many_a_location_has(grid, topk):
    objects = random_boxes(3, 1, 120)
    anchors = find_closest(grid, objects, topk)
    for row in anchors:
        assert len(row.unique()) == len(row)
        counts = torch.bincount(grid.level[row], minlength=len(grid.counts)).tolist()
        assert counts == [min(topk, count) for count in grid.counts]


def test_an_object_between_the_locations_has_no_anchor():
    """As in the paper: it asks for a centre inside."""
    grid = GRIDS[0]
    found = assign(grid, torch.tensor([[10.0, 10, 14, 14]]))
    assert not found.foreground.any() and found.closest.threshold.item() > 0


@pytest.mark.parametrize("box", [[5000.0, 5000, 5010, 5010], [-50, -50, -10, -10], [40, 40, 40, 40], [32, 32, 32, 90]])
def test_objects_outside_or_without_area_have_no_anchor(box):
    found = assign(GRIDS[0], torch.tensor([box]))
    assert not found.foreground.any() and all(values.isfinite().all() for values in (found.iou, *found.closest))


def test_image_without_objects_is_all_background():
    found = assign(GRIDS[0], torch.zeros(0, 4))
    assert (found.label == BACKGROUND).all() and (found.iou == 0).all() and len(found.closest.threshold) == 0


def test_none_is_ignored_or_forced_and_the_fit_of_the_objects_stays():
    objects = random_boxes(8, 3, 120)
    found, fit = assign(GRIDS[0], objects), match_anchors(GRIDS[0].boxes, objects, Matching())
    assert set(found.label.tolist()) == {BACKGROUND, FOREGROUND} and not found.forced.any()
    assert torch.equal(found.best_iou, fit.best_iou) and torch.equal(found.best_anchor, fit.best_anchor)
    assert torch.equal(found.iou[~found.foreground], fit.iou[~found.foreground])
