"""The inspector: a report on the location, the object or the predicted box that was clicked."""

from typing import NamedTuple

import torch
from markupsafe import Markup

from core.errors import UserError
from playground.canvas.edit import Pick
from playground.canvas.view import TRUTH, Heat, Layer
from playground.components import html
from playground.inspector.detection import LAYER_FATES, build_detection_report, detection_layers, find_candidate
from playground.inspector.location import build_location_report
from playground.inspector.object import build_object_report, object_layers
from playground.inspector.rescue_report import report_detection, report_object
from playground.inspector.steering import build_steering_report
from playground.inspector.why import Asked, Why, explain_anchor, explain_candidate, explain_point
from playground.pipeline.pipeline import Pipeline
from playground.support.wording import name_knobs

HINT = "Click an object, a predicted box or any other point of the picture to see its anchors and what became of them."


class Inspection(NamedTuple):
    """A report as HTML, and layers and a heat map that illustrate it."""

    text: Markup
    layers: tuple[Layer, ...] = ()
    heat: Heat | None = None


def inspect(
    pipeline: Pipeline,
    pick: Pick | None,
    asked: Asked | None = None,
    *,
    rescued: bool = False,
    steering: bool = False,
) -> Inspection:
    """Returns the report on the last click; if the clicked box no longer exists, on the location alone.

    Args:
        pipeline: The picture under the settings.
        pick: The last click, None before any.
        asked: What the visitor wants to have explained of a prediction; None where nothing can be.
        rescued: True if the visitor wants to know what would undo a fault.
        steering: True to tell who steers at the place, too.
    """
    if pick is None:
        return Inspection(Markup('<p class="hint">{}</p>').format(HINT))
    try:
        seen = _inspect_pick(pipeline, pick, asked, rescued=rescued)
        steered = build_steering_report(pipeline, (pick.x, pick.y)) if steering else Markup()
        return seen._replace(text=steered + seen.text)
    except UserError as error:  # the rest of the step may need neither weights nor tiles
        return Inspection(html.paragraph(name_knobs(error)))


def _inspect_pick(pipeline: Pipeline, pick: Pick, asked: Asked | None, *, rescued: bool) -> Inspection:
    location = build_location_report(pipeline, (pick.x, pick.y))
    number = _find_object(pipeline, pick)
    if number is not None:
        report = report_object(pipeline, number) if rescued else Markup()
        anchor = _find_anchor(pipeline, pick)
        why = explain_anchor(pipeline, anchor, asked) if asked and anchor is not None else Why()
        report += build_object_report(pipeline, number) + why.text
        return Inspection(report + location, (*why.layers, *object_layers(pipeline, number)), why.heat)
    if pick.layer in (*LAYER_FATES, "before"):
        candidate = find_candidate(pipeline, pick.layer, pick.index)
        if candidate is not None:
            why = explain_candidate(pipeline, candidate, asked) if asked else Why()
            rescue = report_detection(pipeline, candidate) if rescued else Markup()
            report = build_detection_report(pipeline, candidate, rescue + why.text)
            layers = detection_layers(pipeline, candidate, suppressed=why.heat is None)  # they would cover the map
            return Inspection(report + location, (*why.layers, *layers), why.heat)
    why = explain_point(pipeline, (pick.x, pick.y), asked) if asked else Why()
    return Inspection(why.text + location, why.layers, why.heat)


def _find_object(pipeline: Pipeline, pick: Pick) -> int | None:
    """Returns the index of the object of which the box or an anchor was clicked, None if there is none."""
    if pick.layer == TRUTH:
        return pick.index if pick.index < len(pipeline.objects[0]) else None
    anchor = _find_anchor(pipeline, pick)
    return None if anchor is None else int(pipeline.match.object[anchor])


def _find_anchor(pipeline: Pipeline, pick: Pick) -> int | None:
    """Returns the foreground anchor that was clicked, None if none was."""
    if pick.layer not in ("foreground", "forced"):
        return None
    match = pipeline.match
    anchors = torch.nonzero(match.forced if pick.layer == "forced" else match.foreground & ~match.forced).squeeze(1)
    return int(anchors[pick.index]) if pick.index < len(anchors) else None
