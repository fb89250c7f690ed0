"""Training with cached features of a frozen backbone gives the same results."""

from itertools import islice

import pytest
import torch
from torch import nn

from core.config import Config, ConfigError
from core.data.sources import SceneData
from core.retinanet.model import build_model
from core.runs.folder import RunFolder
from core.runs.train import run_training
from core.training.feature_cache import FeatureCache
from core.training.records import StepRecord, TrainingError
from core.training.trainer import Trainer
from tests.core.networks import make_small_body

PICTURES = 4
TINY = {
    "model.weights": "random",
    "model.fpn_channels": 32,
    "model.num_convs": 1,
    "model.freeze_stages": 5,
    "inference.image_size": 64,
    "scenes.image_size": 64,
    "scenes.min_size": 0.3,
    "training.batch_size": 2,
    "training.steps": 12,  # six epochs of four images, each plain and mirrored
    "training.eval_interval": 0,
    "training.eval_images": 1,
    "training.cache_features": 100,
}


def tiny(**changes) -> Config:
    return Config.from_flat({**TINY, **{key.replace("__", "."): value for key, value in changes.items()}})


def trainer(config: Config, seed: int = 0) -> Trainer:
    torch.manual_seed(seed)
    model = build_model(config.model, num_classes=6, anchors_per_location=9, body=make_small_body())
    return Trainer(model, config)


def train(config: Config) -> tuple[list[tuple], dict, int]:
    """Returns the losses and gradients of each step, the final weights, and the number of backbone runs in training."""
    runs, here = [], trainer(config)
    own = here.model.backbone.body  # evaluations use a copy
    own.register_forward_hook(lambda body, *_: runs.append(body is own and here.model.training))
    losses = values(here, config)
    return losses, here.model.state_dict(), sum(runs)


def values(trainer: Trainer, config: Config, steps: int | None = None) -> list[tuple]:
    data = SceneData(config.scenes, PICTURES, "train"), SceneData(config.scenes, 1, "val")
    records = (record for record in trainer.run(*data) if isinstance(record, StepRecord))
    return [record._replace(images_per_second=0) for record in islice(records, steps)]  # all but the speed


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "batch_norm"), [("fp32", "frozen"), ("bf16", "live")])
def test_the_same_losses_and_weights(precision, batch_norm):
    same = {"training__precision": precision, "model__batch_norm": batch_norm}
    plain, plain_weights, all_runs = train(tiny(training__cache_features=0, **same))
    kept, kept_weights, runs = train(tiny(**same))
    # A backbone run on one image instead of two may round sums differently, and training propagates the difference.
    tolerance = 1e-4 if precision == "fp32" else 0.02
    for one, other in zip(plain, kept, strict=True):
        assert one[:-1] == pytest.approx(other[:-1], rel=tolerance)
        assert one.class_shares == pytest.approx(other.class_shares, rel=tolerance, abs=0.1 * tolerance)
    for name, weights in plain_weights.items():
        torch.testing.assert_close(kept_weights[name], weights, rtol=tolerance, atol=0.1 * tolerance, msg=name)
    assert all_runs == 12
    assert PICTURES < runs <= 2 * PICTURES  # images, not batches: each plain and mirrored


@pytest.mark.slow
def test_a_full_cache_changes_no_results(monkeypatch):
    enough, weights, runs = train(tiny())
    monkeypatch.setattr("core.training.feature_cache.MEGABYTE", 1200)  # room for two of eight
    scarce, scarce_weights, more_runs = train(tiny())
    assert enough == scarce
    assert all(torch.equal(weights[name], scarce_weights[name]) for name in weights)
    assert runs < more_runs < 24


@pytest.mark.slow
def test_a_run_that_resumes_goes_on_exactly():
    config = tiny()
    whole = values(trainer(config), config)
    first, second = trainer(config), trainer(config, seed=99)
    begun = values(first, config, 7)
    second.restore(first.state())
    assert begun + values(second, config) == whole


class Sums(nn.Module):
    """A backbone with one map of 4 bytes that counts its runs."""

    runs = 0

    def forward(self, pixels):
        self.runs += 1
        return {"C3": pixels.sum(dim=(1, 2, 3), keepdim=True)}


def image(value: int, height: int = 2, width: int = 3) -> torch.Tensor:
    return torch.full((3, height, width), value, dtype=torch.uint8)


def test_each_picture_is_known_by_its_pixels_shape_and_padding():
    body = Sums()
    cache = FeatureCache(body, 1)
    batch = torch.stack([torch.full((3, 4, 4), float(value)) for value in (1, 2)])
    (sums,) = cache.maps([image(1), image(2)], batch)
    assert sums.flatten().tolist() == [48, 96]
    (again,) = cache.maps([image(2), image(1), image(2)], batch[[1, 0, 1]])
    assert again.flatten().tolist() == [96, 48, 96] and body.runs == 2
    cache.maps([image(1)], torch.zeros(1, 3, 4, 8))  # another padding
    cache.maps([image(1, 3, 2)], batch[:1])  # the same bytes in another shape
    assert body.runs == 4


def test_the_first_maps_are_cached_while_there_is_room(monkeypatch):
    monkeypatch.setattr("core.training.feature_cache.MEGABYTE", 8)  # bytes, for two maps
    body = Sums()
    cache = FeatureCache(body, 1)
    for value in (1, 2, 3, 3, 1, 2):
        cache.maps([image(value)], torch.zeros(1, 3, 4, 4))
    assert body.runs == 4  # 1, 2, and 3 each time


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model__freeze_stages": 4},
            r"training.cache_features \(100 MB\) needs a backbone that is not trained: set model.freeze_stages to 5, "
            "or training.cache_features to 0.",
        ),
        (
            {"training__colour_jitter": 0.2},
            r"training.cache_features \(100 MB\) needs images that do not change from pass to pass, but "
            "training.colour_jitter is 0.2: set that to 0, or training.cache_features to 0.",
        ),
        ({"training__scale_jitter": 0.1}, "training.scale_jitter is 0.1"),
        ({"training__crop_probability": 1}, "training.crop_probability is 1"),
        ({"training__noise_jitter": 0.1}, "training.noise_jitter is 0.1"),
        ({"training__mosaic_probability": 0.5}, "training.mosaic_probability is 0.5"),
        ({"training__copy_paste_probability": 0.5}, "training.copy_paste_probability is 0.5"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny(**changes)
    tiny(**changes, training__cache_features=0)


def test_a_run_without_repeats_is_refused_and_leaves_nothing(tmp_path):
    folder = RunFolder(tmp_path / "run")
    message = "is for images that are seen again, but this run sees 24 different ones of 100,000"
    with pytest.raises(TrainingError, match=message):
        next(run_training(tiny(), "scenes", folder))
    assert not folder.path.exists()
