import math

import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import box_iou

from core.config import Anchors, Config, Matching
from core.retinanet.anchors import AnchorGrid, make_anchors
from core.retinanet.assigners import NetworkView, assign_anchors
from core.retinanet.assigners.match import BACKGROUND, FOREGROUND, Match
from core.retinanet.assigners.max_iou import match_anchors
from core.retinanet.assigners.simota import DISTANT, compute_costs
from core.retinanet.boxes import decode, encode
from core.retinanet.losses import AnchorLosses, anchor_losses, batch_losses, total_loss
from core.retinanet.model import Outputs
from core.retinanet.preprocess import prepare
from core.structures import Sample
from tests.core.retinanet.assigners.small_grid import make_small_grid
from tests.core.retinanet.test_boxes import random_boxes

SIMOTA = Matching(assigner="simota")
GRID = make_anchors(Anchors(scales=(1.0,)), 96, 128)


def look(grid: AnchorGrid, objects: int, seed: int = 0) -> NetworkView:
    """Returns random outputs of a network with four classes."""
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(grid.boxes), 4, generator=rng) * 2 - 2
    deltas = torch.randn(len(grid.boxes), 4, generator=rng) / 5
    return NetworkView(logits, deltas, torch.randint(0, 4, (objects,), generator=rng))


def assign_plainly(grid: AnchorGrid, objects: torch.Tensor, view: NetworkView) -> tuple[list[int], list[int]]:
    """Returns the object of each anchor, −1 for none, and each object's k: SimOTA in loops."""
    strides = [stride for stride, count in zip(grid.strides, grid.counts, strict=True) for _ in range(count)]
    middles = ((grid.boxes[:, :2] + grid.boxes[:, 2:]) / 2).tolist()
    ious = box_iou(objects, decode(view.deltas, grid.boxes))
    owner, cheapest, numbers = [-1] * len(middles), [math.inf] * len(middles), []
    for number, (x1, y1, x2, y2) in enumerate(objects.tolist()):
        target = F.one_hot(view.labels[number], 4).float().expand_as(view.logits)
        entropy = F.binary_cross_entropy_with_logits(view.logits, target, reduction="none").sum(dim=1)
        costs = {}
        for index, ((x, y), (down, across)) in enumerate(zip(middles, strides, strict=True)):
            inside = x1 < x < x2 and y1 < y < y2
            near = abs(x - (x1 + x2) / 2) < 2.5 * across and abs(y - (y1 + y2) / 2) < 2.5 * down
            if inside or near:
                cost = entropy[index] - 3 * torch.log(ious[number, index] + 1e-8)
                costs[index] = (cost + (0 if inside and near else 1e5)).item()
        total = sum(sorted((ious[number, index].item() for index in costs), reverse=True)[:10])
        numbers.append(min(len(costs), max(1, int(total))))
        for index in sorted(costs, key=lambda index: (costs[index], index))[: numbers[-1]]:
            if costs[index] < cheapest[index]:
                owner[index], cheapest[index] = number, costs[index]
    return owner, numbers


@pytest.mark.parametrize(("count", "seed"), [(1, 0), (6, 1), (35, 2)])
def test_same_as_in_loops(count, seed):
    objects, view = random_boxes(count, seed, 80), look(GRID, count, seed)
    found, (owner, numbers) = assign_anchors(GRID, objects, SIMOTA, view), assign_plainly(GRID, objects, view)
    expected = torch.tensor(owner)
    assert found.cheapest.number.tolist() == numbers
    assert torch.equal(found.foreground, expected >= 0) and found.foreground.any()
    assert torch.equal(found.object[found.foreground], expected[expected >= 0])
    assert torch.equal(
        found.iou[found.foreground],
        box_iou(objects, GRID.boxes)[found.object[found.foreground], found.foreground.nonzero().squeeze(1)],
    )


def example() -> tuple[AnchorGrid, torch.Tensor, NetworkView]:
    """One object over the second and third of four anchors, which predict themselves; IoU 0, 0.5, 0.5, 0."""
    logits = torch.tensor([[0.0, 0], [0, 0], [0, 2], [0, 0]])
    return (
        make_small_grid(),
        torch.tensor([[4.0, -4, 20, 4]]),
        NetworkView(logits, torch.zeros(4, 4), torch.tensor([1])),
    )


def test_by_hand():
    grid, objects, view = example()
    found, costs = assign_anchors(grid, objects, SIMOTA, view), compute_costs(grid, torch.arange(4), objects, view)
    two = math.log(2) + math.log(1 + math.exp(2)) - 2 + 3 * math.log(2)  # both scores, and −3 log ½
    assert costs.cost[0, 1:3].tolist() == pytest.approx([2 * math.log(2) + 3 * math.log(2), two], abs=1e-5)
    assert costs.distant.tolist() == [[True, False, False, True]]  # inside, or near: the centre is 12 px away
    assert (costs.cost[0, [0, 3]] > DISTANT).all() and costs.cost.isfinite().all()
    assert found.cheapest.number.tolist() == [1] and found.cheapest.limit.item() == pytest.approx(two, abs=1e-5)
    assert found.label.tolist() == [BACKGROUND, BACKGROUND, FOREGROUND, BACKGROUND]
    assert found.iou.tolist() == pytest.approx([0, 0.5, 0.5, 0])


