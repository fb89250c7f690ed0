"""From images to detections: preprocessing → network → post-processing, in parts that can be cached."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Anchors, Config
from core.retinanet.anchors import AnchorGrid, make_anchors
from core.retinanet.model import Outputs, RetinaNet
from core.retinanet.postprocess import Candidates, select_candidates, select_detections
from core.retinanet.preprocess import Batch, concatenate, prepare
from core.structures import Detections


class Prediction(NamedTuple):
    """A batch and the outputs of the network for it, before post-processing."""

    batch: Batch
    outputs: Outputs


def predict(model: RetinaNet, images: Sequence[Tensor], config: Config) -> Prediction:
    """Runs the network on images, all in one batch.

    Args:
        model: The network; set to evaluation mode.
        images: Images, uint8 [3, H, W], on any device.
        config: Its `inference` section is used.

    Raises:
        PictureError: An image cannot be processed, see `core.retinanet.preprocess.prepare`.
    """
    return _run(model, prepare(_to_device(images, model), config.inference))


def _to_device(images: Sequence[Tensor], model: RetinaNet) -> list[Tensor]:
    device = next(model.parameters()).device
    return [image.to(device) for image in images]


@torch.inference_mode()
def _run(model: RetinaNet, batch: Batch) -> Prediction:
    return Prediction(batch, model.eval()(batch.pixels))


def make_batch_anchors(batch: Batch, anchors: Anchors) -> AnchorGrid:
    """Returns the anchors of a batch."""
    return make_anchors(anchors, *batch.pixels.shape[-2:])


def extract_candidates(prediction: Prediction, index: int, config: Config) -> Candidates:
    """Returns the candidates that enter NMS, of image `index` of a batch."""
    outputs, batch = prediction.outputs, prediction.batch
    grid = make_batch_anchors(batch, config.anchors)
    return select_candidates(outputs.logits[index], outputs.deltas[index], grid, batch.sizes[index], config.inference)


def detect(model: RetinaNet, images: Sequence[Tensor], config: Config) -> list[Detections]:
    """Returns the detections in each image, best first, in its original pixels, on the CPU; arguments as `predict`.

    Raises:
        PictureError: An image cannot be processed, see `core.retinanet.preprocess.prepare`.
    """
    found: dict[int, Detections] = {}
    for numbers, prediction in predict_by_shape(model, images, config):
        found |= zip(numbers, extract_detections(prediction, config), strict=True)
    return [found[number] for number in range(len(images))]


def predict_by_shape(
    model: RetinaNet, images: Sequence[Tensor], config: Config
) -> Iterator[tuple[tuple[int, ...], Prediction]]:
    """Runs the network on images, those that are padded to the same shape in one batch; arguments as `predict`.

    Padding an image to the size of a larger one takes time and changes the predictions, because the outputs of
    convolutions on a wide border of zeros are not zero.

    Yields:
        The numbers of the images of a batch, from 0, and the prediction for them.

    Raises:
        PictureError: An image cannot be processed, see `core.retinanet.preprocess.prepare`.
    """
    batches_by_shape: dict[torch.Size, dict[int, Batch]] = {}
    for number, image in enumerate(_to_device(images, model)):
        batch = prepare([image], config.inference)
        batches_by_shape.setdefault(batch.pixels.shape, {})[number] = batch
    for batches in batches_by_shape.values():
        yield tuple(batches), _run(model, concatenate(list(batches.values())))


def extract_detections(prediction: Prediction, config: Config) -> list[Detections]:
    """Returns the detections in each image of a batch, as `detect` does."""
    batch, outputs = prediction
    grid = make_batch_anchors(batch, config.anchors)
    found = []
    for logits, deltas, size, factors in zip(outputs.logits, outputs.deltas, batch.sizes, batch.factors, strict=True):
        candidates = select_candidates(logits, deltas, grid, size, config.inference)
        order, score = select_detections(candidates, config.inference)
        detections = Detections(candidates.box[order] * factors, score[order], candidates.label[order])
        found.append(Detections(*(tensor.cpu() for tensor in detections)))
    return found
