"""The inspector of an object: which anchors are assigned to it, or why none is and which setting would change that."""

import math

from markupsafe import Markup

from core.config import knobs
from core.retinanet.anchors import LEVELS
from core.retinanet.assigners.max_iou import match_anchors
from playground.canvas.view import Layer
from playground.components import html
from playground.inspector.pyramid import build_levels_report
from playground.inspector.reasons import describe_claim, explain_lack, name_object
from playground.pipeline.pipeline import Pipeline

THIRD_OF_OCTAVE = 2 ** (1 / 3)  # ratio of side lengths up to which an anchor and an object still overlap well
STRETCH = 1.6  # ratio of aspect ratios from which they no longer do


def build_object_report(pipeline: Pipeline, number: int) -> Markup:
    """Returns the assignment of an object.

    Args:
        pipeline: The picture under the settings.
        number: Index of the object.
    """
    match, boxes, level = pipeline.match, pipeline.objects[0], pipeline.grid.level
    x1, y1, x2, y2 = boxes[number].tolist()
    assigned = match.foreground & (match.object == number)
    by_iou = pipeline.config.matching.assigner == "max_iou"
    iou, best = match.best_iou[number].item(), int(match.best_anchor[number])
    text = html.heading(name_object(pipeline, number))
    text += html.facts(
        [
            ("size", f"{x2 - x1:.0f}×{y2 - y1:.0f} px"),
            ("anchors assigned to it", html.count(int(assigned.sum()))),
            *([("of which forced", html.count(int((assigned & match.forced).sum())))] if by_iou else []),
            *describe_claim(pipeline, number),
            ("best IoU", f"{iou:.2f} on {LEVELS[int(level[best])]}"),
        ]
    )
    if not bool(assigned.any()):
        reason = suggest_remedy(pipeline, number, iou) if by_iou else explain_lack(pipeline, number)
        text += html.paragraph(f"No anchor is assigned to it, so no anchor learns to find it. {reason}")
        return text + build_levels_report(pipeline, number)
    if bool(match.forced[assigned].all()):
        text += html.paragraph("It only has its forced anchors. " + suggest_remedy(pipeline, number, iou))
    return text + build_levels_report(pipeline, number)


def object_layers(pipeline: Pipeline, number: int) -> tuple[Layer, ...]:
    """Returns the anchors that are assigned to an object."""
    assigned = pipeline.match.foreground & (pipeline.match.object == number)
    boxes = pipeline.grid.boxes[assigned]
    return (Layer("inspected", "its anchors", "foreground", boxes.numpy(), values=pipeline.match.iou[assigned]),)


def suggest_remedy(pipeline: Pipeline, number: int, iou: float) -> str:
    """Returns why max IoU assigns no anchor to an object, and which settings would change that, in sentences."""
    matching = pipeline.config.matching
    if iou >= matching.fg_iou_threshold:
        return _explain_competition(pipeline, number)
    sentences = [f"The best IoU of any anchor is {iou:.2f}; foreground begins at {matching.fg_iou_threshold:g}."]
    sentences += _explain_misfit(pipeline, number)
    lower = math.floor(100 * iou) / 100
    also = f", and {_label('matching.bg_iou_threshold')} with it" if lower < matching.bg_iou_threshold else ""
    sentences.append(f"Or lower {_label('matching.fg_iou_threshold')} to {lower:g}{also}.")
    if not matching.force_best_match:
        sentences.append(
            f"Or switch on {_label('matching.force_best_match')}, which makes each object's best anchor foreground."
        )
    return " ".join(sentences)


def _label(path: str) -> str:
    """Returns the name of a setting on the page."""
    return f"“{knobs()[path].label}”"


def _explain_competition(pipeline: Pipeline, number: int) -> str:
    """Names the objects that the anchors around an object overlap more."""
    boxes, _ = pipeline.objects
    alone = match_anchors(pipeline.grid.boxes, boxes[number : number + 1], pipeline.config.matching)
    others = pipeline.match.object[alone.foreground].unique().tolist()
    rivals = ", ".join(name_object(pipeline, other) for other in others if other != number)
    return (
        f"Some anchors overlap it enough, but all of them overlap {rivals or 'another object'} at least as much: add "
        "ratios or scales, so that each object has its own anchors."
    )


def _explain_misfit(pipeline: Pipeline, number: int) -> list[str]:
    """Says whether the anchors are too large, too small, of another shape, or too far away."""
    x1, y1, x2, y2 = pipeline.objects[0][number].tolist()
    side, ratio = math.sqrt((x2 - x1) * (y2 - y1)), (y2 - y1) / max(x2 - x1, 1e-6)
    anchors = pipeline.config.anchors
    sides = [size * scale for size in anchors.sizes for scale in anchors.scales]
    nearest_ratio = min(anchors.ratios, key=lambda each: abs(math.log(each / ratio)))
    finest, coarsest, shapes = (_label(f"anchors.{name}") for name in ("size_p3", "size_p7", "ratios"))
    sentences = []
    if side < min(sides) / THIRD_OF_OCTAVE:
        sentences.append(f"It is {side:.0f} px across, the smallest anchor {min(sides):.0f} px: lower {finest}.")
    if side > max(sides) * THIRD_OF_OCTAVE:
        sentences.append(f"It is {side:.0f} px across, the largest anchor {max(sides):.0f} px: raise {coarsest}.")
    if max(ratio / nearest_ratio, nearest_ratio / ratio) > STRETCH:
        sentences.append(f"Its height is {ratio:.2g} times its width: add a ratio near {ratio:.2g} to {shapes}.")
    if not sentences:
        sentences.append(
            "The locations of its level are too far from its centre: give a finer level anchors of its size."
        )
    return sentences
