"""The figure of robustness, with its table: scores by the strength of a change, or by a shift below the anchors."""

import math

from markupsafe import Markup

from core.retinanet.anchors import LEVELS
from core.retinanet.tiles import WHOLE
from core.robustness.changes import CHANGES
from core.robustness.survival import Survival
from playground.canvas.edit import Pick
from playground.components import html
from playground.components.dials import CHOICE, Dial
from playground.components.figures import PALETTE, Figure, lines
from playground.inspector.detection import count_strong, find_tile
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import ALIASING, Dials
from playground.steps.robustness.measured import Moved, find_place, move_below, survive
from playground.steps.step import Focus, StepText

TITLES = {
    "blur": "Blur",
    "noise": "Noise",
    "brightness": "Brightness",
    "jpeg": "JPEG compression",
    "rotation": "Rotation",
    "shift": "Shift of the picture",
    ALIASING: "Aliasing: shift below the anchors",
}
METHOD = (
    "The picture is changed and the whole pipeline runs again; a detection survives if one of its class overlaps its "
    "box, moved with the picture, with an IoU of 0.5 or more. A curve that falls early names what the network leans on."
)
ALIASES = (
    "The picture moves below the anchors, which stand still, a stride apart: nothing in it changes, and yet the score "
    "does, since each convolution with a stride answers at every other location only. After a whole stride the level's "
    "own cells see the same again; coarser levels that flow into it have longer strides."
)
ELSEWHERE = (
    "This box was found in a tile, or in the picture mirrored or resized. Its shift is measured in the whole picture "
    "as it is, where the box may have another score, or none. "
)
NOTHING = "There is no detection that could survive: lower the score threshold."


def robustness_dials(dials: Dials) -> tuple[Dial, ...]:
    """Returns the dial that chooses the change."""
    choices = tuple((title, key) for key, title in TITLES.items())
    return (Dial("change", "Change", CHOICE, dials.change, choices=choices),)


def robustness_text(pipeline: Pipeline, focus: Focus, chooser: Dial) -> StepText:
    """Returns the content beside the picture; raises as `survive`."""
    dials = (chooser, *robustness_dials(focus.dials))
    if focus.dials.change == ALIASING:
        return _aliasing_text(pipeline, focus.pick, dials)
    survivals = survive(pipeline, focus.dials.change)
    if not len(pipeline.fates.order):
        return StepText(html.paragraph(NOTHING), dials=dials)
    return StepText(_table(pipeline, survivals, focus.dials.change), _curves(pipeline, survivals, focus), dials=dials)


def robustness_figure(pipeline: Pipeline, focus: Focus) -> Figure | None:
    """Returns the figure alone, None without detections; raises as `survive`."""
    if not len(pipeline.fates.order):
        return None
    if focus.dials.change == ALIASING:
        moved = move_below(pipeline, focus.pick)
        return _aliasing_figure(pipeline, moved) if moved else None
    return _curves(pipeline, survive(pipeline, focus.dials.change), focus)


def _table(pipeline: Pipeline, survivals: tuple[Survival, ...], name: str) -> Markup:
    strong = count_strong(pipeline)
    rows = []
    for each in survivals:
        scores = each.score[:strong]
        inside = scores[~scores.isnan()]
        alive = inside[inside > 0]
        mean = f"{alive.mean().item():.2f}" if len(alive) else "–"
        name_of = f"{each.strength:g}{'' if each.strength else ' (as it is)'}"
        rows.append((name_of, f"{len(alive)} of {len(inside)}", mean, html.count(each.new)))
    columns = (CHANGES[name].unit, "drawn detections that survive", "their mean score", "other detections, new")
    table = html.table(html.Table(f"Robustness: {TITLES[name].lower()}", columns, tuple(rows)))
    return table + html.paragraph(METHOD)


def _curves(pipeline: Pipeline, survivals: tuple[Survival, ...], focus: Focus) -> Figure:
    """Returns a curve for the clicked detection and the best ones; 0 where it is lost."""
    name = focus.dials.change
    clicked = find_place(pipeline, focus.pick)
    places = [*([clicked] if clicked is not None else []), *(p for p in range(count_strong(pipeline)) if p != clicked)]
    strengths = [each.strength for each in survivals]
    curves = []
    for tint, place in zip(PALETTE, places, strict=False):
        scores = [each.score[place].item() for each in survivals]  # NaN, where it is outside, leaves a gap
        curves.append((_name(pipeline, place, is_clicked=place == clicked), tint, strengths, scores))
    return _bounded(lines(curves, title=f"Scores by {TITLES[name].lower()}", x=CHANGES[name].unit, y="score"))


def _aliasing_text(pipeline: Pipeline, pick: Pick | None, dials: tuple[Dial, ...]) -> StepText:
    moved = move_below(pipeline, pick)
    if moved is None:
        return StepText(html.paragraph(NOTHING), dials=dials)
    scores = [each.score for each in moved.shifted]
    inside = [each for each in scores if not math.isnan(each)]  # the first is
    facts = [
        ("detection", _name(pipeline, moved.place, is_clicked=False)),
        ("stride of its level", f"{abs(moved.shifted[-1].pixels)} px on {LEVELS[moved.level]}"),
        ("lowest score", f"{min(inside):.3f}"),
        ("highest score", f"{max(inside):.3f}"),
        ("after a whole stride", "outside" if math.isnan(scores[-1]) else f"{scores[-1]:.3f}"),
    ]
    candidate = int(pipeline.fates.order[moved.place])
    is_elsewhere = find_tile(pipeline, candidate) != WHOLE or pipeline.view_of(candidate)
    about = f"{ELSEWHERE if is_elsewhere else ''}{ALIASES} Click another detection for its own curve."
    return StepText(html.facts(facts) + html.paragraph(about), _aliasing_figure(pipeline, moved), dials=dials)


def _aliasing_figure(pipeline: Pipeline, moved: Moved) -> Figure:
    shifts = [abs(each.pixels) for each in moved.shifted]
    curves = [
        ("score", PALETTE[0], shifts, [each.score for each in moved.shifted]),
        ("IoU of that box", PALETTE[1], shifts, [each.iou for each in moved.shifted]),
    ]
    title = f"{_name(pipeline, moved.place, is_clicked=False)}, moved below the anchors of {LEVELS[moved.level]}"
    return _bounded(lines(curves, title=title, x="shift in pixels of the network's input", y="score, IoU"))


def _bounded(figure: Figure) -> Figure:
    figure["layout"]["yaxis"]["range"] = [0, 1.02]
    return figure


def _name(pipeline: Pipeline, place: int, *, is_clicked: bool) -> str:
    candidate = pipeline.fates.order[place]
    name = pipeline.network.class_names[int(pipeline.candidates.label[candidate])]
    return f"{name} {pipeline.fates.score[candidate]:.2f}{' (clicked)' if is_clicked else ''}"
