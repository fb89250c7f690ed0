"""The inspector of a predicted box: its anchor, its score, and which boxes it suppressed or was suppressed by."""

import torch
from markupsafe import Markup

from core.retinanet.anchors import LEVELS
from core.retinanet.postprocess import BEYOND_CAP, KEPT, SUPPRESSED
from playground.canvas.view import Layer
from playground.components import html
from playground.inspector.location import describe_anchors, describe_outcome
from playground.pipeline.pipeline import Pipeline

MAX_ROWS = 30
LAYER_FATES = {"kept": KEPT, "suppressed": SUPPRESSED, "beyond-cap": BEYOND_CAP}


def find_candidate(pipeline: Pipeline, layer: str, index: int) -> int | None:
    """Returns the candidate behind a box in a layer of the detections step, None if there is no such box."""
    fates = pipeline.fates
    if layer == "before":
        candidates = torch.arange(len(fates.fate))
    elif layer == "kept":
        candidates = fates.order
    else:
        candidates = torch.nonzero(fates.fate == LAYER_FATES[layer]).squeeze(1)
    return int(candidates[index]) if 0 <= index < len(candidates) else None


def build_detection_report(pipeline: Pipeline, candidate: int) -> Markup:
    """Returns the origin of a predicted box, its outcome, and the boxes that it suppressed."""
    found, fates = pipeline.candidates, pipeline.fates
    anchor, label = int(found.anchor[candidate]), int(found.label[candidate])
    name = pipeline.network.class_names[label]
    facts = describe_anchors(pipeline, range(anchor, anchor + 1))[0]
    width, height = (facts.box[2] - facts.box[0], facts.box[3] - facts.box[1])
    text = html.heading(f"{name} {fates.score[candidate]:.2f}")
    text += html.facts(
        [
            ("predicted from", f"{LEVELS[int(found.level[candidate])]}, {width:.0f}×{height:.0f} px anchor"),
            ("outcome", describe_outcome(pipeline, anchor, label, found.score[candidate].item())),
            ("its anchor is", f"{facts.label} ({facts.why})"),
            ("boxes it suppressed", html.count(int((pipeline.suppressors.candidate == candidate).sum()))),
        ]
    )
    return text + _build_suppressed_table(pipeline, candidate)


def detection_layers(pipeline: Pipeline, candidate: int) -> tuple[Layer, ...]:
    """Returns the anchor of a predicted box and the boxes that it suppressed."""
    found = pipeline.candidates
    anchor = pipeline.grid.boxes[found.anchor[candidate] : found.anchor[candidate] + 1]
    suppressed = pipeline.suppressors.candidate == candidate
    return (
        Layer("victims", "suppressed by it", "suppressed", found.box[suppressed].numpy(), width=1),
        Layer("inspected", "its anchor", "foreground", anchor.numpy(), dashed=True, width=2),
    )


def _build_suppressed_table(pipeline: Pipeline, candidate: int) -> Markup:
    found, suppressors = pipeline.candidates, pipeline.suppressors
    suppressed = torch.nonzero(suppressors.candidate == candidate).squeeze(1)
    if not len(suppressed):
        return Markup()
    best = suppressed[found.score[suppressed].argsort(descending=True)][:MAX_ROWS].tolist()
    names = pipeline.network.class_names
    rows = tuple(
        (
            names[found.label[each]],
            f"{found.score[each]:.2f}",
            f"{suppressors.iou[each]:.2f}",
            LEVELS[int(found.level[each])],
        )
        for each in best
    )
    return html.table(html.Table("Boxes it suppressed", ("class", "score", "IoU", "from"), rows))
