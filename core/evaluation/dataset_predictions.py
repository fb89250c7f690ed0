"""What a network says of the pictures of a data set, beside what is true."""

from collections.abc import Iterator
from typing import NamedTuple

from core.config import Config
from core.data.dataset import DataSet
from core.evaluation.coco_metrics import Metrics, evaluate
from core.retinanet.fuse import folded
from core.retinanet.model import RetinaNet
from core.retinanet.predict import detect
from core.structures import Detections, GroundTruth

BATCH = 4  # pictures at a time


class ImageResult(NamedTuple):
    """One picture of an evaluation, without its pixels.

    Attributes:
        found: What the network detects.
        truth: The objects.
        image_id: The data set's number of the picture.
    """

    found: Detections
    truth: GroundTruth
    image_id: int


def findings(model: RetinaNet, data: DataSet, config: Config) -> Iterator[list[ImageResult]]:
    """Looks at the first `training.eval_images` pictures of a data set; yields a few at a time, in order."""
    fast = folded(model)
    count = min(config.training.eval_images, len(data))
    for start in range(0, count, BATCH):
        samples = [data[index] for index in range(start, min(start + BATCH, count))]
        found = detect(fast, [sample.image for sample in samples], config)
        yield [
            ImageResult(each, GroundTruth.of(sample), sample.image_id)
            for each, sample in zip(found, samples, strict=True)
        ]


def evaluation_steps(model: RetinaNet, data: DataSet, config: Config) -> Iterator[tuple[int, int] | Metrics]:
    """Evaluates a network on the first `training.eval_images` pictures of a data set, a few at a time.

    Yields:
        (pictures done, pictures in all) as it goes, and the COCO figures at last.
    """
    done: list[ImageResult] = []
    count = min(config.training.eval_images, len(data))
    for batch in findings(model, data, config):
        done += batch
        yield len(done), count
    yield evaluate([each.found for each in done], [each.truth for each in done], data.class_names)
