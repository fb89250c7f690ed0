"""Assignment by what the network predicts, SimOTA (Ge et al. 2021, YOLOX, section 2.1, after OTA, CVPR 2021).

An object's candidates are the anchors that are centred in it or at most 2.5 strides from its centre. A candidate costs
the cross-entropy of its scores plus 3 · −log of the IoU of its predicted box; it costs 100,000 more unless both holds,
so that others are only taken where those do not suffice. The object takes its k cheapest candidates, where k is the sum
of its ten highest IoUs, rounded down, and at least 1: an object that many predictions fit takes many. All other anchors
are background, and none is ignored.

This is the first release of YOLOX, also in MMDetection, except that an object takes only candidates of its own, and
that the score is the class score alone, since RetinaNet has no objectness.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from core.retinanet.anchors import AnchorGrid
from core.retinanet.assigners.atss import is_inside
from core.retinanet.assigners.claims import assign_owners, settle_claims
from core.retinanet.assigners.match import Cheapest, Match
from core.retinanet.assigners.max_iou import GROUP
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

    @property
    def is_candidate(self) -> Tensor:
        """bool [M, C]: anchors that an object may take."""
        return self.cost.isfinite()


@torch.no_grad()
def assign_cheapest(fit: Match, grid: AnchorGrid, objects: Tensor, view: NetworkView) -> Match:
    """Assigns anchors by SimOTA, without gradient; one that several objects take goes to that to which it costs least.

    Args:
        fit: The assignment of the same anchors by the highest IoU.
        grid: The anchors.
        objects: Ground-truth boxes, float32 [M, 4]; M may be 0.
        view: What the network predicts.
    """
    everywhere = torch.arange(len(grid.boxes), device=objects.device)
    claims = [torch.zeros(2, 0, dtype=torch.int64, device=objects.device)]
    worths, numbers, limits = [objects.new_zeros(0)], [everywhere[:0]], [objects.new_zeros(0)]
    for start in range(0, len(objects), GROUP):
        here = slice(start, start + GROUP)
        boxes = objects[here]
        inside, near = locate(grid, everywhere, boxes)
        anchors = (inside | near).any(dim=0).nonzero().squeeze(1)  # [C]
        costs = compute_costs(grid, anchors, boxes, view._replace(labels=view.labels[here]))
        number, limit, chosen = choose(costs)
        row, column = chosen.nonzero().unbind(dim=1)
        claims.append(torch.stack([anchors[column], row + start]))
        worths.append(-costs.cost[row, column])
        numbers.append(number)
        limits.append(limit)
    anchor, number = torch.cat(claims, dim=1)
    owner = settle_claims(anchor, number, torch.cat(worths), len(grid.boxes))
    cheapest = Cheapest(torch.cat(numbers), torch.cat(limits))
    return assign_owners(fit, owner, grid.boxes, objects)._replace(cheapest=cheapest)


def locate(grid: AnchorGrid, anchors: Tensor, objects: Tensor) -> tuple[Tensor, Tensor]:
    """Returns which anchors, int64 [C], are centred in objects [M, 4], and which near their centres, bool [M, C]."""
    centres, stride = grid.centres[anchors], grid.spacing[anchors]
    middle = (objects[:, None, :2] + objects[:, None, 2:]) / 2
    near = ((centres - middle).abs() < RADIUS * stride).all(dim=2)
    return is_inside(centres, objects[:, None]), near


def compute_costs(grid: AnchorGrid, anchors: Tensor, objects: Tensor, view: NetworkView) -> Costs:
    """Returns what anchors, int64 [C], cost objects [M, 4]; the labels of the view are those of these objects."""
    inside, near = locate(grid, anchors, objects)
    logits = view.logits[anchors]  # [C, K]
    boxes = decode(view.deltas[anchors], grid.boxes[anchors])
    iou = iou_matrix(objects, boxes).clamp_(max=1)  # [M, C]
    # Cross-entropy with a single class as target: Σ softplus(x) − x of that class.
    classification = (F.softplus(logits).sum(dim=1, keepdim=True) - logits[:, view.labels]).T
    distant = ~(inside & near)
    cost = classification - IOU_WEIGHT * torch.log(iou + SMALLEST_IOU) + DISTANT * distant
    cost = cost.nan_to_num(torch.finfo(cost.dtype).max)  # a network that has diverged: its loss will say so
    candidate = inside | near
    return Costs(cost.masked_fill(~candidate, torch.inf), iou * candidate, distant)


def choose(costs: Costs) -> tuple[Tensor, Tensor, Tensor]:
    """Returns k of each object, int64 [M], the cost of its last one, float32 [M], and its anchors, bool [M, C].

    k is 0, and the cost −∞, for an object without candidates. At ties the first anchors are taken.
    """
    counted = min(COUNTED, costs.iou.shape[1])
    total = costs.iou.topk(counted, dim=1).values.sum(dim=1)
    number = total.long().clamp_(min=1).minimum(costs.is_candidate.sum(dim=1))
    if not counted:
        return number, costs.cost.new_full((len(number),), -torch.inf), costs.is_candidate
    cheapest = costs.cost.topk(counted, dim=1, largest=False).values  # ascending
    limit = cheapest.gather(1, (number - 1).clamp(min=0)[:, None])
    limit = limit.masked_fill((number == 0)[:, None], -torch.inf)
    cheaper, equal = costs.cost < limit, costs.cost == limit
    left = number[:, None] - cheaper.sum(dim=1, keepdim=True)
    return number, limit.squeeze(1), cheaper | (equal & (equal.cumsum(dim=1) <= left))
