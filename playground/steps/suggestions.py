"""Suggestions: what the present weights propose for the objects of a visitor's own picture."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.retinanet.boxes import rescale
from core.weights.sources import WeightsError
from playground.albums.album import Album, AlbumPicture
from playground.canvas.view import SUGGESTIONS, Layer
from playground.pipeline.knowledge import knowledge_of
from playground.pipeline.pipeline import Pipeline
from playground.pipeline.proposals import Proposals, index_names, known_classes, propose
from playground.steps.step import Editing, Suggesting
from playground.support.names import next_colour


class Suggestions(NamedTuple):
    """How a picture can be edited, and the suggested boxes, None for none."""

    editing: Editing
    layer: Layer | None


def is_suggesting(choice: Suggesting, pipeline: Pipeline, album: Album) -> bool:
    """True if boxes are suggested; raises as `knowledge_of`."""
    if choice.on is not None:
        return choice.on
    return bool(known_classes(knowledge_of(pipeline.config).class_names, album.class_names))


def build_suggestions(choice: Suggesting, pipeline: Pipeline, album: Album, picture: AlbumPicture) -> Suggestions:
    """Returns how a picture of an album can be edited, with what the weights suggest if they fit the settings."""
    factor_x, factor_y = pipeline.batch.factors[0, :2].tolist()
    rejected = rescale(torch.tensor(picture.rejected).reshape(-1, 4), 1 / factor_x, 1 / factor_y)
    editing = Editing(album.class_names, album.class_colours, rejected, _offer_names(pipeline))
    try:
        if not is_suggesting(choice, pipeline, album):
            return Suggestions(editing, None)
        found = propose(pipeline, choice.above, pipeline.objects[0], rejected)
    except WeightsError:
        return Suggestions(editing, None)
    classes, indices = index_names(found.names, album.class_names)
    colours = list(album.class_colours)
    while len(colours) < len(classes):
        colours.append(next_colour(colours))
    layer = _draw_layer(found, torch.tensor(indices, dtype=torch.int64))
    return Suggestions(editing._replace(classes=classes, class_colours=tuple(colours)), layer)


def _draw_layer(found: Proposals, labels: Tensor) -> Layer:
    """Returns proposals as a layer, but for those without a label: −1."""
    kept = labels >= 0
    named = zip(found.names, found.scores.tolist(), kept.tolist(), strict=True)
    return Layer(
        SUGGESTIONS,
        "suggestions",
        "kept",
        found.boxes[kept].numpy(),
        dashed=True,
        values=found.scores[kept],
        captions=tuple(f"{name} {score:.2f}" for name, score, has_label in named if has_label),
        labels=labels[kept],
    )


def _offer_names(pipeline: Pipeline) -> tuple[str, ...]:
    """Returns the names that are offered for a new class: those that the weights know."""
    try:
        return knowledge_of(pipeline.config).class_names
    except WeightsError:
        return ()
