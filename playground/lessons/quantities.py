"""The numbers lessons speak of: each is computed by the core from the picture and the settings of a step."""

from collections.abc import Callable

import torch
from torchvision.ops import box_iou

from core.analysis.loss_concentration import compute_cumulative_loss, compute_hardest_share
from core.retinanet.losses import total_loss
from core.retinanet.matching import BACKGROUND, IGNORED
from playground.components import html
from playground.pipeline.pipeline import Pipeline
from playground.steps.loss.shares import effective_number, group_anchors

HIT = 0.5  # IoU from which a detection of the right class has found an object
Quantity = Callable[[Pipeline], float]


def _share(pipeline: Pipeline, where: torch.Tensor) -> float:
    losses = pipeline.losses.classification
    return (losses[where].sum() / losses.sum().clamp(min=1e-12)).item()


def _group(pipeline: Pipeline, name: str) -> torch.Tensor:
    """Which anchors belong to one of `group_anchors`, bool [N]."""
    return dict(group_anchors(pipeline))[name]


def _hardest(pipeline: Pipeline, side: int, share: float) -> float:
    """How much of foreground's (0) or background's (1) loss the hardest share of its anchors holds."""
    losses = pipeline.anchor_logits.compute_losses(pipeline.config.loss)[side]
    return compute_hardest_share(compute_cumulative_loss(losses), share) if len(losses) else 0.0


def _totals(pipeline: Pipeline) -> tuple[float, float]:
    losses = total_loss([pipeline.losses], pipeline.config.loss)
    return losses.classification.item(), losses.box.item()


def _found(pipeline: Pipeline) -> torch.Tensor:
    """Tells of each object whether a detection of its class overlaps it well, bool [M]."""
    found, order = pipeline.candidates, pipeline.fates.order
    boxes, labels = pipeline.objects[0], pipeline.labels
    if not len(order) or not len(boxes):
        return torch.zeros(len(boxes), dtype=torch.bool)
    overlap = box_iou(boxes, found.box[order]) >= HIT
    return (overlap & (labels[:, None] == found.label[order][None])).any(dim=1)


QUANTITIES: dict[str, Quantity] = {
    "objects": lambda here: len(here.objects[0]),
    "anchors": lambda here: len(here.grid.boxes),
    "anchors_per_place": lambda here: here.grid.per_location,
    "scores": lambda here: here.prediction.outputs.logits[0].numel(),
    "best_iou_lowest": lambda here: here.match.best_iou.min().item() if len(here.match.best_iou) else 0.0,
    "best_iou_mean": lambda here: here.match.best_iou.mean().item() if len(here.match.best_iou) else 0.0,
    "objects_with_a_good_anchor": lambda here: int(
        (here.match.best_iou >= here.config.matching.fg_iou_threshold).sum()
    ),
    "foreground": lambda here: int(here.match.foreground.sum()),
    "forced": lambda here: int(here.match.forced.sum()),
    "ignored": lambda here: int((here.match.label == IGNORED).sum()),
    "background": lambda here: int((here.match.label == BACKGROUND).sum()),
    "background_per_foreground": lambda here: (
        int((here.match.label == BACKGROUND).sum()) / max(1, int(here.match.foreground.sum()))
    ),
    "objects_without_anchor": lambda here: (
        len(here.objects[0]) - len(here.match.object[here.match.foreground].unique())
    ),
    "classification_loss": lambda here: _totals(here)[0],
    "box_loss": lambda here: _totals(here)[1],
    "share_of_foreground": lambda here: _share(here, here.match.foreground),
    "share_of_easy_background": lambda here: _share(here, _group(here, "easy background")),
    "share_of_hard_background": lambda here: _share(here, _group(here, "hard background")),
    "share_of_hardest_foreground": lambda here: _hardest(here, 0, 0.2),
    "share_of_hardest_background": lambda here: _hardest(here, 1, 0.01),
    "effective_anchors": lambda here: effective_number(here.losses.classification),
    "easy_background": lambda here: int(_group(here, "easy background").sum()),
    "weight_at_90": lambda here: (1 - 0.9) ** here.config.loss.gamma,
    "weight_at_50": lambda here: (1 - 0.5) ** here.config.loss.gamma,
    "scored": lambda here: sum(level.scored for level in here.level_counts),
    "candidates": lambda here: len(here.fates.fate),
    "suppressed": lambda here: int((here.fates.fate == 1).sum()),
    "detections": lambda here: len(here.fates.order),
    "found_objects": lambda here: int(_found(here).sum()),
    "missed_objects": lambda here: int((~_found(here)).sum()),
    "parameters": lambda here: sum(part.parameters for part in here.parts),
    "trainable": lambda here: sum(part.trainable for part in here.parts),
    "trainable_share": lambda here: (
        sum(part.trainable for part in here.parts) / sum(part.parameters for part in here.parts)
    ),
    "gflop": lambda here: here.costs.gflops,
    "training_memory": lambda here: here.costs.training_bytes / 2**30,
}


def shown(name: str, value: float) -> str:
    """Returns a value of a quantity as lessons print it; shares are per cent."""
    if "share" in name:
        return html.percent(value)
    if float(value).is_integer():
        return f"{value:,.0f}"
    if 0 < abs(value) < 0.001:
        return f"{value:.6f}".rstrip("0")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
