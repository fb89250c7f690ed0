"""The inspector of a predicted box: the anchor it came from, its score, and whom it suppressed or who suppressed it."""

import torch
from markupsafe import Markup

from core.retinanet.anchors import LEVELS
from core.retinanet.postprocess import BEYOND_CAP, KEPT, SUPPRESSED
from playground.canvas.view import Layer
from playground.components import html
from playground.inspector.location import cases_of, outcome_of
from playground.pipeline.pipeline import Pipeline

MOST = 30  # rows of a table
LAYER_FATES = {"kept": KEPT, "suppressed": SUPPRESSED, "beyond-cap": BEYOND_CAP}


def candidate_of(pipeline: Pipeline, layer: str, index: int) -> int | None:
    """Returns the candidate that a box of a layer of the detections step is, None if there is no such box."""
    fates = pipeline.fates
    if layer == "before":
        candidates = torch.arange(len(fates.fate))
    elif layer == "kept":
        candidates = fates.order
    else:
        candidates = torch.nonzero(fates.fate == LAYER_FATES[layer]).squeeze(1)
    return int(candidates[index]) if 0 <= index < len(candidates) else None


def detection_report(pipeline: Pipeline, candidate: int) -> Markup:
    """Returns where a predicted box came from and what became of it and of those beside it."""
    found, fates = pipeline.candidates, pipeline.fates
    anchor, label = int(found.anchor[candidate]), int(found.label[candidate])
    name = pipeline.network.class_names[label]
    case = cases_of(pipeline, range(anchor, anchor + 1))[0]
    width, height = (case.box[2] - case.box[0], case.box[3] - case.box[1])
    text = html.heading(f"{name} {fates.score[candidate]:.2f}")
    text += html.facts(
        [
            ("came from", f"{LEVELS[int(found.level[candidate])]}, {width:.0f}×{height:.0f} px anchor"),
            ("became of it", outcome_of(pipeline, anchor, label, found.score[candidate].item())),
            ("its anchor is", f"{case.label} ({case.why})"),
            ("boxes it suppressed", html.count(int((pipeline.suppressors.index == candidate).sum()))),
        ]
    )
    return text + _victims(pipeline, candidate)


def detection_layers(pipeline: Pipeline, candidate: int) -> tuple[Layer, ...]:
    """Returns the anchor a predicted box came from and the boxes it suppressed."""
    found = pipeline.candidates
    anchor = pipeline.grid.boxes[found.anchor[candidate] : found.anchor[candidate] + 1]
    victims = pipeline.suppressors.index == candidate
    return (
        Layer("victims", "suppressed by it", "suppressed", found.box[victims].numpy(), width=1),
        Layer("inspected", "its anchor", "foreground", anchor.numpy(), dashed=True, width=2),
    )


def _victims(pipeline: Pipeline, candidate: int) -> Markup:
    found, by = pipeline.candidates, pipeline.suppressors
    victims = torch.nonzero(by.index == candidate).squeeze(1)
    if not len(victims):
        return Markup()
    victims = victims[found.score[victims].argsort(descending=True)][:MOST].tolist()
    names = pipeline.network.class_names
    rows = tuple(
        (
            names[found.label[each]],
            f"{found.score[each]:.2f}",
            f"{by.iou[each]:.2f}",
            LEVELS[int(found.level[each])],
        )
        for each in victims
    )
    return html.table(html.Table("Whom it suppressed", ("class", "score", "IoU", "from"), rows))