def test_k_is_the_sum_of_the_ten_highest_ious_of_the_predictions():
    objects = torch.tensor([[20.0, 20, 84, 84]])
    for accurate, expected in ((0, 1), (1, 1), (3, 3), (25, 10)):
        deltas = torch.full((len(GRID.boxes), 4), -9.0)  # boxes of no size, far away
        inside = ((GRID.centres > 20) & (GRID.centres < 84)).all(dim=1).nonzero().squeeze(1)[:accurate]
        deltas[inside] = encode(objects.expand(len(inside), 4), GRID.boxes[inside])
        view = NetworkView(torch.zeros(len(deltas), 4), deltas * (1 + 1e-6), torch.tensor([0]))
        found = assign_anchors(GRID, objects, SIMOTA, view)
        assert abs(int(found.cheapest.number) - expected) <= (1 if accurate else 0)  # IoUs of 0.99999 are rounded down
        assert int(found.foreground.sum()) == int(found.cheapest.number)


def test_at_ties_the_first_anchors_are_taken():
    grid, objects, view = example()
    alike = view._replace(logits=torch.zeros(4, 2))
    assert assign_anchors(grid, objects, SIMOTA, alike).label.tolist() == [0, 1, 0, 0]


def test_candidates_outside_the_object_are_taken_only_where_others_do_not_suffice():
    grid, _, view = example()
    small = torch.tensor([[9.0, -4, 15, 4]])  # between two locations: no anchor is centred in it
    found = assign_anchors(grid, small, SIMOTA, view)
    assert int(found.foreground.sum()) == 1 and found.cheapest.limit.item() > DISTANT


def test_an_anchor_that_two_objects_take_goes_to_that_to_which_it_costs_least():
    grid, objects, view = example()
    twins = objects.repeat(2, 1)
    other_class = view._replace(labels=torch.tensor([0, 1]))  # the third anchor scores the second class
    found = assign_anchors(grid, twins, SIMOTA, other_class)
    assert found.label.tolist() == [0, 1, 1, 0] and found.object.tolist()[1:3] == [0, 1]
    alike = assign_anchors(grid, twins, SIMOTA, view._replace(labels=torch.tensor([1, 1])))
    assert alike.object[2] == 0 and int(alike.foreground.sum()) == 1  # the second one has none


@pytest.mark.parametrize("box", [[5000.0, 5000, 5010, 5010], [-900, -900, -500, -500]])
def test_an_object_far_outside_takes_none(box):
    objects = torch.tensor([box, [20.0, 20, 60, 60]])
    found = assign_anchors(GRID, objects, SIMOTA, look(GRID, 2))
    assert found.cheapest.number[0] == 0 and found.cheapest.limit[0] == -math.inf
    assert (found.object[found.foreground] == 1).all()
    alone = assign_anchors(GRID, objects[:1], SIMOTA, look(GRID, 1))
    assert not alone.foreground.any()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_network_that_has_diverged_makes_no_numbers_that_are_none(value):
    view = look(GRID, 2)._replace(logits=torch.full((len(GRID.boxes), 4), value))
    broken = view._replace(deltas=torch.full((len(GRID.boxes), 4), value))
    objects = torch.tensor([[20.0, 20, 60, 60], [40, 40, 40, 40]])
    for each in (view, broken):
        found = assign_anchors(GRID, objects, SIMOTA, each)
        assert found.iou.isfinite().all() and (found.cheapest.number >= 1).all() and found.foreground.any()


def test_image_without_objects_is_all_background():
    found = assign_anchors(GRID, torch.zeros(0, 4), SIMOTA, look(GRID, 0))
    assert (found.label == BACKGROUND).all() and (found.iou == 0).all() and len(found.cheapest.number) == 0


def test_it_needs_the_outputs():
    with pytest.raises(ValueError, match="NetworkView"):
        assign_anchors(GRID, torch.zeros(0, 4), SIMOTA)


def test_other_outputs_give_another_assignment_and_none_is_ignored():
    objects = random_boxes(6, 4, 80)
    one, other = (assign_anchors(GRID, objects, SIMOTA, look(GRID, 6, seed)) for seed in (0, 1))
    assert not torch.equal(one.label, other.label) and not one.forced.any()
    assert set(one.label.tolist()) == {BACKGROUND, FOREGROUND}
    fit = match_anchors(GRID.boxes, objects, Matching())
    assert torch.equal(one.best_iou, fit.best_iou) and torch.equal(one.iou[~one.foreground], fit.iou[~one.foreground])


def assign_sample(config: Config) -> tuple[Outputs, Match, list[AnchorLosses], list[AnchorLosses]]:
    """Returns random outputs, the assignment that they give, and the losses with it, fixed, and as in training."""
    image, labels = torch.zeros(3, 96, 128, dtype=torch.uint8), torch.tensor([0, 1, 2, 3, 0])
    sample = Sample(image, random_boxes(5, 7, 80), labels, torch.zeros(5, dtype=torch.bool), 0)
    batch = prepare([sample.image], config.inference)
    grid = make_anchors(config.anchors, *batch.pixels.shape[-2:])
    logits, deltas, _ = look(grid, 5)
    outputs = Outputs(logits[None].requires_grad_(), deltas[None].requires_grad_(), grid.grids)
    boxes = sample.boxes / batch.factors[0]
    match = assign_anchors(grid, boxes, config.matching, NetworkView(logits, deltas, sample.labels))
    fixed = anchor_losses(outputs.logits[0], outputs.deltas[0], grid.boxes, match, boxes, sample.labels, config.loss)
    return outputs, match, [fixed], batch_losses(outputs, batch, [sample], config)


@pytest.mark.parametrize("assigner", ["atss", "simota"])
def test_training_uses_the_assigner_without_gradient_through_it(assigner):
    config = Config.from_flat({"matching.assigner": assigner, "inference.image_size": 96})
    outputs, match, fixed, trained = assign_sample(config)
    assert trained[0].foreground == match.foreground.sum() > 0
    gradients = [
        torch.autograd.grad(total_loss(each, config.loss).total, [outputs.logits, outputs.deltas], retain_graph=True)
        for each in (fixed, trained)
    ]
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
