"""Pictures in, detections out: prepare → network → inference, in parts that can be cached."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.anchors import AnchorGrid, make_anchors
from core.config import Config
from core.hyperparameters import Anchors
from core.inference import Stages, kept, run_inference, select
from core.model import Outputs, RetinaNet
from core.preprocess import Batch, prepare
from core.sample import Detections


class Prediction(NamedTuple):
    """What the network says of a batch of pictures, before any threshold."""

    batch: Batch
    outputs: Outputs


@torch.inference_mode()
def predict(model: RetinaNet, images: Sequence[Tensor], config: Config) -> Prediction:
    """Runs the network on pictures.

    Args:
        model: The network; put into evaluation mode.
        images: uint8 [3, H, W] each, on any device.
        config: Its `inference.image_size` is used.

    Raises:
        ValueError: A picture cannot be prepared, see `core.preprocess.prepare`.
    """
    device = next(model.parameters()).device
    batch = prepare([image.to(device) for image in images], config.inference)
    return Prediction(batch, model.eval()(batch.pixels))


def anchors_of(batch: Batch, anchors: Anchors) -> AnchorGrid:
    """Returns the anchors of a prepared batch."""
    return make_anchors(anchors, *batch.pixels.shape[-2:])


def stages_of(prediction: Prediction, index: int, config: Config) -> Stages:
    """Returns every stage of inference for one picture of a batch."""
    outputs, batch = prediction.outputs, prediction.batch
    grid = anchors_of(batch, config.anchors)
    return run_inference(outputs.logits[index], outputs.deltas[index], grid, batch.sizes[index], config.inference)


def detect(model: RetinaNet, images: Sequence[Tensor], config: Config) -> list[Detections]:
    """Returns the detections of each picture, best first, in its own pixels, on the CPU; raises as `predict`."""
    batch, outputs = predict(model, images, config)
    grid = anchors_of(batch, config.anchors)
    found = []
    for logits, deltas, size, factors in zip(outputs.logits, outputs.deltas, batch.sizes, batch.factors, strict=True):
        _, candidates = select(logits, deltas, grid, size, config.inference)
        order, score = kept(candidates, config.inference)
        detections = Detections(candidates.box[order] * factors, score[order], candidates.label[order])
        found.append(Detections(*(part.cpu() for part in detections)))
    return found
