"""The detections step: from scores to boxes, with every box before NMS and which box suppressed which."""

import numpy as np
import torch
from markupsafe import Markup

from core.errors import UserError
from core.retinanet.anchors import LEVELS
from core.retinanet.postprocess import BEYOND_CAP, KEPT, SUPPRESSED
from core.retinanet.tiles import WHOLE
from playground.canvas.view import Layer
from playground.components import html
from playground.components.dials import CHOICE, Dial
from playground.components.figures import Figure, bars, colour
from playground.inspector.detection import DRAWN_FROM, count_strong, name_sight
from playground.inspector.inspect import inspect
from playground.inspector.overlaps import is_fusing, words_of
from playground.inspector.rescue_report import ON, build_list
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import BOXES, PRECISION, ROBUSTNESS, Dials
from playground.steps.levels import funnel_levels
from playground.steps.precision.counted import choose, of_picture
from playground.steps.precision.view import counted_figure, picture_layers, picture_text
from playground.steps.robustness.view import robustness_dials, robustness_figure, robustness_text
from playground.steps.step import Focus, Step, StepText, StepView, StripItem, score_heat, truth_layer
from playground.support.wording import name_knobs

WEAKER = f"weaker detections, below {DRAWN_FROM:g}"


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows all candidates, their outcome, and how many of them pass each stage on each level."""
    if focus.dials.graph == PRECISION:
        return _build_precision_view(pipeline, focus)
    if focus.dials.graph == ROBUSTNESS:
        return _build_robustness_view(pipeline, focus)
    layers = (truth_layer(pipeline, visible=False), *_tile_layers(pipeline), *_candidate_layers(pipeline))
    seen = inspect(pipeline, focus.pick, focus.dials.asked, rescued=focus.dials.rescue == ON)
    heat = seen.heat or score_heat(pipeline, focus.level, key="scores", visible=False)

    def build_text() -> StepText:
        text = seen.text + _counts(pipeline) + _say_fused(pipeline) + _say_drawn(pipeline)
        text += build_list(pipeline, on=focus.dials.rescue == ON) + _kept(pipeline)
        return StepText(text, _funnel(pipeline), dials=(_choose_graph(focus.dials),))

    return StepView((*layers, *seen.layers), heat, build_text)


def _build_precision_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows how average precision is made of the detections, or why it cannot be."""
    chooser = _choose_graph(focus.dials)
    try:
        layers = picture_layers(pipeline, focus.dials)
    except UserError as error:
        refusal = StepText(html.paragraph(name_knobs(error)), dials=(chooser,))
        return StepView((truth_layer(pipeline),), build_text=lambda: refusal)
    return StepView(layers, build_text=lambda: picture_text(pipeline, focus.dials, chooser))


