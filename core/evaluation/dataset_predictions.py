"""Runs a detector over a data set and keeps its detections beside the ground truth."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Config
from core.data.dataset import DataSet
from core.errors import UserError
from core.evaluation.class_names import match_detector
from core.evaluation.coco_metrics import Metrics, evaluate
from core.evaluation.damage import DamagedPictures, read_usable
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.losses import AnchorLosses, Losses, batch_losses, total_loss
from core.retinanet.model import RetinaNet
from core.retinanet.predict import detect_from, predict_by_shape
from core.structures import Detections, GroundTruth, Sample

BATCH = 4  # images per forward pass


class ImageResult(NamedTuple):
    """The detections and the ground truth of one image, without its pixels.

    Attributes:
        detections: The detections, in pixels of the original image, with the data set's labels.
        truth: The ground truth.
        image_id: The data set's id of the image.
        problem: Why the image is left out; it has neither detections nor ground truth then. "" if it is not.
    """

    detections: Detections
    truth: GroundTruth
    image_id: int
    problem: str = ""


class Evaluation(NamedTuple):
    """The COCO metrics of a detector, and its losses.

    Attributes:
        metrics: The metrics.
        losses: The training loss of all evaluated images as one batch, in evaluation mode; None without images.
    """

    metrics: Metrics
    losses: Losses | None


def count_images(data: DataSet, config: Config) -> int:
    """Returns how many images of a data set `training.eval_images` asks for, 0 meaning all of them."""
    return min(config.training.eval_images or len(data), len(data))


def predict_dataset(
    model: RetinaNet,
    class_names: Sequence[str],
    data: DataSet,
    config: Config,
    damaged: DamagedPictures | None = None,
    losses: list[AnchorLosses] | None = None,
    class_weights: Tensor | None = None,
) -> Iterator[list[ImageResult]]:
    """Detects objects in the first images of a data set, see `count_images`; yields batches in order.

    Args:
        model: The detector.
        class_names: Its class names. They are matched with those of the data set by name; detections of classes that
            the data set lacks are dropped, since it cannot say whether they are right.
        data: The data set.
        config: All settings.
        damaged: Receives the images that cannot be used.
        losses: Receives the losses of each image that can be used, added up over its anchors.
        class_weights: The weight of each of the detector's classes in its losses, [K]; by default 1.

    Raises:
        DataError: The detector lacks a class of the data set, or more than half of the images cannot be used.
    """
    count, fused = count_images(data, config), fuse_batch_norms(model)
    damaged = damaged or DamagedPictures(count)
    known = match_detector(config.model.weights, class_names, data.class_names)  # [K] of the data set
    labels = torch.full((len(class_names),), -1)
    labels[known] = torch.arange(len(data.class_names))
    for start in range(0, count, BATCH):
        read = [read_usable(data, index, config.inference) for index in range(start, min(start + BATCH, count))]
        samples = [each for each in read if isinstance(each, Sample)]
        own_labels = [sample._replace(labels=known[sample.labels]) for sample in samples]  # those of the detector
        found = iter(_detect(fused, own_labels, config, losses, class_weights))
        results = []
        for index, each in enumerate(read, start=start):
            if isinstance(each, Sample):
                results.append(ImageResult(_convert_labels(next(found), labels), GroundTruth.of(each), each.image_id))
            else:
                damaged.add(index, each)
                results.append(_leave_out(each))
        yield results


@torch.inference_mode()
def _detect(
    model: RetinaNet,
    samples: Sequence[Sample],
    config: Config,
    losses: list[AnchorLosses] | None,
    class_weights: Tensor | None,
) -> list[Detections]:
    """Returns the detections in each image, and appends its losses, computed from the same outputs."""
    found: dict[int, Detections] = {}
    for numbers, prediction in predict_by_shape(model, [sample.image for sample in samples], config):
        alike = [samples[number] for number in numbers]
        detections = detect_from(prediction, model, [sample.image for sample in alike], config)
        found |= zip(numbers, detections, strict=True)
        if losses is not None:
            of_anchors = batch_losses(prediction.outputs, prediction.batch, alike, config, class_weights)
            losses += [each.add_up() for each in of_anchors]
    return [found[number] for number in range(len(samples))]


def _convert_labels(detections: Detections, labels: Tensor) -> Detections:
    """Returns detections with the data set's labels; `labels` has that of each class of the network, −1 for none."""
    converted = labels.to(detections.labels.device)[detections.labels]
    keep = converted >= 0
    return Detections(detections.boxes[keep], detections.scores[keep], converted[keep])


def _leave_out(error: UserError) -> ImageResult:
    """Returns the result of an image that is left out; an empty one changes no metric and keeps the others' order."""
    boxes, labels = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    return ImageResult(
        Detections(boxes, torch.zeros(0), labels), GroundTruth(boxes, labels, labels.bool()), -1, str(error)
    )


def evaluate_dataset(
    model: RetinaNet,
    class_names: Sequence[str],
    data: DataSet,
    config: Config,
    damaged: DamagedPictures | None = None,
    class_weights: Tensor | None = None,
) -> Iterator[tuple[int, int] | Evaluation]:
    """Evaluates a detector on the first images of a data set; arguments and errors are those of `predict_dataset`.

    Yields:
        After each batch the number of images done and in total, and finally the evaluation.
    """
    done: list[ImageResult] = []
    losses: list[AnchorLosses] = []
    count = count_images(data, config)
    for batch in predict_dataset(model, class_names, data, config, damaged, losses, class_weights):
        done += batch
        yield len(done), count
    metrics = evaluate([each.detections for each in done], [each.truth for each in done], data.class_names)
    yield Evaluation(metrics, total_loss(losses, config.loss) if losses else None)
