"""The anchor whose regression is shown: its box to predict, and the deltas that it has to predict and predicts."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.analysis.box_coding import Decoded, decode_one
from core.errors import UserError
from core.retinanet.assigners.match import IGNORED
from core.retinanet.boxes import encode
from playground.canvas.edit import Pick
from playground.canvas.view import TRUTH
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import Dials
from playground.support.wording import hide_server

ANCHOR_LAYERS = ("foreground", "forced")


class Example(NamedTuple):
    """An anchor, the box that it has to predict, and what it predicts; boxes in pixels of the resized picture.

    Attributes:
        anchor: Its index.
        object: Index of its object.
        label: foreground, ignored or background.
        anchor_box: [4].
        target_box: [4], that of the object, or the one that the visitor has dragged it to.
        target: [4], the deltas that give the target box.
        predicted: [4], the deltas of the network, or those that the visitor has chosen.
        decoded: The box that they give.
        is_moved: True if the visitor has dragged the target box.
        is_chosen: True if the visitor has chosen the predicted deltas.
        problem: Why the network predicts nothing, "" if it does.
    """

    anchor: int
    object: int
    label: str
    anchor_box: Tensor
    target_box: Tensor
    target: Tensor
    predicted: Tensor
    decoded: Decoded
    is_moved: bool
    is_chosen: bool
    problem: str


def make_example(pipeline: Pipeline, pick: Pick | None, dials: Dials) -> Example:
    """Returns the anchor that was clicked, or the best one of the object that was clicked, or of the first object.

    Args:
        pipeline: The picture under the settings.
        pick: The last click.
        dials: Their values.

    Raises:
        UserError: The picture has no objects.
    """
    if not len(pipeline.objects[0]):
        raise UserError("This picture has no objects, so that no anchor has a box to predict: choose one with objects.")
    anchor, number = _find(pipeline, pick)
    anchor_box, target_box = pipeline.grid.boxes[anchor], pipeline.objects[0][number]
    moved, chosen = (each if each and each.anchor == anchor else None for each in (dials.box, dials.deltas))
    if moved:
        target_box = torch.tensor(moved.values)
    predicted, problem = _predict(pipeline, anchor)
    if chosen:
        predicted = torch.tensor(chosen.values)
    return Example(
        anchor=anchor,
        object=number,
        label=_label(pipeline, anchor),
        anchor_box=anchor_box,
        target_box=target_box,
        target=encode(target_box[None], anchor_box[None])[0],
        predicted=predicted,
        decoded=decode_one(predicted, anchor_box, *pipeline.size),
        is_moved=moved is not None,
        is_chosen=chosen is not None,
        problem="" if chosen else problem,
    )


def _find(pipeline: Pipeline, pick: Pick | None) -> tuple[int, int]:
    """Returns the anchor to show and its object."""
    match = pipeline.match
    if pick and pick.layer in ANCHOR_LAYERS:
        anchors = torch.nonzero(match.forced if pick.layer == "forced" else match.foreground & ~match.forced).squeeze(1)
        if pick.index < len(anchors):
            anchor = int(anchors[pick.index])
            return anchor, int(match.object[anchor])
    number = pick.index if pick and pick.layer == TRUTH and pick.index < len(match.best_anchor) else 0
    assigned = torch.nonzero(match.foreground & (match.object == number)).squeeze(1)
    if len(assigned):
        return int(assigned[match.iou[assigned].argmax()]), number
    return int(match.best_anchor[number]), number


def _label(pipeline: Pipeline, anchor: int) -> str:
    if bool(pipeline.match.foreground[anchor]):
        return "foreground"
    return "ignored" if int(pipeline.match.label[anchor]) == IGNORED else "background"


def _predict(pipeline: Pipeline, anchor: int) -> tuple[Tensor, str]:
    """Returns the deltas [4] that the network predicts, or zeros and why there are none."""
    try:
        return pipeline.prediction.outputs.deltas[0][anchor].clone(), ""
    except UserError as error:
        return torch.zeros(4), hide_server(str(error))
