"""Assignment by what the network predicts, SimOTA (Ge et al. 2021, YOLOX, section 2.1, after OTA, CVPR 2021).

An object's candidates are the anchors that are centred in it or at most 2.5 strides from its centre. A candidate costs
the cross-entropy of its scores plus 3 · −log of the IoU of its predicted box; it costs 100,000 more unless both hold,
so that others are only taken where those do not suffice. The object takes its k cheapest candidates, where k is the sum
of its ten highest IoUs, rounded down, and at least 1: an object that many predictions fit takes many. All other anchors
are background, and none is ignored.

This is the first release of YOLOX, also in MMDetection, with three differences: an object takes only candidates of its
own, an anchor that several take goes to one of these, and the score is the class score alone, since RetinaNet has no
objectness.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from core.retinanet.anchors import AnchorGrid
from core.retinanet.assigners.atss import is_inside
from core.retinanet.assigners.claims import assign_owners, settle_claims
from core.retinanet.assigners.match import Cheapest, Match
from core.retinanet.boxes import decode, iou_matrix

RADIUS = 2.5  # strides
COUNTED = 10  # candidates whose IoUs are added up
IOU_WEIGHT = 3.0
DISTANT = 1e5  # added to the cost of a candidate that is not both inside and near the centre
SMALLEST_IOU = 1e-8  # added to IoUs, whose logarithm would be infinite


class NetworkView(NamedTuple):
    """What the network predicts for an image, and the classes that it should.

    Attributes:
        logits: [N, K].
        deltas: [N, 4].
        labels: The class of each object as the network numbers them, int64 [M].
    """

    logits: Tensor
    deltas: Tensor
    labels: Tensor


class Costs(NamedTuple):
    """What C anchors cost M objects.

    Attributes:
        cost: float32 [M, C], infinite for anchors that are no candidates of an object.
        iou: IoU of the predicted boxes with the objects, float32 [M, C]; 0 for anchors that are no candidates.
        distant: bool [M, C]: not both inside the object and near its centre.
    """

    cost: Tensor
    iou: Tensor
    distant: Tensor


class Taken(NamedTuple):
    """The anchors that an object takes, the cheapest first: their indices, int64 [k], and costs, float32 [k]."""

    anchor: Tensor
    cost: Tensor


@torch.no_grad()
def assign_cheapest(fit: Match, grid: AnchorGrid, objects: Tensor, view: NetworkView) -> Match:
    """Assigns anchors by SimOTA, without gradient; one that several objects take goes to that to which it costs least.

    Args:
        fit: The assignment of the same anchors by the highest IoU.
        grid: The anchors.
        objects: Ground-truth boxes, float32 [M, 4]; M may be 0.
        view: What the network predicts.
    """
    taken = [take_cheapest(grid, objects, view, number) for number in range(len(objects))]
    sizes = torch.tensor([len(each.anchor) for each in taken], dtype=torch.int64, device=objects.device)
    anchor = torch.cat([sizes[:0], *(each.anchor for each in taken)])
    cost = torch.cat([objects.new_zeros(0), *(each.cost for each in taken)])
    number = torch.arange(len(objects), device=objects.device).repeat_interleave(sizes)
    owner = settle_claims(anchor, number, -cost, len(grid.boxes))
    limit = objects.new_full((len(objects),), -torch.inf).scatter_reduce_(0, number, cost, "amax")
    return assign_owners(fit, owner, grid.boxes, objects)._replace(cheapest=Cheapest(sizes, limit))


def take_cheapest(grid: AnchorGrid, objects: Tensor, view: NetworkView, number: int) -> Taken:
    """Returns the anchors that an object takes; the arguments are those of `assign_cheapest`, and its number."""
    here = slice(number, number + 1)
    anchors = _find_candidates(grid, objects[here])
    costs = compute_costs(grid, anchors, objects[here], view._replace(labels=view.labels[here]))
    total = costs.iou[0].topk(min(COUNTED, len(anchors))).values.sum()
    wanted = min(max(1, int(total)), len(anchors))
    chosen = costs.cost[0].sort(stable=True).indices[:wanted]
    return Taken(anchors[chosen], costs.cost[0, chosen])


def _find_candidates(grid: AnchorGrid, box: Tensor) -> Tensor:
    """Returns the anchors centred in an object, box [1, 4], or near its centre, int64 [C], ascending."""
    each = grid.per_location
    centres, spacing = grid.centres[::each], grid.spacing[::each]  # of the locations
    locations = (is_inside(centres, box) | _is_near(centres, spacing, box)[0]).nonzero()
    return (locations * each + torch.arange(each, device=box.device)).flatten()


def _is_near(centres: Tensor, spacing: Tensor, objects: Tensor) -> Tensor:
    """Returns which centres, [C, 2] with their spacing, are near those of objects [M, 4], bool [M, C]."""
    middle = (objects[:, None, :2] + objects[:, None, 2:]) / 2
    return ((centres - middle).abs() < RADIUS * spacing).all(dim=2)


def compute_costs(grid: AnchorGrid, anchors: Tensor, objects: Tensor, view: NetworkView) -> Costs:
    """Returns what anchors, int64 [C], cost objects [M, 4]; the labels of the view are those of these objects."""
    centres, spacing, logits = grid.centres[anchors], grid.spacing[anchors], view.logits[anchors]
    inside, near = is_inside(centres, objects[:, None]), _is_near(centres, spacing, objects)
    iou = iou_matrix(objects, decode(view.deltas[anchors], grid.boxes[anchors])).clamp_(max=1)  # [M, C]
    # Cross-entropy with a single class as target: Σ softplus(x) − x of that class.
    classification = (F.softplus(logits).sum(dim=1, keepdim=True) - logits[:, view.labels]).T
    distant = ~(inside & near)
    cost = classification - IOU_WEIGHT * torch.log(iou + SMALLEST_IOU) + DISTANT * distant
    cost = cost.nan_to_num(torch.finfo(cost.dtype).max)  # a network that has diverged: its loss will say so
    candidate = inside | near
    return Costs(cost.masked_fill(~candidate, torch.inf), iou * candidate, distant)