def _build_robustness_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows what becomes of the detections when the picture changes, or why it cannot be measured."""
    chooser = _choose_graph(focus.dials)

    def build_text() -> StepText:
        try:
            return robustness_text(pipeline, focus, chooser)
        except UserError as error:
            return StepText(html.paragraph(name_knobs(error)), dials=(chooser, *robustness_dials(focus.dials)))

    return StepView((truth_layer(pipeline, visible=False), *_candidate_layers(pipeline)), build_text=build_text)


def _choose_graph(dials: Dials) -> Dial:
    choices = (("Candidates of each level", ""), ("How AP is made", PRECISION), ("Robustness", ROBUSTNESS))
    return Dial("graph", "Figure", CHOICE, dials.graph if dials.graph != BOXES else "", choices=choices)


def _tile_layers(pipeline: Pipeline) -> tuple[Layer, ...]:
    """Returns the outlines of the tiles, and the boxes that are left out at their edges; nothing without tiles."""
    cut = pipeline.merged.cut
    if cut is None:
        return ()
    return (
        Layer("tiles", "tiles", "tile", pipeline.tile_boxes.numpy(), dashed=True, width=1),
        Layer("cut", "cut by a tile's edge", "cut", cut.box.numpy(), width=1, values=cut.score, visible=False),
    )


def _candidate_layers(pipeline: Pipeline) -> tuple[Layer, ...]:
    """Returns the candidates as layers: before NMS, suppressed (with lines to the suppressor), beyond the cap, kept."""
    found, fates = pipeline.candidates, pipeline.fates
    class_names = pipeline.network.class_names
    suppressed = fates.fate == SUPPRESSED
    order = fates.order
    captions = tuple(
        f"{class_names[label]} {score:.2f}"
        for label, score in zip(found.label[order].tolist(), fates.score[order].tolist(), strict=True)
    )
    strong = count_strong(pipeline)

    def detections(key: str, label: str, chosen: slice, *, visible: bool = True) -> Layer:
        boxes, scores = fates.box[order][chosen].numpy(), fates.score[order][chosen]
        return Layer(key, label, "kept", boxes, width=2, values=scores, captions=captions[chosen], visible=visible)

    cut = fates.fate == BEYOND_CAP
    return (
        Layer("before", "before NMS", "before", found.box.numpy(), width=1, values=found.score, visible=False),
        Layer(
            "suppressed",
            words_of(pipeline).lost,
            "suppressed",
            found.box[suppressed].numpy(),
            width=1,
            values=found.score[suppressed],
            links=lambda: _suppressor_lines(pipeline, suppressed),
            visible=False,
        ),
        Layer(
            "beyond-cap", "beyond the cap", "beyond_cap", fates.box[cut].numpy(), values=fates.score[cut], visible=False
        ),
        *([detections("weaker", WEAKER, slice(strong, None), visible=False)] if strong < len(order) else []),
        detections("kept", "detections", slice(strong)),
    )


def _suppressor_lines(pipeline: Pipeline, suppressed: torch.Tensor) -> torch.Tensor:
    """Returns lines [S, 4] from suppressed boxes to their suppressors; NaN if soft NMS has no single one."""
    boxes, winners = pipeline.fates.box, pipeline.suppressors.candidate[suppressed]
    links = torch.cat([_centres(boxes[suppressed]), _centres(boxes[winners])], dim=1)
    links[winners < 0] = torch.nan
    return links


def _centres(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _counts(pipeline: Pipeline) -> Markup:
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


def _say_fused(pipeline: Pipeline) -> Markup:
    """Returns how the scores of fused boxes come about; nothing if none are fused."""
    if not is_fusing(pipeline):
        return Markup()
    views = len(pipeline.views)
    few = f", times N/{views} where a cluster has N boxes, fewer than the {views} views" if views > 1 else ""
    return html.paragraph(
        "A detection is the mean of the boxes of its cluster, weighted by their scores, and its score is the plain "
        f"mean of these{few}. So weak boxes lower it: a higher score threshold leaves them out."
    )


def _say_drawn(pipeline: Pipeline) -> Markup:
    """Returns which detections are drawn at first; nothing if it is all of them."""
    strong, count = count_strong(pipeline), len(pipeline.fates.order)
    if strong == count:
        return Markup()
    return html.paragraph(
        f"{strong:,} of the {count:,} detections are drawn: those with a score of {DRAWN_FROM:g} or more. Below the "
        f"picture, “{WEAKER}” shows the others; a higher score threshold drops them."
    )


def _kept(pipeline: Pipeline) -> Markup:
    found, fates = pipeline.candidates, pipeline.fates
    names = pipeline.network.class_names
    order = fates.order[:50]
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
    boxes = tuple(html.box_of("kept", position) for position in range(len(rows)))
    columns = ("class", "score", "level", words_of(pipeline).gains, *(("seen",) if is_seen_often else ()))
    return html.table(html.Table("Best detections", columns, rows, boxes=boxes))


def _funnel(pipeline: Pipeline) -> dict:
    kept = np.bincount(pipeline.candidates.level[pipeline.fates.order].numpy(), minlength=len(LEVELS))
    counts = pipeline.level_counts
    groups = [
        ("anchors", "#999999", [level.anchors for level in counts]),
        ("scores above the threshold", colour("before"), [level.scored for level in counts]),
        ("after top-K", colour("beyond_cap"), [level.topk for level in counts]),
        ("detections", colour("kept"), kept.tolist()),
    ]
    return bars(LEVELS, groups, title="Candidates after each stage, by level", y="number")


def _build_figure(pipeline: Pipeline, focus: Focus) -> Figure | None:
    """Returns the chosen figure, None without detections where it needs one; raises as `of_picture`, or `survive`."""
    if focus.dials.graph == PRECISION:
        return counted_figure(choose(of_picture(pipeline), focus.dials))
    if focus.dials.graph == ROBUSTNESS:
        return robustness_figure(pipeline, focus)
    return _funnel(pipeline)


def _count_fates(pipeline: Pipeline, *fates: int) -> str:
    fate = pipeline.fates.fate
    return html.count(sum(int((fate == each).sum()) for each in fates))


ITEMS = (
    StripItem(
        "threshold",
        "Threshold",
        lambda pipeline: html.count(sum(level.scored for level in pipeline.level_counts)),
        "Scores above the threshold, one per anchor and class",
        layer="",
    ),
    StripItem(
        "topk",
        "Top-K",
        lambda pipeline: html.count(sum(level.topk for level in pipeline.level_counts)),
        "Candidates left after each level has kept its best K",
        layer="before",
    ),
    StripItem(
        "nms",
        "NMS",
        lambda pipeline: _count_fates(pipeline, KEPT, BEYOND_CAP),
        "Candidates left after those that overlap are suppressed or fused",
        layer="suppressed",
    ),
    StripItem(
        "detections",
        "Detections",
        lambda pipeline: _count_fates(pipeline, KEPT),
        "Candidates left after the cap",
        layer="",
    ),
)


STEP = Step(
    "detections",
    "Scores below the threshold are dropped, each level keeps its top K, their boxes are decoded, and NMS keeps the "
    "best of those that overlap. Switch on the layers to see every box before NMS and its suppressor; a level in "
    "the strip shows its class scores.",
    ITEMS,
    build_view,
    funnel_levels,
    uses_level=True,
    has_figure=True,
    build_figure=_build_figure,
    slider="inference.score_threshold",
)
