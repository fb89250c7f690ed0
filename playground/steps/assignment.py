"""The assignment step: which anchors are foreground, ignored or background, and how many each object has."""

import numpy as np
from markupsafe import Markup
from torch import Tensor

from core.retinanet.assigners.match import BACKGROUND, IGNORED, Match
from core.retinanet.boxes import decode
from playground.canvas.view import TRUTH, Layer
from playground.components import html
from playground.components.figures import Figure, colour, histogram
from playground.inspector.inspect import inspect
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import BOXES
from playground.steps.levels import assignment_levels
from playground.steps.regression.example import make_example
from playground.steps.regression.figure import loss_figure
from playground.steps.regression.view import build_regression_view, choose_graph
from playground.steps.step import (
    Focus,
    Step,
    StepText,
    StepView,
    note_tiles,
    number_objects,
    truth_layer,
)

COLUMNS = {"max_iou": ("matched", "forced"), "atss": ("own threshold", "foreground"), "simota": ("k", "foreground")}


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows the foreground and other anchors that the assigner considers, and the number of anchors of each object."""
    layers = (*_layers(pipeline), truth_layer(pipeline))
    chooser = choose_graph(focus.dials, "Anchors by their best IoU")
    if focus.dials.graph == BOXES:
        return build_regression_view(pipeline, focus, layers, chooser)
    seen = inspect(pipeline, focus.pick, focus.dials.asked)

    def build_text() -> StepText:
        text = note_tiles(pipeline) + seen.text + _explain(pipeline) + _counts(pipeline) + _objects(pipeline)
        return StepText(text, _histogram(pipeline), dials=(chooser,))

    return StepView((*layers, *seen.layers), seen.heat, build_text)


def _layers(pipeline: Pipeline) -> tuple[Layer, ...]:
    """Returns the foreground anchors and, hidden, what else the assigner looks at, from bottom to top."""
    match, boxes = pipeline.match, pipeline.grid.boxes
    matched = match.foreground & ~match.forced
    foreground = Layer("foreground", "foreground", "foreground", boxes[matched].numpy(), values=match.iou[matched])
    if match.closest:
        others = match.closest.anchor.flatten().unique()
        others = others[~match.foreground[others]]
        return Layer("candidates", "other candidates", "ignored", boxes[others].numpy(), visible=False), foreground
    if match.cheapest:
        predicted = decode(pipeline.view.deltas[matched], boxes[matched])
        return foreground, Layer("foreground-boxes", "the boxes they predict", "before", predicted, visible=False)
    ignored = match.label == IGNORED
    return (
        Layer("ignored", "ignored", "ignored", boxes[ignored].numpy(), visible=False),
        foreground,
        Layer("forced", "forced best match", "kept", boxes[match.forced].numpy(), values=match.iou[match.forced]),
    )


def _explain(pipeline: Pipeline) -> Markup:
    """Returns how ATSS or SimOTA assigns, nothing by max IoU, which the introduction describes."""
    if pipeline.match.closest:
        return html.paragraph(
            f"ATSS: of each level the {pipeline.config.matching.atss_topk} anchors closest to an object are its "
            "candidates. Its own threshold is the mean of their IoUs plus their standard deviation; those that reach "
            "it and are centred inside the object are foreground. No anchor is ignored."
        )
    if pipeline.match.cheapest:
        return html.paragraph(
            "SimOTA: an object takes the k anchors, at most ten, whose scores and predicted boxes cost it least; k is "
            "the sum of the ten highest IoUs of predicted boxes with it, rounded down, but at least 1. Other weights, "
            "or the next step of training, give other anchors. No anchor is ignored."
        )
    return Markup()


def _counts(pipeline: Pipeline) -> Markup:
    match = pipeline.match
    foreground, background = int(match.foreground.sum()), int((match.label == BACKGROUND).sum())
    of_thresholds = [
        ("of which forced", html.count(int(match.forced.sum()))),
        ("ignored", html.count(int((match.label == IGNORED).sum()))),
    ]
    pairs = [
        ("foreground", html.count(foreground)),
        *(of_thresholds if pipeline.can_ignore else ()),
        ("background", html.count(background)),
        ("background per foreground anchor", html.number(background / foreground if foreground else None, ",.0f")),
    ]
    return html.facts(pairs)


def _objects(pipeline: Pipeline) -> Markup:
    match = pipeline.match
    names = number_objects(pipeline.objects[1], pipeline.picture.class_names)
    iou, columns = match.best_iou, COLUMNS[pipeline.config.matching.assigner]
    rows, unmatched = [], set()
    for index, name in enumerate(names):
        assigned = match.foreground & (match.object == index)
        rows.append((name, f"{iou[index]:.2f}", *_describe(match, index, assigned)))
        if not assigned.any():
            unmatched.add(index)
    title = f"Anchors of each object ({len(unmatched)} without any)"
    boxes = tuple(html.box_of(TRUTH, index) for index in range(len(rows)))
    return html.table(html.Table(title, ("object", "best IoU", *columns), tuple(rows), frozenset(unmatched), boxes))


def _describe(match: Match, index: int, assigned: Tensor) -> tuple[str, str]:
    """Returns the cells of an object under `COLUMNS`, given the anchors that are assigned to it, bool [N]."""
    number, forced = int(assigned.sum()), int((assigned & match.forced).sum())
    if match.closest:
        return f"{match.closest.threshold[index]:.2f}", str(number)
    if match.cheapest:
        return str(int(match.cheapest.number[index])), str(number)
    return str(number - forced), str(forced)


def _histogram(pipeline: Pipeline) -> dict:
    match = pipeline.match
    iou = match.iou.numpy()
    ignored = [("ignored", colour("ignored"), iou[(match.label == IGNORED).numpy()])]
    groups = [
        ("background", colour("background"), iou[(match.label == BACKGROUND).numpy()]),
        *(ignored if pipeline.can_ignore else ()),
        ("foreground", colour("foreground"), iou[match.foreground.numpy()]),
    ]
    bins = np.linspace(0, 1, 51)
    return histogram(groups, bins=bins, title="Anchors by their best IoU", x="IoU", y="anchors", log_y=True)


def _build_figure(pipeline: Pipeline, focus: Focus) -> Figure:
    """Returns the chosen figure; raises as `make_example` where that needs an object."""
    if focus.dials.graph == BOXES:
        return loss_figure(make_example(pipeline, focus.pick, focus.dials), pipeline.config.loss)
    return _histogram(pipeline)


def _headline(pipeline: Pipeline) -> str:
    match = pipeline.match
    ignored = f" · {int((match.label == IGNORED).sum()):,} ign" if pipeline.can_ignore else ""
    return f"{int(match.foreground.sum()):,} fg{ignored}"


STEP = Step(
    "assignment",
    "For training, every anchor is compared with the objects: by the paper's two thresholds one that overlaps an "
    "object well is foreground, one with hardly any overlap background, and those in between are ignored. No anchor "
    "learns to find the red objects.",
    _headline,
    build_view,
    assignment_levels,
    has_figure=True,
    build_figure=_build_figure,
    slider="matching.fg_iou_threshold",
)
