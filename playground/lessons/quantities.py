"""The quantities in the texts and claims of lessons, each computed from the picture and the settings of the page.

A mean or an extreme of nothing, as of the objects of a picture without any, is NaN.
"""

import math
from collections.abc import Callable

import torch
from torchvision.ops import box_iou

from core.analysis.loss_concentration import compute_cumulative_loss, compute_hardest_share
from core.evaluation.counting import Tally, average_over_classes, average_over_ious
from core.evaluation.error_types import BACKGROUND as BACKGROUND_ERROR, MISSED, ErrorTypes, analyse_errors
from core.rescue.search import Verdict
from core.retinanet.assigners.match import BACKGROUND, IGNORED
from core.retinanet.boxes import decode, encode, pairwise_iou
from core.retinanet.losses import classification_loss, total_loss
from core.steering.kinds import EASY_BACKGROUND, FOREGROUND, KINDS
from playground.components import html
from playground.inspector.rescues import find
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import Dials
from playground.steps.loss.concentration import logits_of_many
from playground.steps.loss.shares import effective_number, group_anchors
from playground.steps.precision.counted import choose, of_picture

FOUND_IOU = 0.5  # IoU from which a detection of the right class counts as having found an object
Quantity = Callable[[Pipeline], float]


def _share(pipeline: Pipeline, where: torch.Tensor) -> float:
    losses = pipeline.losses.classification
    return (losses[where].sum() / losses.sum().clamp(min=1e-12)).item()


def _group(pipeline: Pipeline, name: str) -> torch.Tensor:
    """Returns which anchors belong to one of the groups of `group_anchors`, bool [N]."""
    return dict(group_anchors(pipeline))[name]


def _steering_share(pipeline: Pipeline, name: str) -> float:
    """Returns the share of a kind of anchors in the class subnet's gradient."""
    return pipeline.class_ledger.kinds.pulls[KINDS.index(name)].item()


def _steering_cosine(pipeline: Pipeline) -> float:
    """Returns the cosine of the gradients of foreground and of easy background."""
    return pipeline.class_ledger.kinds.cosines[KINDS.index(FOREGROUND), KINDS.index(EASY_BACKGROUND)].item()


def _hardest(pipeline: Pipeline, side: int, share: float) -> float:
    """Returns the share of the loss of foreground (side 0) or background (1) that its hardest anchors hold."""
    logits, _, _ = logits_of_many(pipeline)  # those of figure 4
    losses = logits.compute_losses(pipeline.config.loss)[side]
    return compute_hardest_share(compute_cumulative_loss(losses), share) if len(losses) else math.nan


def _totals(pipeline: Pipeline) -> tuple[float, float]:
    losses = total_loss([pipeline.losses], pipeline.config.loss)
    return losses.classification.item(), losses.box.item()


def found_objects(pipeline: Pipeline) -> torch.Tensor:
    """Returns which objects are overlapped by a detection of their class, bool [M]."""
    found, order = pipeline.candidates, pipeline.fates.order
    boxes, labels = pipeline.objects[0], pipeline.labels
    if not len(order) or not len(boxes):
        return torch.zeros(len(boxes), dtype=torch.bool)
    overlap = box_iou(boxes, pipeline.fates.box[order]) >= FOUND_IOU
    return (overlap & (labels[:, None] == found.label[order][None])).any(dim=1)


def _count_missed(pipeline: Pipeline, is_meant: Callable[[Verdict], bool] = lambda verdict: True) -> int:
    """Returns how many missed objects have a verdict of the search for rescues that is meant."""
    return sum(each.fault.kind == MISSED and is_meant(each) for each in find(pipeline).rescues.verdicts)


def _tally(pipeline: Pipeline) -> Tally:
    """Returns what all detections yield when they are counted in one list, at IoU 0.5."""
    counting = choose(of_picture(pipeline), Dials()).counting
    return counting.tally(len(counting.detections))


def _average_precision(pipeline: Pipeline, *, over_ious: bool) -> float:
    material = of_picture(pipeline)
    images, classes = material.overlaps, len(material.class_names)
    return average_over_ious(images, classes) if over_ious else average_over_classes(images, classes, FOUND_IOU)


def _errors(pipeline: Pipeline) -> ErrorTypes:
    material = of_picture(pipeline)
    return analyse_errors(material.overlaps, len(material.class_names))


def _targets(pipeline: Pipeline) -> torch.Tensor:
    """Returns the deltas that the foreground anchors have to predict, [F, 4]."""
    chosen = pipeline.match.foreground
    return encode(pipeline.objects[0][pipeline.match.object[chosen]], pipeline.grid.boxes[chosen])


