"""The candidates on the picture: before NMS, suppressed with lines to their suppressors, beyond the cap, and kept."""

import torch

from core.retinanet.postprocess import BEYOND_CAP, SUPPRESSED
from playground.canvas.view import Layer
from playground.inspector.detection import DRAWN_FROM, count_strong
from playground.inspector.overlaps import words_of
from playground.pipeline.pipeline import Pipeline

WEAKER = f"weaker detections, below {DRAWN_FROM:g}"


def tile_layers(pipeline: Pipeline) -> tuple[Layer, ...]:
    """Returns the outlines of the tiles, and the boxes that are left out at their edges; nothing without tiles."""
    cut = pipeline.merged.cut
    if cut is None:
        return ()
    return (
        Layer("tiles", "tiles", "tile", pipeline.tile_boxes.numpy(), dashed=True, width=1),
        Layer("cut", "cut by a tile's edge", "cut", cut.box.numpy(), width=1, values=cut.score, visible=False),
    )


def candidate_layers(pipeline: Pipeline) -> tuple[Layer, ...]:
    """Returns the candidates as layers: before NMS, suppressed (with lines to the suppressor), beyond the cap, kept."""
    found, fates = pipeline.candidates, pipeline.fates
    class_names = pipeline.network.class_names
    suppressed = fates.fate == SUPPRESSED
    order = fates.order
    captions = tuple(
        f"{class_names[label]} {score:.2f}"
        for label, score in zip(found.label[order].tolist(), fates.score[order].tolist(), strict=True)
    )
    strong = count_strong(pipeline)

    def detections(key: str, label: str, chosen: slice, *, visible: bool = True) -> Layer:
        boxes, scores = fates.box[order][chosen].numpy(), fates.score[order][chosen]
        return Layer(key, label, "kept", boxes, width=2, values=scores, captions=captions[chosen], visible=visible)

    cut = fates.fate == BEYOND_CAP
    return (
        Layer("before", "before NMS", "before", found.box.numpy(), width=1, values=found.score, visible=False),
        Layer(
            "suppressed",
            words_of(pipeline).lost,
            "suppressed",
            found.box[suppressed].numpy(),
            width=1,
            values=found.score[suppressed],
            links=lambda: _suppressor_lines(pipeline, suppressed),
            visible=False,
        ),
        Layer(
            "beyond-cap", "beyond the cap", "beyond_cap", fates.box[cut].numpy(), values=fates.score[cut], visible=False
        ),
        *([detections("weaker", WEAKER, slice(strong, None), visible=False)] if strong < len(order) else []),
        detections("kept", "detections", slice(strong)),
    )


def _suppressor_lines(pipeline: Pipeline, suppressed: torch.Tensor) -> torch.Tensor:
    """Returns lines [S, 4] from suppressed boxes to their suppressors; NaN if soft NMS has no single one."""
    boxes, winners = pipeline.fates.box, pipeline.suppressors.candidate[suppressed]
    links = torch.cat([_centres(boxes[suppressed]), _centres(boxes[winners])], dim=1)
    links[winners < 0] = torch.nan
    return links


def _centres(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2
