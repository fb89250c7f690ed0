import pytest
import torch
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou

from core.config import Anchors, Matching
from core.retinanet.anchors import make_anchors
from core.retinanet.assigners import max_iou as module
from core.retinanet.assigners.match import BACKGROUND, FOREGROUND, IGNORED
from core.retinanet.assigners.max_iou import GROUP, match_anchors
from tests.core.retinanet.test_boxes import random_boxes

ANCHORS = make_anchors(Anchors(), 320, 320).boxes


@pytest.fixture(autouse=True, params=["as on a CPU", "as on a GPU"])
def implementation(request, monkeypatch):
    """Runs every test with both implementations on the CPU; their results must be equal."""
    if request.param == "as on a GPU":
        monkeypatch.setattr(module, "_find_best_in_runs", module._find_best_densely)


def by_torchvision(objects: torch.Tensor, matching: Matching) -> torch.Tensor:
    matcher = Matcher(matching.fg_iou_threshold, matching.bg_iou_threshold, matching.force_best_match)
    return matcher(box_iou(objects, ANCHORS))  # index, −1 background, −2 between


def check(objects: torch.Tensor, matching: Matching) -> None:
    ours, theirs = match_anchors(ANCHORS, objects, matching), by_torchvision(objects, matching)
    assert torch.equal(ours.label == FOREGROUND, theirs >= 0)
    assert torch.equal(ours.label == IGNORED, theirs == -2)
    assert torch.equal(ours.object[ours.foreground], theirs[ours.foreground])
    assert torch.equal(ours.iou, box_iou(objects, ANCHORS).max(dim=0).values)
    best = box_iou(objects, ANCHORS).max(dim=1)
    assert torch.equal(ours.best_iou, best.values) and torch.equal(ours.best_anchor, best.indices)


@pytest.mark.slow
def test_same_as_torchvision():
    for count, seed in [(1, 0), (7, 1), (GROUP, 2), (GROUP + 1, 3), (50, 4)]:  # also around the group size
        for thresholds in [(0.4, 0.5), (0.1, 0.9), (0, 0.3), (0.5, 0.5)]:
            for force in (True, False):
                matching = Matching(
                    bg_iou_threshold=thresholds[0], fg_iou_threshold=thresholds[1], force_best_match=force
                )
                check(random_boxes(count, seed, 160), matching)


def test_by_hand():
    anchors = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 9, 5], [50, 50, 60, 60]])
    match = match_anchors(anchors, torch.tensor([[0.0, 0, 10, 10]]), Matching())
    assert match.label.tolist() == [FOREGROUND, FOREGROUND, IGNORED, BACKGROUND]  # IoU 1, 0.5 (at it), 0.45, 0
    assert torch.allclose(match.iou, torch.tensor([1, 0.5, 0.45, 0]))
    assert not match.forced.any()


def test_thresholds_are_inclusive():
    anchors = torch.tensor([[0.0, 0, 10, 4]])
    match = match_anchors(anchors, torch.tensor([[0.0, 0, 10, 10]]), Matching(force_best_match=False))
    assert match.label.item() == IGNORED  # exactly the background threshold is not below it


def test_forced_is_marked_and_only_when_needed():
    anchors = torch.tensor([[0.0, 0, 10, 3], [0, 0, 10, 2], [20, 20, 30, 30]])
    objects = torch.tensor([[0.0, 0, 10, 10]])
    match = match_anchors(anchors, objects, Matching())
    assert match.forced.tolist() == [True, False, False] and match.label.tolist() == [1, 0, 0]
    unforced = match_anchors(anchors, objects, Matching(force_best_match=False))
    assert not unforced.foreground.any() and not unforced.forced.any()


def test_all_ties_are_forced():
    anchors = torch.tensor([[0.0, 0, 4, 10], [6, 0, 10, 10], [50, 50, 60, 60]])
    match = match_anchors(anchors, torch.tensor([[0.0, 0, 10, 10]]), Matching(fg_iou_threshold=0.9))
    assert match.forced.tolist() == [True, True, False]


def test_first_of_equal_objects_wins_across_groups():
    objects = torch.tensor([[0.0, 0, 32, 32]]).repeat(40, 1)
    match = match_anchors(torch.tensor([[0.0, 0, 32, 32]]), objects, Matching())
    assert match.object.item() == 0


def test_an_object_that_no_anchor_touches_forces_none():
    match = match_anchors(ANCHORS, torch.tensor([[5000.0, 5000, 5010, 5010]]), Matching())
    assert not match.foreground.any()


def test_image_without_objects_is_all_background():
    for matching in (Matching(), Matching(bg_iou_threshold=0, fg_iou_threshold=0)):
        match = match_anchors(ANCHORS, torch.zeros(0, 4), matching)
        assert (match.label == BACKGROUND).all() and not match.forced.any() and (match.iou == 0).all()


def test_anchors_that_have_been_changed_in_place_are_compared_anew():
    objects, anchors = torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([[0.0, 0, 10, 10]])
    assert match_anchors(anchors, objects, Matching()).iou.item() == 1
    anchors += 20
    assert match_anchors(anchors, objects, Matching()).iou.item() == 0
    with torch.inference_mode():  # whose tensors count no changes
        fixed = torch.tensor([[0.0, 0, 10, 10]])
        assert match_anchors(fixed, objects, Matching()).iou.item() == 1
        fixed += 20
        assert match_anchors(fixed, objects, Matching()).iou.item() == 0


def test_the_same_anchors_with_other_objects():
    for count, seed in ((3, 0), (5, 1), (0, 2), (3, 0)):
        objects = random_boxes(count, seed, 160)
        iou = box_iou(objects, ANCHORS) if count else torch.zeros(1, len(ANCHORS))
        assert torch.equal(match_anchors(ANCHORS, objects, Matching()).iou, iou.max(dim=0).values)
