"""Assignment: which anchors are foreground, ignored or background, and which object has how many."""

import numpy as np
from markupsafe import Markup

from core.retinanet.matching import BACKGROUND, IGNORED
from playground.canvas.view import Layer
from playground.components import html
from playground.components.figures import colour, histogram
from playground.inspector.inspect import inspect
from playground.pipeline.pipeline import Pipeline
from playground.steps.levels import assignment_levels
from playground.steps.step import Focus, Step, StepText, StepView, is_in_section, truth_layer


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows the foreground and the ignored anchors, and what each object got."""
    match, boxes = pipeline.match, pipeline.grid.boxes
    foreground, ignored = match.foreground & ~match.forced, match.label == IGNORED
    layers = (
        Layer("ignored", "ignored", "ignored", boxes[ignored].numpy(), visible=False),
        Layer("foreground", "foreground", "foreground", boxes[foreground].numpy(), values=match.iou[foreground]),
        Layer("forced", "forced best match", "kept", boxes[match.forced].numpy(), values=match.iou[match.forced]),
        truth_layer(pipeline),
    )
    seen = inspect(pipeline, focus.pick)

    def build_text() -> StepText:
        return StepText(seen.text + _counts(pipeline) + _objects(pipeline), _histogram(pipeline))

    return StepView((*layers, *seen.layers), build_text=build_text)


def _counts(pipeline: Pipeline) -> Markup:
    match = pipeline.match
    foreground, background = int(match.foreground.sum()), int((match.label == BACKGROUND).sum())
    pairs = [
        ("foreground", html.count(foreground)),
        ("of them forced", html.count(int(match.forced.sum()))),
        ("ignored", html.count(int((match.label == IGNORED).sum()))),
        ("background", html.count(background)),
        ("background a foreground", html.number(background / foreground if foreground else None, ",.0f")),
    ]
    return html.facts(pairs)


def _objects(pipeline: Pipeline) -> Markup:
    match = pipeline.match
    names, labels = pipeline.picture.class_names, pipeline.objects[1].tolist()
    iou = match.best_iou
    rows, none = [], set()
    for index, label in enumerate(labels):
        mine = match.foreground & (match.object == index)
        forced = int((mine & match.forced).sum())
        rows.append((names[label], f"{iou[index]:.2f}", str(int(mine.sum()) - forced), str(forced)))
        if not mine.any():
            none.add(index)
    title = f"Anchors of each object ({len(none)} without any)"
    return html.table(html.Table(title, ("object", "best IoU", "matched", "forced"), tuple(rows), frozenset(none)))


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


def _headline(pipeline: Pipeline) -> str:
    match = pipeline.match
    return f"{int(match.foreground.sum()):,} fg · {int((match.label == IGNORED).sum()):,} ign"


STEP = Step(
    "assignment",
    "Assignment",
    "For training, every anchor is compared with the objects: overlapping one well makes it foreground, hardly any "
    "overlap background, between it is ignored. Red objects have no anchor at all and will not be learned.",
    is_in_section("matching"),
    _headline,
    build_view,
    assignment_levels,
)
