"""The explanation of a prediction in the inspector: its importance map and its effective receptive field."""

from typing import NamedTuple

import torch
from markupsafe import Markup

from core.errors import UserError
from core.explain.maps import FEATURES, PIXELS
from core.explain.target import BOX, CLASS, Target
from core.retinanet.anchors import LEVELS
from core.retinanet.tiles import WHOLE
from playground.canvas.view import Heat, Layer
from playground.components import html
from playground.inspector.detection import find_tile
from playground.inspector.explanation import Explanation, explain
from playground.inspector.location import find_anchors
from playground.pipeline.pipeline import Pipeline
from playground.support.wording import name_knobs

WHY, WHY_AT, WHY_OF = "why", "why_at", "why_of"  # names of the dials, fields of `playground.steps.dials.Dials`
TITLE = "Why this box"
CLASSES = 8  # of which the logits are offered
ELSEWHERE = (
    "The box was found in a tile, or in the picture mirrored or resized. What a box rests on is drawn for those of the "
    "whole picture as it is."
)
METHOD = {
    (CLASS, PIXELS): "One backward pass gives the slope of the class logit at every pixel; where it is steep and the "
    "picture has detail, the map is bright: without that detail the logit would be another.",
    (CLASS, FEATURES): "One backward pass gives the slope of the class logit at every feature of its pyramid level; "
    "slope times feature, summed over the channels, tells which cells the class subnet looks at.",
    (BOX, PIXELS): "One backward pass gives the slope of the four deltas, which move the box away from its anchor, at "
    "every pixel; bright places decide where the box goes, often its edges.",
    (BOX, FEATURES): "One backward pass gives the slope of the four deltas, which move the box away from its anchor, "
    "at every feature of its pyramid level; bright cells decide where the box goes.",
}
SEES = (
    "The purple frames are its effective receptive field: the inner one holds half of what can change the number, the "
    "outer one 95%; compare them with the anchor."
)


class Asked(NamedTuple):
    """The choice of the visitor: which output is explained, and on which map.

    Attributes:
        part: `CLASS` or `BOX`, "" for nothing.
        place: `PIXELS` or `FEATURES`.
        of: Index of the class whose logit is explained; −1 for the surest one, or that of the clicked box.
    """

    part: str
    place: str
    of: int = -1


class Why(NamedTuple):
    """The explanation of a prediction as HTML, layers and a map."""

    text: Markup = Markup()
    layers: tuple[Layer, ...] = ()
    heat: Heat | None = None


def explain_candidate(pipeline: Pipeline, candidate: int, asked: Asked) -> Why:
    """Returns the explanation of a predicted box, with its buttons; why there is none for one of a tile or a view."""
    if find_tile(pipeline, candidate) != WHOLE or pipeline.view_of(candidate):
        return Why(html.paragraph(ELSEWHERE)) if asked.part else Why()
    found = pipeline.candidates
    return _explain(pipeline, int(found.anchor[candidate]), int(found.label[candidate]), asked)


def explain_anchor(pipeline: Pipeline, anchor: int, asked: Asked) -> Why:
    """Returns the explanation of an anchor, with the buttons that choose it; the network's surest class by default."""
    return _explain(pipeline, anchor, int(pipeline.prediction.outputs.logits[0][anchor].argmax()), asked)


def explain_point(pipeline: Pipeline, point: tuple[float, float], asked: Asked) -> Why:
    """Returns the explanation of the surest prediction at a point (x, y), with the buttons that choose it."""
    anchors = torch.cat([torch.tensor(find_anchors(pipeline.grid, level, point)) for level in range(len(LEVELS))])
    logits = pipeline.prediction.outputs.logits[0][anchors]  # [5 · A, K]
    row, label = divmod(int(logits.argmax()), logits.shape[1])
    if 0 <= asked.of < logits.shape[1]:
        row, label = int(logits[:, asked.of].argmax()), asked.of
    anchor = int(anchors[row])
    why = _explain(pipeline, anchor, label, asked)
    if why.heat is None:
        return why
    boxes = pipeline.grid.boxes[anchor : anchor + 1].numpy()
    return why._replace(
        layers=(*why.layers, Layer("inspected", "its anchor", "foreground", boxes, dashed=True, width=2))
    )


