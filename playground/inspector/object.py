"""The inspector of an object: which anchors answer for it, or why none does and which setting would help."""

import math

import torch
from markupsafe import Markup

from core.config import knobs
from core.retinanet.anchors import LEVELS
from core.retinanet.matching import match_anchors
from playground.canvas.view import Layer
from playground.components import html
from playground.pipeline.pipeline import Pipeline

OCTAVE = 2 ** (1 / 3)  # a size this much off still overlaps well
STRETCH = 1.6  # a shape this much off does not


def object_report(pipeline: Pipeline, number: int) -> Markup:
    """Returns what became of an object of the picture, counted from 0."""
    match, boxes = pipeline.match, pipeline.objects[0]
    x1, y1, x2, y2 = boxes[number].tolist()
    name = pipeline.picture.class_names[pipeline.objects[1][number]]
    mine = match.foreground & (match.object == number)
    iou, best = match.best_iou[number].item(), int(match.best_anchor[number])
    level = pipeline.grid.level
    text = html.heading(f"{name} {number + 1}")
    text += html.facts(
        [
            ("size", f"{x2 - x1:.0f}×{y2 - y1:.0f} px"),
            ("anchors of it", html.count(int(mine.sum()))),
            ("of them forced", html.count(int((mine & match.forced).sum()))),
            ("best IoU", f"{iou:.2f} on {LEVELS[int(level[best])]}"),
        ]
    )
    rows = tuple(
        (LEVELS[each], html.count(int((mine & (level == each)).sum())), _best_on(pipeline, mine & (level == each)))
        for each in range(len(LEVELS))
        if bool((mine & (level == each)).any())
    )
    if rows:
        return (
            text
            + html.table(html.Table("Its anchors", ("level", "anchors", "best IoU"), rows))
            + _weak(pipeline, number, iou, forced_only=bool((match.forced[mine]).all()))
        )
    return text + html.paragraph("No anchor answers for it, so it trains nothing. " + remedy(pipeline, number, iou))


def object_layers(pipeline: Pipeline, number: int) -> tuple[Layer, ...]:
    """Returns the anchors that answer for an object."""
    mine = pipeline.match.foreground & (pipeline.match.object == number)
    boxes = pipeline.grid.boxes[mine]
    return (Layer("inspected", "its anchors", "foreground", boxes.numpy(), values=pipeline.match.iou[mine]),)


def _best_on(pipeline: Pipeline, where: torch.Tensor) -> str:
    return f"{pipeline.match.iou[where].max().item():.2f}"


def _weak(pipeline: Pipeline, number: int, iou: float, *, forced_only: bool) -> Markup:
    if not forced_only:
        return Markup()
    return html.paragraph("It has only what is forced on it. " + remedy(pipeline, number, iou))


def remedy(pipeline: Pipeline, number: int, iou: float) -> str:
    """Returns why an object gets no anchor by its overlap, and settings that would change that, in sentences."""
    matching = pipeline.config.matching
    if iou >= matching.fg_iou_threshold:
        return _taken(pipeline, number)
    reasons = [f"Its best anchor overlaps it by {iou:.2f}, foreground begins at {matching.fg_iou_threshold:g}."]
    reasons += _shape(pipeline, number)
    lower = math.floor(100 * iou) / 100
    both = f", and {_label('matching.bg_iou_threshold')} with it" if lower < matching.bg_iou_threshold else ""
    reasons.append(f"Or lower {_label('matching.fg_iou_threshold')} to {lower:g}{both}.")
    if not matching.force_best_match:
        reasons.append(f"Or switch on {_label('matching.force_best_match')}, which gives it its best anchor.")
    return " ".join(reasons)


def _label(path: str) -> str:
    """What the page calls a setting."""
    return f"“{knobs()[path].label}”"


def _taken(pipeline: Pipeline, number: int) -> str:
    """Its good anchors overlap another object more."""
    boxes = pipeline.objects[0]
    alone = match_anchors(pipeline.grid.boxes, boxes[number : number + 1], pipeline.config.matching)
    others = pipeline.match.object[alone.foreground].unique().tolist()
    names = pipeline.picture.class_names
    labels = pipeline.objects[1]
    whose = ", ".join(f"{names[labels[other]]} {other + 1}" for other in others if other != number)
    return (
        f"Anchors overlap it enough, but all of them overlap {whose or 'another object'} at least as much: add ratios "
        "or scales, so that there are anchors for each."
    )


def _shape(pipeline: Pipeline, number: int) -> list[str]:
    """Says whether anchors are too large, too small or of other shape than an object."""
    x1, y1, x2, y2 = pipeline.objects[0][number].tolist()
    side, ratio = math.sqrt((x2 - x1) * (y2 - y1)), (y2 - y1) / max(x2 - x1, 1e-6)
    anchors = pipeline.config.anchors
    sides = [size * scale for size in anchors.sizes for scale in anchors.scales]
    nearest_ratio = min(anchors.ratios, key=lambda each: abs(math.log(each / ratio)))
    finest, coarsest, shapes = (_label(f"anchors.{name}") for name in ("size_p3", "size_p7", "ratios"))
    said = []
    if side < min(sides) / OCTAVE:
        said.append(f"It is {side:.0f} px across, the smallest anchor {min(sides):.0f}: lower {finest}.")
    if side > max(sides) * OCTAVE:
        said.append(f"It is {side:.0f} px across, the largest anchor {max(sides):.0f}: raise {coarsest}.")
    if max(ratio / nearest_ratio, nearest_ratio / ratio) > STRETCH:
        said.append(f"Its height is {ratio:.2g} of its width: add a ratio near {ratio:.2g} to {shapes}.")
    if not said:
        said.append("Places of its level lie too far from its centre: a finer level must have anchors of its size.")
    return said
