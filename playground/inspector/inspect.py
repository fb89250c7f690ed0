"""The inspector: what a click on the picture tells of the place, the object or the predicted box under it."""

from typing import NamedTuple

import torch

from core.weights.architecture import WeightsError
from playground.canvas.edit import Pick
from playground.canvas.view import TRUTH, Layer
from playground.components import html
from playground.inspector.detection import LAYER_FATES, candidate_of, detection_layers, detection_report
from playground.inspector.location import place_report
from playground.inspector.object import object_layers, object_report
from playground.pipeline.pipeline import Situation

HINT = "Click the picture: an object, a predicted box, or any place tells what became of it."


class Inspection(NamedTuple):
    """What a click tells: HTML, and layers over the picture."""

    text: str
    layers: tuple[Layer, ...] = ()


def inspect(situation: Situation, pick: Pick | None) -> Inspection:
    """Returns what there is to say of the last click; one on what is there no more tells the place."""
    if pick is None:
        return Inspection(f'<p class="hint">{HINT}</p>')
    try:
        return _of_pick(situation, pick)
    except WeightsError as error:  # what the weights cannot say leaves the rest of the step as it is
        return Inspection(html.paragraph(str(error)))


def _of_pick(situation: Situation, pick: Pick) -> Inspection:
    place = place_report(situation, (pick.x, pick.y))
    number = _object_of(situation, pick)
    if number is not None:
        return Inspection(object_report(situation, number) + place, object_layers(situation, number))
    if pick.layer in (*LAYER_FATES, "before"):
        candidate = candidate_of(situation, pick.layer, pick.index)
        if candidate is not None:
            return Inspection(detection_report(situation, candidate) + place, detection_layers(situation, candidate))
    return Inspection(place)


def _object_of(situation: Situation, pick: Pick) -> int | None:
    """Returns the object that was clicked, itself or one of its anchors, None if none was."""
    match = situation.match
    if pick.layer == TRUTH:
        return pick.index if pick.index < len(situation.objects[0]) else None
    if pick.layer not in ("foreground", "forced"):
        return None
    shown = torch.nonzero(match.forced if pick.layer == "forced" else match.foreground & ~match.forced).squeeze(1)
    return int(match.object[shown[pick.index]]) if pick.index < len(shown) else None