def _explain(pipeline: Pipeline, anchor: int, label: int, asked: Asked) -> Why:
    label = asked.of if 0 <= asked.of < len(pipeline.network.class_names) else label
    buttons = _build_buttons(asked) + _build_classes(pipeline, anchor, label, asked)
    if not asked.part:
        return Why(buttons)
    try:
        found = explain(pipeline, Target(anchor, label, asked.part))
    except UserError as error:
        return Why(buttons + html.paragraph(name_knobs(error)))
    text = buttons + _describe(pipeline, found, anchor, label, asked)
    return Why(text, _field_layers(found), _draw_map(pipeline, found, asked))


def _build_buttons(asked: Asked) -> Markup:
    """Returns the choice of what is explained, and where."""
    parts = (("not drawn", ""), ("its class", CLASS), ("its box", BOX))
    places = (("at the pixels", PIXELS), ("at the features of its level", FEATURES))
    text = html.heading(f"{TITLE}?")
    text += html.tabs(TITLE, [html.dial(text, WHY, part, on=asked.part == part) for text, part in parts])
    if not asked.part:
        return text
    return text + html.tabs(
        "Where", [html.dial(text, WHY_AT, place, on=asked.place == place) for text, place in places]
    )


def _build_classes(pipeline: Pipeline, anchor: int, label: int, asked: Asked) -> Markup:
    """Returns the choice of the class whose logit is explained: the surest ones of the anchor."""
    names = pipeline.network.class_names
    if asked.part != CLASS or len(names) == 1:
        return Markup()
    best = pipeline.prediction.outputs.logits[0][anchor].topk(min(CLASSES, len(names))).indices.tolist()
    listed = best if label in best else [*best, label]
    return html.tabs("Class", [html.dial(names[each], WHY_OF, str(each), on=each == label) for each in listed])


def _describe(pipeline: Pipeline, found: Explanation, anchor: int, label: int, asked: Asked) -> Markup:
    """Returns what is explained in numbers, and two sentences on how."""
    x1, y1, x2, y2 = pipeline.grid.boxes[anchor].tolist()
    name = pipeline.network.class_names[label]
    what = f"{name}," if asked.part == CLASS else "length"
    facts = [
        ("class logit" if asked.part == CLASS else "its four deltas", f"{what} {html.number(found.value, '.2f')}"),
        ("anchor", f"{LEVELS[found.level]}, {x2 - x1:.0f}×{y2 - y1:.0f} px"),
        ("half of what it sees", _size(found.half)),
        ("95% of what it sees", _size(found.most)),
    ]
    return html.facts(facts) + html.paragraph(METHOD[asked.part, asked.place]) + html.paragraph(SEES)


def _size(box: tuple[int, int, int, int] | None) -> str:
    return f"{box[2] - box[0]}×{box[3] - box[1]} px" if box else "nothing"


def _field_layers(found: Explanation) -> tuple[Layer, ...]:
    """Returns the two boxes of the effective receptive field, none without a gradient."""
    boxes = (
        ("sees-most", "95% of what it sees", found.most, 1.0),
        ("sees-half", "half of what it sees", found.half, 2.0),
    )
    return tuple(
        Layer(key, label, "before", torch.tensor([box], dtype=torch.float32), width=width)
        for key, label, box, width in boxes
        if box
    )


def _draw_map(pipeline: Pipeline, found: Explanation, asked: Asked) -> Heat:
    """Returns the map, scaled by its maximum."""
    height, width = pipeline.batch.pixels.shape[-2:]
    values = found.features if asked.place == FEATURES else found.pixels
    side = -(-width // values.shape[1]) if asked.place == PIXELS else 0  # pixels of a cell; the last may reach beyond
    extent = (0.0, 0.0, float(side * values.shape[1] or width), float(side * values.shape[0] or height))
    what = "class logit" if asked.part == CLASS else "box"
    where = f"features of {LEVELS[found.level]}" if asked.place == FEATURES else "pixels"
    scale = values.max().clamp(min=1e-9)
    return Heat("why", f"what its {what} rests on, {where}", (values / scale).numpy(), extent, scale=scale.item())
