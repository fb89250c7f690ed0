"""A place, or an object, through the pyramid: where its features come from, and on which levels it can be found."""

import torch
from markupsafe import Markup
from torch import Tensor

from core.errors import UserError
from core.explain.pyramid import Origin, rate_levels, trace_feature
from core.retinanet.anchors import LEVELS
from core.retinanet.boxes import iou_matrix
from playground.components import html
from playground.inspector.location import find_location
from playground.pipeline.pipeline import Pipeline

FOUND_IOU = 0.5  # of an object and a detection that has found it
ABOUT = (
    "P3 is made of C3, which is fine but shallow, and of the coarser maps above, which know more of what they see. The "
    "sum is linear, so that these shares are exact; a negative one is against the feature."
)
OF_WHAT = (
    "A share is the projection of a part on the feature. Lengths are of the parts: its own map, those above, the "
    "biases, which no picture changes. P6 and P7 are made of what lies below them alone."
)


def build_feature_report(pipeline: Pipeline, point: tuple[float, float]) -> Markup:
    """Returns a table of where the features at a point come from, for P3, P4 and P5."""
    rows = []
    for level, origin in enumerate(trace_point(pipeline, point)):
        own, *above, biases = origin.shares.tolist()
        others = html.signed_percent(sum(above)) if above else "–"
        lengths = " · ".join(f"{norm:.2g}" for norm in origin.norms.tolist())
        rows.append((LEVELS[level], html.signed_percent(own), others, html.signed_percent(biases), lengths))
    columns = ("level", "from its own C map", "from above", "biases", "lengths")
    title = f"Through the pyramid at {point[0]:.0f}, {point[1]:.0f}"
    table = html.table(html.Table(title, columns, tuple(rows)))
    return table + html.paragraph(ABOUT) + html.details("Which shares and lengths", html.paragraph(OF_WHAT))


def trace_point(pipeline: Pipeline, point: tuple[float, float]) -> tuple[Origin, ...]:
    """Returns where the features at a point come from, for P3, P4 and P5."""
    body, fpn = pipeline.pyramid.body, pipeline.network.model.backbone.fpn
    found = []
    for level, (_, columns) in enumerate(pipeline.grid.grids[: len(body)]):
        place = divmod(find_location(pipeline.grid, level, point), columns)
        found.append(trace_feature(fpn, body, level, place))
    return tuple(found)


def build_levels_report(pipeline: Pipeline, number: int) -> Markup:
    """Returns a table of the levels on which an object could be found, and is."""
    ious = rate_levels(pipeline.grid, pipeline.objects[0][number]).tolist()
    assigned = pipeline.match.foreground & (pipeline.match.object == number)
    counts = [int(each.sum()) for each in assigned.split(pipeline.grid.counts)]
    try:
        scores = [f"{each:.2f}" if each > 0 else "not" for each in rate_detections(pipeline, number).tolist()]
    except UserError:  # the network does not know its class
        scores = ["–"] * len(LEVELS)
    rows = zip(LEVELS, (f"{each:.2f}" for each in ious), map(html.count, counts), scores, strict=True)
    columns = ("level", "best IoU of an anchor", "foreground", "found, score")
    explanation = html.paragraph(
        "An object can be found on the levels whose anchors overlap it well; training teaches those with foreground "
        f"anchors. It is found where a detection of its class overlaps it by IoU {FOUND_IOU:g}."
    )
    return html.table(html.Table("Its levels", columns, tuple(rows))) + explanation


def rate_detections(pipeline: Pipeline, number: int) -> Tensor:
    """Returns the best score with which the detections of each level find an object, float32 [levels]; 0 for none.

    Raises:
        UserError: The weights do not fit the settings, or do not know a class of the picture.
    """
    order, fates, found = pipeline.fates.order, pipeline.fates, pipeline.candidates
    best = torch.zeros(len(LEVELS))
    right = found.label[order] == pipeline.labels[number]
    if not bool(right.any()):
        return best
    order = order[right]
    order = order[iou_matrix(fates.box[order], pipeline.objects[0][number : number + 1])[:, 0] >= FOUND_IOU]
    return best.scatter_reduce(0, found.level[order], fates.score[order], "amax")
