"""The inspector: what a click on the picture tells of the place, the object or the predicted box under it."""

from typing import NamedTuple

import torch
from markupsafe import Markup

from core.weights.architecture import WeightsError
from playground.canvas.edit import Pick
from playground.canvas.view import TRUTH, Layer
from playground.components import html
from playground.inspector.detection import LAYER_FATES, candidate_of, detection_layers, detection_report
from playground.inspector.location import place_report
from playground.inspector.object import object_layers, object_report
from playground.pipeline.pipeline import Pipeline

HINT = "Click the picture: an object, a predicted box, or any place tells what became of it."


class Inspection(NamedTuple):
    """What a click tells: HTML, and layers over the picture."""

    text: Markup
    layers: tuple[Layer, ...] = ()


def inspect(pipeline: Pipeline, pick: Pick | None) -> Inspection:
    """Returns what there is to say of the last click; one on what is there no more tells the place."""
    if pick is None:
        return Inspection(Markup('<p class="hint">{}</p>').format(HINT))
    try:
        return _of_pick(pipeline, pick)
    except WeightsError as error:  # what the weights cannot say leaves the rest of the step as it is
        return Inspection(html.paragraph(str(error)))


def _of_pick(pipeline: Pipeline, pick: Pick) -> Inspection:
    place = place_report(pipeline, (pick.x, pick.y))
    number = _object_of(pipeline, pick)
    if number is not None:
        return Inspection(object_report(pipeline, number) + place, object_layers(pipeline, number))
    if pick.layer in (*LAYER_FATES, "before"):
        candidate = candidate_of(pipeline, pick.layer, pick.index)
        if candidate is not None:
            return Inspection(detection_report(pipeline, candidate) + place, detection_layers(pipeline, candidate))
    return Inspection(place)


def _object_of(pipeline: Pipeline, pick: Pick) -> int | None:
    """Returns the object that was clicked, itself or one of its anchors, None if none was."""
    match = pipeline.match
    if pick.layer == TRUTH:
        return pick.index if pick.index < len(pipeline.objects[0]) else None
    if pick.layer not in ("foreground", "forced"):
        return None
    shown = torch.nonzero(match.forced if pick.layer == "forced" else match.foreground & ~match.forced).squeeze(1)
    return int(match.object[shown[pick.index]]) if pick.index < len(shown) else None
