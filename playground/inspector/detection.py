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


def name_tile(tile: int) -> str:
    """Returns the name of a tile, or of the whole picture."""
    return "the whole picture" if tile == WHOLE else f"tile {tile + 1}"


def find_tile(pipeline: Pipeline, candidate: int) -> int:
    """Returns the index of the tile in which a predicted box was found, `WHOLE` for the whole picture."""
    tiles = pipeline.candidates.tile
    return WHOLE if tiles is None else int(tiles[candidate])


def build_detection_report(pipeline: Pipeline, candidate: int) -> Markup:
    """Returns the origin of a predicted box, its outcome, and the boxes that it suppressed."""
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
    return text + _build_suppressed_table(pipeline, candidate)


def _describe_origin(pipeline: Pipeline, candidate: int) -> list[tuple[str, str]]:
    """Returns the anchor of a predicted box, and the tile if the picture is seen in tiles."""
    found, tile = pipeline.candidates, find_tile(pipeline, candidate)
    anchor, level = int(found.anchor[candidate]), LEVELS[int(found.level[candidate])]
    box = pipeline.grid.boxes[anchor] if tile == WHOLE else pipeline.place_anchor(tile, anchor)[0]
    width, height = (box[2:] - box[:2]).tolist()
    origin = [("predicted from", f"{level}, {width:.0f}×{height:.0f} px anchor")]
    if not pipeline.tiles:
        return origin
    if tile == WHOLE:
        return [("seen in", name_tile(tile)), *origin]
    x1, y1, x2, y2 = pipeline.tiles[tile]
    return [("seen in", f"{name_tile(tile)} of {len(pipeline.tiles)}: x {x1}–{x2}, y {y1}–{y2}"), *origin]


def _describe_assignment(pipeline: Pipeline, candidate: int) -> list[tuple[str, str]]:
    """Returns the assignment of the anchor of a predicted box; anchors of tiles have none."""
    if find_tile(pipeline, candidate) != WHOLE:
        return []
    anchor = int(pipeline.candidates.anchor[candidate])
    facts = describe_anchors(pipeline, range(anchor, anchor + 1))[0]
    return [("its anchor is", f"{facts.label} ({facts.why})")]


def detection_layers(pipeline: Pipeline, candidate: int) -> tuple[Layer, ...]:
    """Returns the anchor of a predicted box, its tile, and the boxes that it suppressed."""
    found, tile = pipeline.candidates, find_tile(pipeline, candidate)
    number = int(found.anchor[candidate])
    anchor = pipeline.grid.boxes[number] if tile == WHOLE else pipeline.place_anchor(tile, number)[1]
    suppressed = pipeline.suppressors.candidate == candidate
    layers = (
        Layer("victims", f"{words_of(pipeline).lost} by it", "suppressed", found.box[suppressed].numpy(), width=1),
        Layer("inspected", "its anchor", "foreground", anchor[None].numpy(), dashed=True, width=2),
    )
    if tile == WHOLE:
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
            LEVELS[int(found.level[each])] + (f", {name_tile(find_tile(pipeline, each))}" if pipeline.tiles else ""),
        )
        for each in best
    )
    words = words_of(pipeline)
    columns = ("class", "score", words.measure, "from")
    return html.table(html.Table(words.gains.capitalize(), columns, rows, boxes=boxes))
