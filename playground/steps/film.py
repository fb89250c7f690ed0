"""The picture of a run: its detections in a held-out picture at each evaluation, and around a single step."""

import torch
from markupsafe import Markup
from torch import Tensor

from core.io.text import count_noun
from core.runs.snapshots import Snapshot
from core.runs.step_changes import StepChanges
from core.structures import Detections
from playground.canvas.view import Layer
from playground.components import html
from playground.data.picture import Picture
from playground.steps.step import objects_layer


def film_layers(picture: Picture, frame: Snapshot | None, before: Snapshot | None = None) -> tuple[Layer, ...]:
    """Returns the objects of a film's picture, and the detections of a frame if there is one.

    Where the assigner looks at what the network predicts, hidden layers show its foreground anchors: those that are
    the same as in the frame before, and those that are new.
    """
    truth = objects_layer(picture.sample.boxes, picture.sample.labels, picture.class_names)
    if not frame:
        return (truth,)
    found = _found_layer(frame.found, picture, "kept", f"found after step {frame.step}")
    if frame.assigned is None:
        return truth, found
    stayed = _find_stayed(frame, before)
    same, new = frame.assigned[stayed], frame.assigned[~stayed]
    return (
        truth,
        Layer("assigned", "foreground anchors, as before", "foreground", same, visible=False),
        Layer("assigned-new", "foreground anchors, new", "before", new, visible=False),
        found,
    )


def _find_stayed(frame: Snapshot, before: Snapshot | None) -> Tensor:
    """Returns which of a frame's foreground anchors the frame before has as well, bool [A]."""
    anchors = frame.assigned if frame.assigned is not None else torch.zeros(0, 4)
    if before is None or before.assigned is None:
        return torch.zeros(len(anchors), dtype=torch.bool)
    return (anchors[:, None] == before.assigned).all(dim=2).any(dim=1)


def describe_assigned(frame: Snapshot, before: Snapshot | None) -> Markup:
    """Returns how the assignment has changed since the frame before, nothing if no assigner looks at the outputs."""
    if frame.assigned is None:
        return Markup()
    number, stayed = len(frame.assigned), int(_find_stayed(frame, before).sum())
    text = f"After step {frame.step} SimOTA assigns {count_noun(number, 'anchor')} of this picture to objects"
    if before is not None and before.assigned is not None:
        given_up = len(before.assigned) - stayed
        text += f": {stayed} as after step {before.step}, {number - stayed} new, and {given_up} given up"
    return html.paragraph(f"{text}. Layers under the picture show them.")


def single_layers(picture: Picture, single: StepChanges) -> tuple[Layer, ...]:
    """Returns the objects of the picture, and the detections before and after a single step."""
    truth = objects_layer(picture.sample.boxes, picture.sample.labels, picture.class_names, visible=False)
    before = _found_layer(single.before, picture, "before", f"found before step {single.step}")
    after = _found_layer(single.after, picture, "kept", f"found after step {single.step}")
    return truth, before._replace(dashed=True), after


def _found_layer(found: Detections, picture: Picture, role: str, label: str) -> Layer:
    """Returns detections as a layer.

    Args:
        found: The detections, in the picture's pixels.
        picture: The picture, which has the classes of their labels.
        role: Key of the layer and role of its colour.
        label: Name in the legend.
    """
    names = picture.class_names
    known = [names[index] if 0 <= index < len(names) else f"class {index}" for index in found.labels.tolist()]
    captions = tuple(f"{name} {score:.2f}" for name, score in zip(known, found.scores.tolist(), strict=True))
    return Layer(role, label, role, found.boxes.numpy(), width=2, values=found.scores, captions=captions)