def _regressed_iou(pipeline: Pipeline, *, decoded: bool) -> float:
    """Returns the mean IoU of foreground anchors with their objects, or that of the boxes that they predict."""
    chosen = pipeline.match.foreground
    boxes = pipeline.grid.boxes[chosen]
    if decoded:
        boxes = decode(pipeline.prediction.outputs.deltas[0][chosen], boxes)
    return pairwise_iou(boxes.T, pipeline.objects[0][pipeline.match.object[chosen]].T).mean().item()


def _steepest_gradient(pipeline: Pipeline) -> float:
    """Returns the largest slope of the loss of one score, from surely wrong to right; not finite if any is not."""
    with torch.inference_mode(mode=False):
        logits = torch.linspace(-100, 100, 401).requires_grad_()
        loss = classification_loss(logits, torch.ones_like(logits), pipeline.config.loss).sum()
        (slope,) = torch.autograd.grad(loss, logits)
    return slope.abs().max().item()


def _share_of_commonest_class(pipeline: Pipeline) -> float:
    """Returns the share of foreground's loss that anchors of the class with most foreground anchors pay."""
    chosen = pipeline.match.foreground
    labels, losses = pipeline.labels[pipeline.match.object[chosen]], pipeline.losses.classification[chosen]
    if not len(labels):
        return math.nan
    return (losses[labels == labels.mode().values].sum() / losses.sum().clamp(min=1e-12)).item()


QUANTITIES: dict[str, Quantity] = {
    "objects": lambda pipeline: len(pipeline.objects[0]),
    "anchors": lambda pipeline: len(pipeline.grid.boxes),
    "anchors_per_place": lambda pipeline: pipeline.grid.per_location,
    "scores": lambda pipeline: pipeline.prediction.outputs.logits[0].numel(),
    "best_iou_lowest": lambda pipeline: min(pipeline.fit.best_iou.tolist(), default=math.nan),
    "best_iou_mean": lambda pipeline: pipeline.fit.best_iou.mean().item(),
    "objects_with_a_good_anchor": lambda pipeline: int(
        (pipeline.fit.best_iou >= pipeline.config.matching.fg_iou_threshold).sum()
    ),
    "foreground": lambda pipeline: int(pipeline.match.foreground.sum()),
    "forced": lambda pipeline: int(pipeline.match.forced.sum()),
    "ignored": lambda pipeline: int((pipeline.match.label == IGNORED).sum()),
    "background": lambda pipeline: int((pipeline.match.label == BACKGROUND).sum()),
    "background_per_foreground": lambda pipeline: (
        int((pipeline.match.label == BACKGROUND).sum()) / max(1, int(pipeline.match.foreground.sum()))
    ),
    "objects_without_anchor": lambda pipeline: (
        len(pipeline.objects[0]) - len(pipeline.match.object[pipeline.match.foreground].unique())
    ),
    "classification_loss": lambda pipeline: _totals(pipeline)[0],
    "box_loss": lambda pipeline: _totals(pipeline)[1],
    "share_of_foreground": lambda pipeline: _share(pipeline, pipeline.match.foreground),
    "share_of_easy_background": lambda pipeline: _share(pipeline, _group(pipeline, "easy background")),
    "share_of_hard_background": lambda pipeline: _share(pipeline, _group(pipeline, "hard background")),
    "steering_share_of_foreground": lambda pipeline: _steering_share(pipeline, FOREGROUND),
    "steering_share_of_easy_background": lambda pipeline: _steering_share(pipeline, EASY_BACKGROUND),
    "steering_cosine": _steering_cosine,
    "share_of_hardest_foreground": lambda pipeline: _hardest(pipeline, 0, 0.2),
    "share_of_hardest_background": lambda pipeline: _hardest(pipeline, 1, 0.01),
    "effective_anchors": lambda pipeline: effective_number(pipeline.losses.classification),
    "easy_background": lambda pipeline: int(_group(pipeline, "easy background").sum()),
    "weight_at_90": lambda pipeline: (1 - 0.9) ** pipeline.config.loss.gamma,
    "weight_at_50": lambda pipeline: (1 - 0.5) ** pipeline.config.loss.gamma,
    "scored": lambda pipeline: sum(level.scored for level in pipeline.level_counts),
    "candidates": lambda pipeline: len(pipeline.fates.fate),
    "suppressed": lambda pipeline: int((pipeline.fates.fate == 1).sum()),
    "detections": lambda pipeline: len(pipeline.fates.order),
    "found_objects": lambda pipeline: int(found_objects(pipeline).sum()),
    "missed_objects": lambda pipeline: int((~found_objects(pipeline)).sum()),
    "missed": _count_missed,
    "missed_with_a_way_out": lambda pipeline: _count_missed(pipeline, lambda verdict: bool(verdict.rescues)),
    "missed_with_a_free_way_out": lambda pipeline: _count_missed(
        pipeline, lambda verdict: any(each.change.is_good for each in verdict.rescues)
    ),
    "right_detections": lambda pipeline: _tally(pipeline).right,
    "wrong_detections": lambda pipeline: _tally(pipeline).wrong,
    "final_precision": lambda pipeline: _tally(pipeline).precision,
    "final_recall": lambda pipeline: _tally(pipeline).recall,
    "background_errors": lambda pipeline: len(_errors(pipeline).select(BACKGROUND_ERROR)),
    "cost_of_background": lambda pipeline: _errors(pipeline).cost[BACKGROUND_ERROR],
    "ap50": lambda pipeline: _average_precision(pipeline, over_ious=False),
    "ap": lambda pipeline: _average_precision(pipeline, over_ious=True),
    "scores_per_anchor": lambda pipeline: pipeline.prediction.outputs.logits.shape[-1],
    "largest_target": lambda pipeline: max(_targets(pipeline).abs().flatten().tolist(), default=math.nan),
    "anchor_iou": lambda pipeline: _regressed_iou(pipeline, decoded=False),
    "predicted_iou": lambda pipeline: _regressed_iou(pipeline, decoded=True),
    "steepest_gradient": _steepest_gradient,
    "share_of_commonest_class": _share_of_commonest_class,
    "parameters": lambda pipeline: sum(part.parameters for part in pipeline.parts),
    "trainable": lambda pipeline: sum(part.trainable for part in pipeline.parts),
    "trainable_share": lambda pipeline: (
        sum(part.trainable for part in pipeline.parts) / sum(part.parameters for part in pipeline.parts)
    ),
    "gflop": lambda pipeline: pipeline.costs.gflops,
    "training_memory": lambda pipeline: pipeline.costs.training_bytes / 2**30,
}

