"""The inspector of a predicted box: its anchor, its score, and which boxes it suppressed or was suppressed by."""

import torch
from markupsafe import Markup

from core.retinanet.anchors import LEVELS
from core.retinanet.postprocess import BEYOND_CAP, KEPT, SUPPRESSED
from core.retinanet.tiles import WHOLE
from playground.canvas.view import Layer
from playground.components import html
from playground.inspector.location import describe_anchors, describe_fate
from playground.inspector.overlaps import is_fusing, words_of
from playground.pipeline.pipeline import Pipeline

MAX_ROWS = 30
LAYER_FATES = {"kept": KEPT, "weaker": KEPT, "suppressed": SUPPRESSED, "beyond-cap": BEYOND_CAP}
DRAWN_FROM = 0.3  # score of a detection that is drawn at first, if there is any: below, boxes cover the picture


def count_strong(pipeline: Pipeline) -> int:
    """Returns how many of the detections, best first, have a score from `DRAWN_FROM`; all if none has."""
    scores = pipeline.fates.score[pipeline.fates.order]
    return int((scores >= DRAWN_FROM).sum()) or len(scores)


def find_candidate(pipeline: Pipeline, layer: str, index: int) -> int | None:
    """Returns the candidate behind a box in a layer of the detections step, None if there is no such box."""
    fates = pipeline.fates
    if layer == "before":
        candidates = torch.arange(len(fates.fate))
    elif layer == "kept":
        candidates = fates.order[: count_strong(pipeline)]
    elif layer == "weaker":
        candidates = fates.order[count_strong(pipeline) :]
    else:
        candidates = torch.nonzero(fates.fate == LAYER_FATES[layer]).squeeze(1)
    return int(candidates[index]) if 0 <= index < len(candidates) else None


def name_box_of(pipeline: Pipeline, place: int) -> str:
    """Returns the name of a detection's box on the picture, for `html.Table.boxes`, by its place, best first."""
    strong = count_strong(pipeline)
    return html.box_of("kept", place) if place < strong else html.box_of("weaker", place - strong)


def find_place_of(pipeline: Pipeline, candidate: int) -> int | None:
    """Returns the place of a candidate among the detections, best first; None if it is none."""
    places = torch.nonzero(pipeline.fates.order == candidate).flatten().tolist()
    return places[0] if places else None


def name_tile(tile: int) -> str:
    """Returns the name of a tile, or of the whole picture."""
    return "the whole picture" if tile == WHOLE else f"tile {tile + 1}"


def name_view(pipeline: Pipeline, view: int) -> str:
    """Returns the name of a view by its index."""
    scale, is_mirrored = pipeline.views[view]
    parts = [*(["mirrored"] if is_mirrored else []), *([] if scale == 1 else [f"{scale:g} times as large"])]
    return ", ".join(parts) or "as it is"


def name_sight(pipeline: Pipeline, candidate: int) -> str:
    """Returns in which tile and in which view a predicted box was found; "" if the picture is seen once and whole."""
    tile = [name_tile(find_tile(pipeline, candidate))] if pipeline.tiles else []
    view = [name_view(pipeline, pipeline.view_of(candidate))] if len(pipeline.views) > 1 else []
    return ", ".join([*tile, *view])


def find_tile(pipeline: Pipeline, candidate: int) -> int:
    """Returns the index of the tile in which a predicted box was found, `WHOLE` for the whole picture."""
    tiles = pipeline.candidates.tile
    return WHOLE if tiles is None else int(tiles[candidate])


def build_detection_report(pipeline: Pipeline, candidate: int, why: Markup) -> Markup:
    """Returns the origin of a predicted box, its outcome, its explanation `why`, and the boxes that it suppressed."""
    found, fates = pipeline.candidates, pipeline.fates
    name = pipeline.network.class_names[int(found.label[candidate])]
    suppressed = int((pipeline.suppressors.candidate == candidate).sum())
    text = html.heading(f"{name} {fates.score[candidate]:.2f}")
    text += html.facts(
        [
            *_describe_origin(pipeline, candidate),
            ("outcome", describe_fate(pipeline, candidate)),
            *_describe_assignment(pipeline, candidate),
            (words_of(pipeline).gains, html.count(suppressed)),
            *([("its own score", f"{found.score[candidate]:.2f}")] if is_fusing(pipeline) else []),
        ]
    )
    return text + why + _build_suppressed_table(pipeline, candidate)


