"""Pictures in, detections out: prepare → network → inference, in parts that can be cached."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Anchors, Config
from core.retinanet.anchors import AnchorGrid, make_anchors
from core.retinanet.model import Outputs, RetinaNet
from core.retinanet.postprocess import Candidates, kept, select
from core.retinanet.preprocess import Batch, prepare, together
from core.structures import Detections


class Prediction(NamedTuple):
    """What the network says of a batch of pictures, before any threshold."""

    batch: Batch
    outputs: Outputs


def predict(model: RetinaNet, images: Sequence[Tensor], config: Config) -> Prediction:
    """Runs the network on pictures, all in one batch.

    Args:
        model: The network; put into evaluation mode.
        images: uint8 [3, H, W] each, on any device.
        config: Its `inference.image_size` is used.

    Raises:
        ValueError: A picture cannot be prepared, see `core.retinanet.preprocess.prepare`.
    """
    return _run(model, prepare(_moved(images, model), config.inference))


def _moved(images: Sequence[Tensor], model: RetinaNet) -> list[Tensor]:
    device = next(model.parameters()).device
    return [image.to(device) for image in images]


@torch.inference_mode()
def _run(model: RetinaNet, batch: Batch) -> Prediction:
    return Prediction(batch, model.eval()(batch.pixels))


def anchors_of(batch: Batch, anchors: Anchors) -> AnchorGrid:
    """Returns the anchors of a prepared batch."""
    return make_anchors(anchors, *batch.pixels.shape[-2:])


def candidates_of(prediction: Prediction, index: int, config: Config) -> Candidates:
    """Returns what one picture of a batch brings before NMS."""
    outputs, batch = prediction.outputs, prediction.batch
    grid = anchors_of(batch, config.anchors)
    return select(outputs.logits[index], outputs.deltas[index], grid, batch.sizes[index], config.inference)


def detect(model: RetinaNet, images: Sequence[Tensor], config: Config) -> list[Detections]:
    """Returns the detections of each picture, best first, in its own pixels, on the CPU; arguments as `predict`.

    Only pictures that are padded to the same shape share a batch: none is padded to the size of another, which takes
    time and changes what the network sees, as its convolutions turn a wide border of zeros into something else.

    Raises:
        ValueError: A picture cannot be prepared, see `core.retinanet.preprocess.prepare`.
    """
    alike: dict[torch.Size, dict[int, Batch]] = {}
    for number, image in enumerate(_moved(images, model)):
        batch = prepare([image], config.inference)
        alike.setdefault(batch.pixels.shape, {})[number] = batch
    found: dict[int, Detections] = {}
    for batches in alike.values():
        prediction = _run(model, together(list(batches.values())))
        found |= zip(batches, detections_of(prediction, config), strict=True)
    return [found[number] for number in range(len(images))]


def detections_of(prediction: Prediction, config: Config) -> list[Detections]:
    """Returns the detections of each picture of a batch, as `detect` does."""
    batch, outputs = prediction
    grid = anchors_of(batch, config.anchors)
    found = []
    for logits, deltas, size, factors in zip(outputs.logits, outputs.deltas, batch.sizes, batch.factors, strict=True):
        candidates = select(logits, deltas, grid, size, config.inference)
        order, score = kept(candidates, config.inference)
        detections = Detections(candidates.box[order] * factors, score[order], candidates.label[order])
        found.append(Detections(*(part.cpu() for part in detections)))
    return found
