"""Runs a detector over a data set and keeps its detections beside the ground truth."""

from collections.abc import Iterator
from typing import NamedTuple

from core.config import Config
from core.data.dataset import DataSet
from core.evaluation.coco_metrics import Metrics, evaluate
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.model import RetinaNet
from core.retinanet.predict import detect
from core.structures import Detections, GroundTruth

BATCH = 4  # images per forward pass


class ImageResult(NamedTuple):
    """The detections and the ground truth of one image, without its pixels.

    Attributes:
        detections: The detections, in pixels of the original image.
        truth: The ground truth.
        image_id: The data set's id of the image.
    """

    detections: Detections
    truth: GroundTruth
    image_id: int


def predict_dataset(model: RetinaNet, data: DataSet, config: Config) -> Iterator[list[ImageResult]]:
    """Detects objects in the first `training.eval_images` images of a data set; yields batches in order."""
    fused = fuse_batch_norms(model)
    count = min(config.training.eval_images, len(data))
    for start in range(0, count, BATCH):
        samples = [data[index] for index in range(start, min(start + BATCH, count))]
        detections = detect(fused, [sample.image for sample in samples], config)
        yield [
            ImageResult(each, GroundTruth.of(sample), sample.image_id)
            for each, sample in zip(detections, samples, strict=True)
        ]


def evaluate_dataset(model: RetinaNet, data: DataSet, config: Config) -> Iterator[tuple[int, int] | Metrics]:
    """Evaluates a detector on the first `training.eval_images` images of a data set.

    Yields:
        After each batch the number of images done and in total, and finally the metrics.
    """
    done: list[ImageResult] = []
    count = min(config.training.eval_images, len(data))
    for batch in predict_dataset(model, data, config):
        done += batch
        yield len(done), count
    yield evaluate([each.detections for each in done], [each.truth for each in done], data.class_names)
