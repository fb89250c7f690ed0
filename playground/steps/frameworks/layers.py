"""What differs from a framework, drawn on the picture: detections, anchors of one location, and assigned anchors."""

import torch
from torch import Tensor

from core.conventions.comparison import Comparison
from core.structures import Detections
from playground.canvas.edit import Pick
from playground.canvas.view import Layer
from playground.inspector.detection import DRAWN_FROM
from playground.inspector.location import find_anchors
from playground.pipeline.pipeline import Pipeline


def difference_layers(pipeline: Pipeline, comparison: Comparison, name: str, pick: Pick | None) -> tuple[Layer, ...]:
    """Returns the layers of a comparison, bottom to top; anchors and assignment are hidden at first.

    Args:
        pipeline: The picture under the settings.
        comparison: Of it with a framework.
        name: The framework's name.
        pick: The last click, at whose location the anchors are shown; None for the middle of the picture.
    """
    return (
        *_anchor_layers(pipeline, comparison, name, pick),
        *_assignment_layers(comparison, name),
        *_detection_layers(pipeline, comparison, name),
    )


def _anchor_layers(pipeline: Pipeline, comparison: Comparison, name: str, pick: Pick | None) -> tuple[Layer, ...]:
    """Returns the anchors of one location of P3 to P7 that differ, as here and as there."""
    height, width = pipeline.size
    point = (pick.x, pick.y) if pick else (width / 2, height / 2)
    grid, moved = pipeline.grid, comparison.difference.anchors.moved
    here = torch.cat([torch.arange(*_range(find_anchors(grid, level, point))) for level in range(len(grid.counts))])
    here = here[moved[here]]

    def anchors(key: str, label: str, colour: str, boxes: Tensor, *, dashed: bool) -> Layer:
        return Layer(key, label, colour, boxes[here].numpy(), dashed=dashed, width=1, visible=False)

    return (
        anchors("framework-anchors-here", "anchors of one location, here", "kept", grid.boxes, dashed=True),
        anchors("framework-anchors", f"… in {name}", "beyond_cap", comparison.there.anchors, dashed=False),
    )


def _range(found: range) -> tuple[int, int]:
    return found.start, found.stop


def _assignment_layers(comparison: Comparison, name: str) -> tuple[Layer, ...]:
    found = comparison.difference.assignment
    gained, lost = comparison.there.anchors[found.gained], comparison.here.anchors[found.lost]
    other = comparison.there.anchors[found.other_object]
    return (
        Layer("framework-gained", f"foreground in {name} alone", "foreground", gained.numpy(), visible=False),
        Layer("framework-lost-anchors", "foreground here alone", "background", lost.numpy(), visible=False),
        Layer("framework-other", f"of another object in {name}", "ignored", other.numpy(), visible=False),
    )


def _detection_layers(pipeline: Pipeline, comparison: Comparison, name: str) -> tuple[Layer, ...]:
    """Returns the detections: the same, changed as here and as there, lost and new; weak ones are not drawn."""
    here, there, found = comparison.here.detections, comparison.there.detections, comparison.difference.detections
    names = pipeline.network.class_names

    def layer(key: str, label: str, colour: str, of: Detections, chosen: Tensor, *, dashed: bool = False) -> Layer:
        strong = chosen[of.scores[chosen] >= DRAWN_FROM]
        scores = of.scores[strong]
        captions = tuple(
            f"{names[number]} {score:.2f}"
            for number, score in zip(of.labels[strong].tolist(), scores.tolist(), strict=True)
        )
        return Layer(
            key, label, colour, of.boxes[strong].numpy(), dashed=dashed, width=2, values=scores, captions=captions
        )

    same = found.here[~found.changed]
    return (
        layer("framework-same", "the same in both", "tile", here, same),
        layer("framework-here", "changed: here", "kept", here, found.here[found.changed], dashed=True),
        layer("framework-there", f"changed: {name}", "beyond_cap", there, found.there[found.changed]),
        layer("framework-lost", f"lost in {name}", "suppressed", here, found.lost),
        layer("framework-new", f"new in {name}", "before", there, found.new),
    )
