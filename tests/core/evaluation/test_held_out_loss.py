"""The held-out loss of an evaluation: the training loss of the same images, in evaluation mode."""

from dataclasses import astuple

import pytest
import torch

from core.config import Config
from core.data.dataset import DataSet
from core.errors import PictureError
from core.evaluation.dataset_predictions import Evaluation, evaluate_dataset
from core.retinanet.losses import batch_losses, total_loss
from core.retinanet.model import RetinaNet, build_model
from core.retinanet.preprocess import prepare
from core.structures import Sample

pytestmark = pytest.mark.slow

NAMES = ("cat", "dog")
CONFIG = Config.from_flat(
    {
        "model.fpn_channels": 32,
        "model.num_convs": 1,
        "inference.image_size": 64,
        "inference.score_threshold": 0.2,
        "training.eval_images": 0,
    }
)


class Boxes(DataSet):
    """Pictures with numbers of objects that differ; the one of the given index cannot be used."""

    class_names = NAMES

    def __init__(self, count: int = 6, *, sizes: tuple[tuple[int, int], ...] = ((64, 64),), damaged: int = -1) -> None:
        self.count, self.sizes, self.damaged = count, sizes, damaged

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        if index == self.damaged:
            raise PictureError("It is cut.")
        generator = torch.Generator().manual_seed(index)
        height, width = self.sizes[index % len(self.sizes)]
        image = torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
        corners = torch.rand(index, 2, generator=generator) * 30
        boxes = torch.cat((corners, corners + 16 + torch.rand(index, 2, generator=generator) * 16), dim=1)
        crowd = torch.arange(index) == 3
        return Sample(image, boxes, torch.arange(index) % 2, crowd, index)


@pytest.fixture(scope="module")
def model() -> RetinaNet:
    torch.manual_seed(0)
    return build_model(CONFIG.model, num_classes=2, anchors_per_location=9).eval()


def measure(model: RetinaNet, data: DataSet, config: Config = CONFIG, names: tuple[str, ...] = NAMES) -> Evaluation:
    *_, found = evaluate_dataset(model, names, data, config)
    assert isinstance(found, Evaluation)
    return found


def losses(found: Evaluation) -> tuple[float, float]:
    assert found.losses is not None
    return found.losses.classification.item(), found.losses.box.item()


@torch.no_grad()
def train_loss(model: RetinaNet, samples: list[Sample], config: Config) -> tuple[float, float]:
    batch = prepare([sample.image for sample in samples], config.inference)
    total = total_loss(batch_losses(model(batch.pixels), batch, samples, config), config.loss)
    return total.classification.item(), total.box.item()


@pytest.mark.parametrize("normaliser", ["image", "batch", "moving_average"])
@pytest.mark.parametrize("kind", ["focal", "ohem", "ghm"])
def test_it_is_the_training_loss_of_all_images_as_one_batch(model, normaliser, kind):
    config = CONFIG.replace({"loss.normaliser": normaliser, "loss.kind": kind, "loss.box_loss": "giou"})
    data = Boxes()
    expected = train_loss(model, [data[index] for index in range(6)], config)
    assert losses(measure(model, data, config)) == pytest.approx(expected, rel=1e-4)


def test_it_is_the_mean_over_the_images_whatever_their_shapes(model):
    data = Boxes(sizes=((64, 64), (64, 128), (90, 64)))
    each = [train_loss(model, [data[index]], CONFIG) for index in range(6)]
    mean = tuple(sum(values) / 6 for values in zip(*each, strict=True))
    assert losses(measure(model, data)) == pytest.approx(mean, rel=1e-4)


def test_images_that_cannot_be_used_and_those_beyond_the_limit_do_not_count(model):
    data = Boxes(damaged=2)
    expected = train_loss(model, [data[index] for index in (0, 1, 3)], CONFIG)
    found = measure(model, data, CONFIG.replace({"training.eval_images": 4}))
    assert losses(found) == pytest.approx(expected, rel=1e-4)


def test_classes_are_matched_by_name(model):
    class Swapped(Boxes):
        class_names = ("dog", "cat")

        def __getitem__(self, index: int) -> Sample:
            sample = super().__getitem__(index)
            return sample._replace(labels=1 - sample.labels)

    assert losses(measure(model, Swapped())) == pytest.approx(losses(measure(model, Boxes())))
    other = losses(measure(model, Boxes(), names=("dog", "cat")))
    assert other[0] != pytest.approx(losses(measure(model, Boxes()))[0], rel=1e-3)


def test_score_threshold_and_nms_do_not_matter(model):
    strict = CONFIG.replace({"inference.score_threshold": 1.0, "inference.max_detections": 1})
    assert losses(measure(model, Boxes(), strict)) == losses(measure(model, Boxes()))


def test_images_without_objects_have_a_classification_loss_only(model):
    classification, box = losses(measure(model, Boxes(1)))
    assert classification > 0 and box == 0


def test_without_images_there_is_none(model):
    found = measure(model, Boxes(0))
    assert found.losses is None and all(value != value for value in astuple(found.metrics)[:3])
