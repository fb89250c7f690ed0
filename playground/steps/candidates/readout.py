"""The candidates in numbers and words: how many are left after each stage, what is drawn, and the best detections."""

import numpy as np
from markupsafe import Markup

from core.retinanet.anchors import LEVELS
from core.retinanet.postprocess import BEYOND_CAP, KEPT, SUPPRESSED
from core.retinanet.tiles import WHOLE
from playground.components import html
from playground.inspector.detection import DRAWN_FROM, count_strong, name_box_of, name_sight
from playground.inspector.overlaps import is_fusing, words_of
from playground.pipeline.pipeline import Pipeline
from playground.steps.candidates.layers import WEAKER

ROWS = 50  # of the best detections


def count_candidates(pipeline: Pipeline) -> Markup:
    """Returns how many candidates are left after each stage."""
    fate, counts = pipeline.fates.fate, pipeline.level_counts
    pairs = [
        *_count_views(pipeline),
        ("scores", html.count(sum(level.anchors for level in counts) * len(pipeline.network.class_names))),
        ("above the threshold", html.count(sum(level.scored for level in counts))),
        ("after top-K", html.count(sum(level.topk for level in counts))),
        *_count_origins(pipeline),
        (f"{words_of(pipeline).lost} by NMS", html.count(int((fate == SUPPRESSED).sum()))),
        ("beyond the cap", html.count(int((fate == BEYOND_CAP).sum()))),
        ("detections", html.count(int((fate == KEPT).sum()))),
    ]
    return html.facts(pairs)


def _count_views(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Returns the number of tiles and of views, and what these cost; nothing of what there is only one of."""
    tiles = [("tiles, beside the whole picture", html.count(len(pipeline.tiles)))] if pipeline.tiles else []
    if len(pipeline.views) == 1:
        return tiles
    cost = f"{pipeline.gflops:,.1f} GFLOP instead of {pipeline.costs.gflops:,.1f}"
    return [*tiles, ("views", f"{len(pipeline.views)}, {cost}{' without tiles' if tiles else ''}")]


def _count_origins(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Returns how many candidates come from the whole picture and from the tiles; nothing without tiles."""
    found, cut = pipeline.merged
    if cut is None or found.tile is None:
        return []
    whole = int((found.tile == WHOLE).sum())
    return [
        ("cut by a tile's edge", html.count(len(cut.score))),
        ("left of the whole picture", html.count(whole)),
        ("left of the tiles", html.count(len(found.score) - whole)),
    ]


def say_fused(pipeline: Pipeline) -> Markup:
    """Returns how the scores of fused boxes come about; nothing if none are fused."""
    if not is_fusing(pipeline):
        return Markup()
    views = len(pipeline.views)
    few = f", times N/{views} where a cluster has N boxes, fewer than the {views} views" if views > 1 else ""
    return html.paragraph(
        "A detection is the mean of the boxes of its cluster, weighted by their scores, and its score is the plain "
        f"mean of these{few}. So weak boxes lower it: a higher score threshold leaves them out."
    )


def say_drawn(pipeline: Pipeline) -> Markup:
    """Returns which detections are drawn at first; nothing if it is all of them."""
    strong, count = count_strong(pipeline), len(pipeline.fates.order)
    if strong == count:
        return Markup()
    return html.paragraph(
        f"{strong:,} of the {count:,} detections are drawn: those with a score of {DRAWN_FROM:g} or more. Below the "
        f"picture, “{WEAKER}” shows the others; a higher score threshold drops them."
    )


def build_best(pipeline: Pipeline) -> Markup:
    """Returns a table of the best detections, with how many boxes each has suppressed or fused."""
    found, fates = pipeline.candidates, pipeline.fates
    names = pipeline.network.class_names
    order = fates.order[:ROWS]
    winners = pipeline.suppressors.candidate
    is_seen_often = found.tile is not None or found.view is not None
    suppressed = np.bincount(winners[winners >= 0].numpy(), minlength=len(found.score))
    rows = tuple(
        (
            names[found.label[index]],
            f"{fates.score[index]:.2f}",
            LEVELS[found.level[index]],
            str(suppressed[index]),
            *([name_sight(pipeline, index)] if is_seen_often else []),
        )
        for index in order.tolist()
    )
    boxes = tuple(name_box_of(pipeline, place) for place in range(len(rows)))
    columns = ("class", "score", "level", words_of(pipeline).gains, *(("seen",) if is_seen_often else ()))
    return html.table(html.Table("Best detections", columns, rows, boxes=boxes))
