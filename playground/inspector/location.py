"""The inspector of a place: for each level the cell under a click, and of each of its anchors what became of it."""

from typing import NamedTuple

import torch
from markupsafe import Markup

from core.config import Loss, Matching
from core.retinanet.anchors import LEVELS, AnchorGrid
from core.retinanet.boxes import decode
from core.retinanet.matching import FOREGROUND, IGNORED
from core.retinanet.postprocess import BEYOND_CAP, KEPT
from playground.components import html
from playground.pipeline.pipeline import Pipeline

COLUMNS = ("anchor", "IoU", "is", "top class", "CE → loss", "share", "box it makes", "which is")


class AnchorFacts(NamedTuple):
    """One anchor of a picture and all that is known of it.

    Attributes:
        anchor: Its number among all anchors.
        box: Its box in the network's pixels.
        iou: With the object it overlaps most.
        label: foreground, ignored or background.
        why: Reason in a few words.
        object: Name of the object it answers for, "–" for none.
        top_class: Its best class.
        probability: Of that class.
        cross_entropy: Classification loss it would pay under cross-entropy.
        loss: What it pays under the chosen loss.
        share: Of the picture's classification loss.
        decoded: The box the network makes of it.
        outcome: What inference made of its best class.
    """

    anchor: int
    box: tuple[float, ...]
    iou: float
    label: str
    why: str
    object: str
    top_class: str
    probability: float
    cross_entropy: float
    loss: float
    share: float
    decoded: tuple[float, ...]
    outcome: str


def place_index(grid: AnchorGrid, level: int, point: tuple[float, float]) -> int:
    """Returns the place of a level, counted row by row, whose anchors are centred nearest to a point (x, y)."""
    (rows, columns), (down, across) = grid.grids[level], grid.strides[level]
    row = min(rows - 1, max(0, round(point[1] / down)))
    column = min(columns - 1, max(0, round(point[0] / across)))
    return row * columns + column


def anchors_at(grid: AnchorGrid, level: int, point: tuple[float, float]) -> range:
    """Returns the numbers of the anchors of the place of a level that is nearest to a point (x, y)."""
    first = sum(grid.counts[:level]) + place_index(grid, level, point) * grid.per_location
    return range(first, first + grid.per_location)


def place_report(pipeline: Pipeline, point: tuple[float, float]) -> Markup:
    """Returns a table of anchors for each level; the level with the best overlap is open."""
    cases = [cases_of(pipeline, anchors_at(pipeline.grid, level, point)) for level in range(len(LEVELS))]
    best = max(range(len(LEVELS)), key=lambda level: max(case.iou for case in cases[level]))
    text = html.heading(f"Anchors at {point[0]:.0f}, {point[1]:.0f}")
    for level, group in enumerate(cases):
        foreground = sum(case.label == "foreground" for case in group)
        summary = f"{LEVELS[level]}: best IoU {max(case.iou for case in group):.2f}, {foreground} foreground"
        body = html.table(html.Table("", COLUMNS, tuple(_row(case) for case in group)))
        text += html.details(summary, body, opened=level == best)
    return text


def cases_of(pipeline: Pipeline, anchors: range) -> list[AnchorFacts]:
    """Returns what is known of some anchors."""
    chosen = torch.tensor(list(anchors))
    match, outputs = pipeline.match, pipeline.prediction.outputs
    logits = outputs.logits[0][chosen]  # [A, K]
    probability, top = logits.sigmoid().max(dim=1)
    decoded = decode(outputs.deltas[0][chosen], pipeline.grid.boxes[chosen])
    paid, whole = pipeline.losses.classification[chosen], pipeline.losses.classification.sum().clamp(min=1e-12)
    entropy = pipeline.compute_losses(Loss(kind="cross_entropy")).classification[chosen]
    names, matching = pipeline.network.class_names, pipeline.config.matching
    return [
        AnchorFacts(
            anchor=anchor,
            box=tuple(pipeline.grid.boxes[anchor].tolist()),
            iou=match.iou[anchor].item(),
            label=_label(int(match.label[anchor])),
            why=_why(match.iou[anchor].item(), bool(match.forced[anchor]), matching, len(pipeline.objects[0])),
            object=_object(pipeline, anchor),
            top_class=names[int(top[row])],
            probability=probability[row].item(),
            cross_entropy=entropy[row].item(),
            loss=paid[row].item(),
            share=(paid[row] / whole).item(),
            decoded=tuple(decoded[row].tolist()),
            outcome=outcome_of(pipeline, anchor, int(top[row]), probability[row].item()),
        )
        for row, anchor in enumerate(anchors)
    ]


def _label(label: int) -> str:
    return {FOREGROUND: "foreground", IGNORED: "ignored"}.get(label, "background")


def _why(iou: float, forced: bool, matching: Matching, objects: int) -> str:
    if objects == 0:
        return "there is no object"
    if forced:
        return "forced: no anchor overlaps an object more"
    if iou >= matching.fg_iou_threshold:
        return f"from {matching.fg_iou_threshold:g}"
    if iou < matching.bg_iou_threshold:
        return f"below {matching.bg_iou_threshold:g}"
    return f"between {matching.bg_iou_threshold:g} and {matching.fg_iou_threshold:g}"


def _object(pipeline: Pipeline, anchor: int) -> str:
    if int(pipeline.match.label[anchor]) != FOREGROUND:
        return "–"
    number = int(pipeline.match.object[anchor])
    return f"{pipeline.picture.class_names[pipeline.objects[1][number]]} {number + 1}"


def outcome_of(pipeline: Pipeline, anchor: int, label: int, probability: float) -> str:
    """Returns in words what inference made of one anchor's score for one class."""
    threshold = pipeline.config.inference.score_threshold
    if not probability > threshold:
        return f"below the score threshold {threshold:g}"
    found, fates = pipeline.candidates, pipeline.fates
    here = torch.nonzero((found.anchor == anchor) & (found.label == label)).squeeze(1)
    if not len(here):
        return f"cut by top-K ({pipeline.config.inference.topk_candidates})"
    candidate = int(here[0])
    fate = int(fates.fate[candidate])
    if fate == KEPT:
        return "detection"
    if fate == BEYOND_CAP:
        return f"beyond the cap of {pipeline.config.inference.max_detections}"
    winner = int(pipeline.suppressors.index[candidate])
    names = pipeline.network.class_names
    if winner < 0:
        return "lowered below the threshold by soft NMS"
    iou = pipeline.suppressors.iou[candidate]
    return f"suppressed by {names[found.label[winner]]} {fates.score[winner]:.2f} (IoU {iou:.2f})"


def _row(case: AnchorFacts) -> tuple[str, ...]:
    return (
        _size(case.box),
        f"{case.iou:.2f}",
        f"{case.label} ({case.why})" if case.object == "–" else f"{case.label} for {case.object} ({case.why})",
        f"{case.top_class} {case.probability:.3f}",
        f"{case.cross_entropy:.3g} → {case.loss:.3g}",
        html.percent(case.share),
        ", ".join(f"{edge:.0f}" for edge in case.decoded),
        case.outcome,
    )


def _size(box: tuple[float, ...]) -> str:
    return f"{box[2] - box[0]:.0f}×{box[3] - box[1]:.0f}"
