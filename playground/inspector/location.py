"""The inspector of a location: for each level, the anchors at the clicked cell and what became of them."""

from typing import NamedTuple

import torch
from markupsafe import Markup

from core.config import IOU_TARGETS, Loss
from core.io.text import typeset_numbers
from core.retinanet.anchors import LEVELS, AnchorGrid
from core.retinanet.assigners.match import FOREGROUND, IGNORED
from core.retinanet.boxes import decode
from core.retinanet.postprocess import BEYOND_CAP, KEPT
from core.retinanet.tiles import WHOLE
from playground.components import html
from playground.inspector.overlaps import words_of
from playground.inspector.reasons import explain_anchors, name_object
from playground.pipeline.pipeline import Pipeline

COLUMNS = ("anchor", "IoU", "assigned", "top class", "CE → loss", "share", "predicted box", "outcome")


class AnchorFacts(NamedTuple):
    """An anchor of the picture: its assignment, its losses and its prediction.

    Attributes:
        anchor: Its index among all anchors.
        box: x1, y1, x2, y2 in the resized picture's pixels.
        iou: IoU with the object that it is assigned to, or else with the one that it overlaps most.
        label: foreground, ignored or background.
        why: The reason for that in a few words.
        object: Name of the object that it is assigned to, "–" for none.
        target: What the score of the object's class has to be; None if that is 1, or for no object.
        top_class: The class with its highest score.
        probability: That score.
        cross_entropy: Its classification loss under cross-entropy.
        loss: Its classification loss under the chosen loss.
        share: Its share of the picture's classification loss.
        decoded: The box that the network predicts from it.
        outcome: What post-processing does with the score of its top class.
    """

    anchor: int
    box: tuple[float, ...]
    iou: float
    label: str
    why: str
    object: str
    target: float | None
    top_class: str
    probability: float
    cross_entropy: float
    loss: float
    share: float
    decoded: tuple[float, ...]
    outcome: str


def find_location(grid: AnchorGrid, level: int, point: tuple[float, float]) -> int:
    """Returns the location of a level, counted row by row, whose anchors are centred closest to a point (x, y)."""
    (rows, columns), (down, across) = grid.grids[level], grid.strides[level]
    row = min(rows - 1, max(0, round(point[1] / down)))
    column = min(columns - 1, max(0, round(point[0] / across)))
    return row * columns + column


def find_anchors(grid: AnchorGrid, level: int, point: tuple[float, float]) -> range:
    """Returns the indices of the anchors at the location of a level that is closest to a point (x, y)."""
    first = sum(grid.counts[:level]) + find_location(grid, level, point) * grid.per_location
    return range(first, first + grid.per_location)


def build_location_report(pipeline: Pipeline, point: tuple[float, float]) -> Markup:
    """Returns a table of the anchors at a point for each level; that of the level with the best IoU is open."""
    levels = [describe_anchors(pipeline, find_anchors(pipeline.grid, level, point)) for level in range(len(LEVELS))]
    best = max(range(len(LEVELS)), key=lambda level: max(anchor.iou for anchor in levels[level]))
    where = " in the whole picture" if pipeline.is_tiled else ""
    text = html.heading(f"Anchors at {point[0]:.0f}, {point[1]:.0f}{where}")
    for level, anchors in enumerate(levels):
        foreground = sum(anchor.label == "foreground" for anchor in anchors)
        summary = f"{LEVELS[level]}: best IoU {max(anchor.iou for anchor in anchors):.2f}, {foreground} foreground"
        boxes = tuple(html.place_of(anchor.box) for anchor in anchors)
        body = html.table(html.Table("", COLUMNS, tuple(map(_build_row, anchors)), boxes=boxes))
        text += html.details(summary, body, opened=level == best)
    return text


