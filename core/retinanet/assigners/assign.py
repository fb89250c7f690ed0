"""The assignment of anchors by the chosen assigner."""

from torch import Tensor

from core.config import Matching
from core.retinanet.anchors import AnchorGrid
from core.retinanet.assigners.atss import assign_closest
from core.retinanet.assigners.match import Match
from core.retinanet.assigners.max_iou import match_anchors
from core.retinanet.assigners.simota import NetworkView, assign_cheapest


def assign_anchors(grid: AnchorGrid, objects: Tensor, matching: Matching, view: NetworkView | None = None) -> Match:
    """Assigns the anchors of an image to its objects.

    Args:
        grid: The anchors, on the device of the objects.
        objects: Ground-truth boxes, float32 [M, 4]; M may be 0.
        matching: The assigner and its settings.
        view: What the network predicts; only needed by assigners of `OUTPUT_ASSIGNERS`.

    Raises:
        ValueError: The assigner needs what the network predicts.
    """
    return choose_assignment(match_anchors(grid.boxes, objects, matching), grid, objects, matching, view)


def choose_assignment(
    fit: Match, grid: AnchorGrid, objects: Tensor, matching: Matching, view: NetworkView | None = None
) -> Match:
    """Returns the same as `assign_anchors` if the assignment by the highest IoU, `fit`, is known already."""
    if matching.assigner == "atss":
        return assign_closest(fit, grid, objects, matching.atss_topk)
    if matching.assigner == "simota":
        if view is None:
            raise ValueError("SimOTA needs what the network predicts: pass a NetworkView.")
        return assign_cheapest(fit, grid, objects, view)
    return fit
