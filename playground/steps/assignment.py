"""The assignment step: which anchors are foreground, ignored or background, and how many each object has."""

import numpy as np
from markupsafe import Markup

from core.retinanet.assigners.match import BACKGROUND, IGNORED
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


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows the foreground and the ignored anchors, and the number of anchors of each object."""
    match, boxes = pipeline.match, pipeline.grid.boxes
    foreground, ignored = match.foreground & ~match.forced, match.label == IGNORED
    layers = (
        Layer("ignored", "ignored", "ignored", boxes[ignored].numpy(), visible=False),
        Layer("foreground", "foreground", "foreground", boxes[foreground].numpy(), values=match.iou[foreground]),
        Layer("forced", "forced best match", "kept", boxes[match.forced].numpy(), values=match.iou[match.forced]),
        truth_layer(pipeline),
    )
    chooser = choose_graph(focus.dials, "Anchors by their best IoU")
    if focus.dials.graph == BOXES:
        return build_regression_view(pipeline, focus, layers, chooser)
    seen = inspect(pipeline, focus.pick)

    def build_text() -> StepText:
        text = note_tiles(pipeline) + seen.text + _counts(pipeline) + _objects(pipeline)
        return StepText(text, _histogram(pipeline), dials=(chooser,))

    return StepView((*layers, *seen.layers), build_text=build_text)


def _counts(pipeline: Pipeline) -> Markup:
    match = pipeline.match
    foreground, background = int(match.foreground.sum()), int((match.label == BACKGROUND).sum())
    pairs = [
        ("foreground", html.count(foreground)),
        ("of which forced", html.count(int(match.forced.sum()))),
        ("ignored", html.count(int((match.label == IGNORED).sum()))),
        ("background", html.count(background)),
        ("background per foreground anchor", html.number(background / foreground if foreground else None, ",.0f")),
    ]
    return html.facts(pairs)


def _objects(pipeline: Pipeline) -> Markup:
    match = pipeline.match
    names = number_objects(pipeline.objects[1], pipeline.picture.class_names)
    iou = match.best_iou
    rows, unmatched = [], set()
    for index, name in enumerate(names):
        assigned = match.foreground & (match.object == index)
        forced = int((assigned & match.forced).sum())
        rows.append((name, f"{iou[index]:.2f}", str(int(assigned.sum()) - forced), str(forced)))
        if not assigned.any():
            unmatched.add(index)
    title = f"Anchors of each object ({len(unmatched)} without any)"
    boxes = tuple(html.box_of(TRUTH, index) for index in range(len(rows)))
    columns = ("object", "best IoU", "matched", "forced")
    return html.table(html.Table(title, columns, tuple(rows), frozenset(unmatched), boxes))


def _histogram(pipeline: Pipeline) -> dict:
    match = pipeline.match
    iou = match.iou.numpy()
    groups = [
        ("background", colour("background"), iou[(match.label == BACKGROUND).numpy()]),
        ("ignored", colour("ignored"), iou[(match.label == IGNORED).numpy()]),
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
    return f"{int(match.foreground.sum()):,} fg · {int((match.label == IGNORED).sum()):,} ign"


STEP = Step(
    "assignment",
    "For training, every anchor is compared with the objects: one that overlaps an object well is foreground, one with "
    "hardly any overlap background, and those in between are ignored. No anchor learns to find the red objects.",
    _headline,
    build_view,
    assignment_levels,
    has_figure=True,
    build_figure=_build_figure,
    slider="matching.fg_iou_threshold",
)