def describe_anchors(pipeline: Pipeline, anchors: range) -> list[AnchorFacts]:
    """Returns the facts of some anchors."""
    chosen = torch.tensor(list(anchors))
    match, outputs = pipeline.match, pipeline.prediction.outputs
    logits = outputs.logits[0][chosen]  # [A, K]
    probability, top = logits.sigmoid().max(dim=1)
    decoded = decode(outputs.deltas[0][chosen], pipeline.grid.boxes[chosen])
    losses, total = pipeline.losses.classification[chosen], pipeline.losses.classification.sum().clamp(min=1e-12)
    entropy = pipeline.compute_losses(Loss(kind="cross_entropy")).classification[chosen]
    names, reasons = pipeline.network.class_names, explain_anchors(pipeline, chosen)
    return [
        AnchorFacts(
            anchor=anchor,
            box=tuple(pipeline.grid.boxes[anchor].tolist()),
            iou=match.iou[anchor].item(),
            label=_label(int(match.label[anchor])),
            why=reasons[row],
            object=_object_name(pipeline, anchor),
            target=_find_target(pipeline, anchor),
            top_class=names[int(top[row])],
            probability=probability[row].item(),
            cross_entropy=entropy[row].item(),
            loss=losses[row].item(),
            share=(losses[row] / total).item(),
            decoded=tuple(decoded[row].tolist()),
            outcome=describe_outcome(pipeline, anchor, int(top[row]), probability[row].item()),
        )
        for row, anchor in enumerate(anchors)
    ]


def _label(label: int) -> str:
    return {FOREGROUND: "foreground", IGNORED: "ignored"}.get(label, "background")


def _object_name(pipeline: Pipeline, anchor: int) -> str:
    if int(pipeline.match.label[anchor]) != FOREGROUND:
        return "–"
    return name_object(pipeline, int(pipeline.match.object[anchor]))


def _find_target(pipeline: Pipeline, anchor: int) -> float | None:
    if pipeline.config.loss.kind not in IOU_TARGETS or int(pipeline.match.label[anchor]) != FOREGROUND:
        return None
    return pipeline.predicted_ious[int(pipeline.match.foreground[:anchor].sum())].item()


def describe_outcome(pipeline: Pipeline, anchor: int, label: int, probability: float) -> str:
    """Returns in words what post-processing does with the score of an anchor of the whole picture for a class."""
    threshold = pipeline.config.inference.score_threshold
    if not probability > threshold:
        return f"below the score threshold {threshold:g}"
    found = pipeline.candidates
    same = (found.anchor == anchor) & (found.label == label)
    if found.tile is not None:
        same &= found.tile == WHOLE
    if found.view is not None:
        same &= found.view == 0
    matches = torch.nonzero(same).squeeze(1)
    if not len(matches):
        return f"cut by top-K ({pipeline.config.inference.topk_candidates})"
    return describe_fate(pipeline, int(matches[0]))


def describe_fate(pipeline: Pipeline, candidate: int) -> str:
    """Returns in words what NMS and the cap do with a candidate."""
    found, fates = pipeline.candidates, pipeline.fates
    fate = int(fates.fate[candidate])
    if fate == KEPT:
        return "detection"
    if fate == BEYOND_CAP:
        return f"beyond the cap of {pipeline.config.inference.max_detections}"
    winner = int(pipeline.suppressors.candidate[candidate])
    names = pipeline.network.class_names
    if winner < 0:
        return "lowered below the threshold by soft NMS"
    words, overlap = words_of(pipeline), pipeline.suppressors.overlap[candidate]
    return f"{words.to} {names[found.label[winner]]} {fates.score[winner]:.2f} ({words.measure} {overlap:.2f})"


def _build_row(anchor: AnchorFacts) -> tuple[str, ...]:
    assigned = anchor.label if anchor.object == "–" else f"{anchor.label} for {anchor.object}"
    target = "" if anchor.target is None else f"; target {anchor.target:.2f}"
    return (
        _format_size(anchor.box),
        f"{anchor.iou:.2f}",
        f"{assigned} ({anchor.why}{target})",
        f"{anchor.top_class} {anchor.probability:.3f}",
        typeset_numbers(f"{anchor.cross_entropy:.3g} → {anchor.loss:.3g}"),
        html.percent(anchor.share),
        ", ".join(f"{edge:.0f}" for edge in anchor.decoded),
        anchor.outcome,
    )


def _format_size(box: tuple[float, ...]) -> str:
    return f"{box[2] - box[0]:.0f}×{box[3] - box[1]:.0f}"
