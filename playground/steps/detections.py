"""The detections step: from scores to boxes, with every box before NMS and which box suppressed which."""

import numpy as np
from markupsafe import Markup

from core.conventions.convention import FRAMEWORKS
from core.errors import UserError
from core.retinanet.anchors import LEVELS
from core.retinanet.postprocess import BEYOND_CAP, KEPT
from playground.canvas.view import GREY
from playground.components import html
from playground.components.dials import CHOICE, Dial
from playground.components.figures import Figure, bars, colour
from playground.inspector.inspect import Inspection, inspect
from playground.inspector.rescue_report import ON, build_list
from playground.pipeline.pipeline import Pipeline
from playground.steps.candidates.layers import candidate_layers, tile_layers
from playground.steps.candidates.readout import build_best, count_candidates, say_drawn, say_fused
from playground.steps.dials import BOXES, OTHERS, PRECISION, ROBUSTNESS, Dials
from playground.steps.frameworks.compared import compare_with
from playground.steps.frameworks.layers import difference_layers
from playground.steps.frameworks.view import framework_dials, framework_figure, framework_text
from playground.steps.levels import funnel_levels
from playground.steps.precision.counted import choose, of_picture
from playground.steps.precision.view import counted_figure, picture_layers, picture_text
from playground.steps.robustness.view import robustness_dials, robustness_figure, robustness_text
from playground.steps.step import Focus, Step, StepText, StepView, StripItem, score_heat, truth_layer
from playground.support.wording import name_knobs


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows all candidates, their outcome, and how many of them pass each stage on each level."""
    if focus.dials.graph == PRECISION:
        return _build_precision_view(pipeline, focus)
    if focus.dials.graph == ROBUSTNESS:
        return _build_robustness_view(pipeline, focus)
    if focus.dials.graph == OTHERS:
        return _build_framework_view(pipeline, focus)
    layers = (truth_layer(pipeline, visible=False), *tile_layers(pipeline), *candidate_layers(pipeline))
    seen = _inspect_click(pipeline, focus)
    heat = seen.heat or score_heat(pipeline, focus.level, key="scores", visible=False)

    def build_text() -> StepText:
        text = seen.text + count_candidates(pipeline) + say_fused(pipeline) + say_drawn(pipeline)
        text += build_list(pipeline, on=focus.dials.rescue == ON) + build_best(pipeline)
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
    """Shows what becomes of the detections when the picture changes, or why that cannot be measured, and the click."""
    chooser = _choose_graph(focus.dials)
    seen = _inspect_click(pipeline, focus) if focus.pick else Inspection(Markup())

    def build_text() -> StepText:
        try:
            text = robustness_text(pipeline, focus, chooser)
        except UserError as error:
            text = StepText(html.paragraph(name_knobs(error)), dials=(chooser, *robustness_dials(focus.dials)))
        return text._replace(more=seen.text)

    layers = (truth_layer(pipeline, visible=False), *candidate_layers(pipeline), *seen.layers)
    return StepView(layers, seen.heat, build_text)


def _build_framework_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows what another framework makes of the same weights, or why that cannot be compared."""
    chooser, dials = _choose_graph(focus.dials), focus.dials
    truth = truth_layer(pipeline, visible=False)
    try:
        comparison = compare_with(pipeline, dials.framework)
    except UserError as error:
        refusal = StepText(html.paragraph(name_knobs(error)), dials=(chooser, *framework_dials(dials)))
        return StepView((truth, *candidate_layers(pipeline)), build_text=lambda: refusal)
    layers = difference_layers(pipeline, comparison, FRAMEWORKS[dials.framework], focus.pick)
    return StepView((truth, *layers), build_text=lambda: framework_text(pipeline, dials, chooser))


def _inspect_click(pipeline: Pipeline, focus: Focus) -> Inspection:
    return inspect(pipeline, focus.pick, focus.dials.asked, rescued=focus.dials.rescue == ON)


def _choose_graph(dials: Dials) -> Dial:
    choices = (
        ("Candidates of each level", ""),
        ("How AP is made", PRECISION),
        ("Robustness", ROBUSTNESS),
        ("Other frameworks", OTHERS),
    )
    return Dial("graph", "Figure", CHOICE, dials.graph if dials.graph != BOXES else "", choices=choices)


def _funnel(pipeline: Pipeline) -> dict:
    kept = np.bincount(pipeline.candidates.level[pipeline.fates.order].numpy(), minlength=len(LEVELS))
    counts = pipeline.level_counts
    groups = [
        ("anchors", GREY, [level.anchors for level in counts]),
        ("scores above the threshold", colour("before"), [level.scored for level in counts]),
        ("after top-K", colour("beyond_cap"), [level.topk for level in counts]),
        ("detections", colour("kept"), kept.tolist()),
    ]
    return bars(LEVELS, groups, title="Candidates after each stage, by level", y="number")


def _build_figure(pipeline: Pipeline, focus: Focus) -> Figure | None:
    """Returns the chosen figure, None without detections where it needs one.

    Raises as `of_picture`, `survive` or `compare_with`.
    """
    if focus.dials.graph == PRECISION:
        return counted_figure(choose(of_picture(pipeline), focus.dials))
    if focus.dials.graph == ROBUSTNESS:
        return robustness_figure(pipeline, focus)
    if focus.dials.graph == OTHERS:
        return framework_figure(pipeline, focus.dials)
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