def _describe_origin(pipeline: Pipeline, candidate: int) -> list[tuple[str, str]]:
    """Returns the anchor of a predicted box, and tile and view if the picture is seen more than once."""
    tile, level = find_tile(pipeline, candidate), LEVELS[int(pipeline.candidates.level[candidate])]
    box = pipeline.anchor_of(candidate)[0]
    width, height = (box[2:] - box[:2]).tolist()
    origin = [("predicted from", f"{level}, {width:.0f}×{height:.0f} px anchor")]
    if not (sight := name_sight(pipeline, candidate)):
        return origin
    if tile != WHOLE and pipeline.view_of(candidate) == 0:
        x1, y1, x2, y2 = pipeline.tiles[tile]
        sight = sight.replace(name_tile(tile), f"{name_tile(tile)} of {len(pipeline.tiles)}: x {x1}–{x2}, y {y1}–{y2}")
    return [("seen in" if pipeline.tiles else "seen", sight), *origin]


def _describe_assignment(pipeline: Pipeline, candidate: int) -> list[tuple[str, str]]:
    """Returns the assignment of the anchor of a predicted box; anchors of tiles and other views have none."""
    if find_tile(pipeline, candidate) != WHOLE or pipeline.view_of(candidate):
        return []
    anchor = int(pipeline.candidates.anchor[candidate])
    facts = describe_anchors(pipeline, range(anchor, anchor + 1))[0]
    return [("its anchor is", f"{facts.label} ({facts.why})")]


def detection_layers(pipeline: Pipeline, candidate: int, *, suppressed: bool) -> tuple[Layer, ...]:
    """Returns the anchor of a predicted box, its tile, and the boxes that it suppressed.

    Args:
        pipeline: The picture under the settings.
        candidate: Index of the predicted box.
        suppressed: True if the boxes that it suppressed are initially switched on.
    """
    found, tile = pipeline.candidates, find_tile(pipeline, candidate)
    anchor = pipeline.anchor_of(candidate)[1]
    victims, lost = pipeline.suppressors.candidate == candidate, f"{words_of(pipeline).lost} by it"
    layers = (
        Layer("victims", lost, "suppressed", found.box[victims].numpy(), width=1, visible=suppressed),
        Layer("inspected", "its anchor", "foreground", anchor[None].numpy(), dashed=True, width=2),
    )
    if tile == WHOLE or pipeline.view_of(candidate):
        return layers
    outline = pipeline.tile_boxes[tile : tile + 1]
    return (*layers, Layer("inspected-tile", "its tile", "tile", outline.numpy(), dashed=True, width=2))


def _build_suppressed_table(pipeline: Pipeline, candidate: int) -> Markup:
    found, suppressors = pipeline.candidates, pipeline.suppressors
    suppressed = torch.nonzero(suppressors.candidate == candidate).squeeze(1)
    if not len(suppressed):
        return Markup()
    best = suppressed[found.score[suppressed].argsort(descending=True)][:MAX_ROWS].tolist()
    names = pipeline.network.class_names
    boxes = tuple(html.place_of(found.box[each].tolist()) for each in best)
    rows = tuple(
        (
            names[found.label[each]],
            f"{found.score[each]:.2f}",
            f"{suppressors.overlap[each]:.2f}",
            ", ".join(filter(None, (LEVELS[int(found.level[each])], name_sight(pipeline, each)))),
        )
        for each in best
    )
    words = words_of(pipeline)
    columns = ("class", "score", words.measure, "from")
    return html.table(html.Table(words.gains.capitalize(), columns, rows, boxes=boxes))
