"""What a framework makes of one picture with given weights: anchors, assignment, losses and detections."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Config
from core.conventions.matching import assign
from core.conventions.rules import Rules
from core.retinanet.anchors import AnchorGrid
from core.retinanet.assigners.match import Match
from core.retinanet.boxes import MAX_LOG_SIZE, clip, decode
from core.retinanet.losses import ForegroundAverage, Losses, anchor_losses, total_loss
from core.retinanet.model import RetinaNet
from core.retinanet.postprocess import select_candidates, select_detections
from core.retinanet.precision import compute_in
from core.retinanet.predict import Prediction, make_batch_anchors, predict
from core.retinanet.preprocess import scale_objects
from core.retinanet.tiles import select
from core.structures import Detections, Sample


class Subject(NamedTuple):
    """A picture as one network sees it.

    Attributes:
        model: The network.
        prediction: Of a batch with this picture alone.
        p6: Its feature map P6, float32 [1, C, H, W].
        boxes: Objects, float32 [M, 4] in pixels of the resized picture; M may be 0.
        labels: Their classes as the network numbers them, int64 [M].
        class_weights: The weight of each class in the loss, [K]; by default 1.
    """

    model: RetinaNet
    prediction: Prediction
    p6: Tensor
    boxes: Tensor
    labels: Tensor
    class_weights: Tensor | None = None


def make_subject(model: RetinaNet, sample: Sample, config: Config) -> Subject:
    """Returns a picture as a network sees it, whole and as it is, in two passes.

    Args:
        model: The network.
        sample: The picture; its labels are those of the network.
        config: Its `inference` section is used.

    Raises:
        PictureError: The picture cannot be processed, see `core.retinanet.preprocess.prepare`.
    """
    prediction = predict(model, [sample.image], config)
    batch = prediction.batch
    with torch.inference_mode(), compute_in(config.inference.precision, batch.pixels.device):
        p6 = model.eval().pyramid(batch.pixels).levels[3].float()
    return Subject(model, prediction, p6, *scale_objects(sample, batch.factors[0]))


class Seen(NamedTuple):
    """What a framework makes of the picture.

    Attributes:
        anchors: float32 [N, 4]: the anchor of each output.
        match: The assignment of these anchors.
        losses: The losses, as in a batch with this picture alone.
        detections: Best first, in pixels of the resized picture.
    """

    anchors: Tensor
    match: Match
    losses: Losses
    detections: Detections


@torch.inference_mode()
def see(subject: Subject, config: Config, rules: Rules) -> Seen:
    """Returns what a framework makes of a picture.

    Args:
        subject: The picture as the network sees it.
        config: All settings, with those of the framework.
        rules: How it proceeds.
    """
    grid = order_anchors(make_batch_anchors(subject.prediction.batch, config.anchors), config, rules)
    logits, deltas = predict_levels(subject, grid, rules, config.inference.precision)
    match = assign(grid.boxes, subject.boxes, config.matching, rules)
    arguments = grid.boxes, match, subject.boxes, subject.labels, config.loss, subject.class_weights
    losses = anchor_losses(logits, deltas, *arguments)
    average = config.loss.normaliser == "moving_average"
    divisor = ForegroundAverage().update(losses.foreground.item()) if average else None
    total = total_loss([losses], config.loss, divisor)
    return Seen(grid.boxes, match, total, detect(subject, (logits, deltas), grid, config, rules))


def order_anchors(grid: AnchorGrid, config: Config, rules: Rules) -> AnchorGrid:
    """Returns the anchors in the order in which a framework reads the outputs."""
    if not rules.by_size:
        return grid
    of_locations = grid.boxes.view(-1, len(config.anchors.ratios), len(config.anchors.scales), 4)
    return grid._replace(boxes=of_locations.transpose(1, 2).reshape(-1, 4))


def predict_levels(subject: Subject, grid: AnchorGrid, rules: Rules, precision: str = "fp32") -> tuple[Tensor, Tensor]:
    """Returns the logits [N, K] and the deltas [N, 4], those of P7 by the rules."""
    logits, deltas = subject.prediction.outputs.logits[0], subject.prediction.outputs.deltas[0]
    if rules.relu_before_p7:
        return logits, deltas
    model, rest = subject.model, sum(grid.counts[:-1])
    p7 = model.backbone.fpn.extra_blocks.p7(subject.p6)
    heads = (model.head["classification_head"], model.head["regression_head"])
    with compute_in(precision, p7.device):  # as `predict`
        of_p7 = [head((p7,))[0].to(logits) for head in heads]
    return torch.cat([logits[:rest], of_p7[0]]), torch.cat([deltas[:rest], of_p7[1]])


def detect(
    subject: Subject, outputs: tuple[Tensor, Tensor], grid: AnchorGrid, config: Config, rules: Rules
) -> Detections:
    """Returns the detections, best first, in pixels of the resized picture.

    Args:
        subject: The picture; its tiles and other views are not seen.
        outputs: Logits [N, K] and deltas [N, 4].
        grid: The anchors of these outputs.
        config: Its `inference` section is used.
        rules: How the framework proceeds.
    """
    (logits, deltas), size = outputs, subject.prediction.batch.sizes[0]
    if rules.bounds_shrinking:
        deltas = torch.cat([deltas[:, :2], deltas[:, 2:].clamp(min=-MAX_LOG_SIZE)], dim=1)
    found = select_candidates(logits, deltas, grid, size, config.inference)
    if rules.clipping == "before, without empty":
        found = select(found, ~_is_empty(found.box))
    elif rules.clipping == "after, without empty":
        found = found._replace(box=decode(deltas[found.anchor], grid.boxes[found.anchor]))
    order, score, box = select_detections(found, config.inference)
    detections = Detections(box[order], score[order], found.label[order])
    if rules.clipping != "after, without empty":
        return detections
    detections = detections._replace(boxes=clip(detections.boxes, *size))
    left = ~_is_empty(detections.boxes)
    return Detections(*(each[left] for each in detections))


def _is_empty(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1])