LABELS = {  # of quantities whose names in the files do not read well
    "ap": "AP",
    "ap50": "AP at IoU 0.5",
    "anchor_iou": "mean IoU of the foreground anchors and their objects",
    "background_per_foreground": "background anchors per foreground anchor",
    "best_iou_lowest": "lowest best IoU",
    "best_iou_mean": "mean best IoU",
    "cost_of_background": "AP that boxes on background cost",
    "effective_anchors": "anchors that would carry the loss if all of them paid alike",
    "final_precision": "precision of all detections",
    "gflop": "GFLOP of the forward pass",
    "largest_target": "largest delta to predict",
    "missed_with_a_free_way_out": "missed objects that another setting finds at no cost",
    "missed_with_a_way_out": "missed objects that another setting finds",
    "predicted_iou": "mean IoU of the predicted boxes and their objects",
    "scored": "scores above the threshold",
    "share_of_commonest_class": "share of foreground's loss that the commonest class pays",
    "share_of_easy_background": "share of the loss that easy background pays",
    "share_of_foreground": "share of the loss that foreground pays",
    "share_of_hardest_background": "share of background's loss that its hardest 1% pay",
    "share_of_hardest_foreground": "share of foreground's loss that its hardest 20% pay",
    "steering_share_of_easy_background": "easy background's part in the gradient",
    "steering_share_of_foreground": "foreground's part in the gradient",
    "steepest_gradient": "steepest slope",
    "trainable_share": "share of parameters that are trained",
    "training_memory": "GiB to train",
    "weight_at_50": "weight of an example with pₜ = 0.5",
    "weight_at_90": "weight of an example with pₜ = 0.9",
}
# Quantities that are the same whatever objects the picture has.
OF_THE_NETWORK = frozenset((
    "anchors", "anchors_per_place", "gflop", "parameters", "scored", "scores", "scores_per_anchor", "steepest_gradient",
    "trainable", "trainable_share", "training_memory", "weight_at_50", "weight_at_90",
))  # fmt: skip


def name_quantity(name: str) -> str:
    """Returns the name of a quantity as lessons show it."""
    return LABELS.get(name, name.replace("_", " "))


def format_quantity(name: str, value: float) -> str:
    """Returns the value of a quantity as lessons show it; shares in percent."""
    if "share" in name:
        return html.signed_percent(value)
    if float(value).is_integer():
        return f"{value:,.0f}"
    if 0 < abs(value) < 0.001:
        return f"{value:.6f}".rstrip("0")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
