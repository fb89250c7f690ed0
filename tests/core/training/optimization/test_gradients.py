"""The gradient of a batch in parts is that of the whole batch."""

from itertools import islice

import pytest
import torch

from core.config import Config, ConfigError
from core.data.sources import SceneData
from core.retinanet.losses import batch_losses, total_loss
from core.retinanet.model import RetinaNet, build_model, freeze
from core.retinanet.preprocess import prepare
from core.structures import Sample
from core.training.distributed import make_accelerator
from core.training.optimization.gradients import BatchGradient, split_evenly
from core.training.trainer import Trainer
from tests.core.networks import make_small_body

TINY = {
    "model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "model.batch_norm": "frozen",
    "inference.image_size": 64, "scenes.image_size": 64, "scenes.min_size": 0.3, "training.batch_size": 5,
    "training.steps": 3, "training.eval_interval": 0, "training.eval_images": 2, "training.warmup_steps": 0,
}  # fmt: skip


def tiny(**changes) -> Config:
    return Config.from_flat({**TINY, **{key.replace("__", "."): value for key, value in changes.items()}})


def make_network(config: Config) -> RetinaNet:
    torch.manual_seed(0)
    anchors = config.anchors.per_location
    model = build_model(config.model, num_classes=6, anchors_per_location=anchors, body=make_small_body())
    freeze(model, 0, batch_norm=config.model.batch_norm)
    return model.train()


def make_samples() -> list[Sample]:
    """Five pictures of unequal numbers of objects and unequal shapes, one without objects."""
    scenes = SceneData(tiny().scenes, 5, "train")
    wide, empty, *others = (scenes[number] for number in range(5))
    none = torch.zeros(0, dtype=torch.int64)
    return [
        wide._replace(image=torch.cat([wide.image, wide.image], dim=2)),
        empty._replace(boxes=torch.zeros(0, 4), labels=none, crowd=none.bool()),
        *others,
    ]


def compute(config: Config) -> tuple[BatchGradient, torch.Tensor, list[float]]:
    """Returns what computes the gradient, the gradient of all parameters, and the losses and the foreground."""
    model = make_network(config)
    gradient = BatchGradient(model, model, config, make_accelerator())
    losses, foreground = gradient.compute(make_samples())
    return gradient, flatten_gradient(model), [*map(float, losses), foreground]


def flatten_gradient(model: RetinaNet) -> torch.Tensor:
    return torch.cat([each.grad.flatten() for each in model.parameters() if each.grad is not None])


def are_close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return bool((one - other).norm() < 1e-5 * one.norm())


@pytest.mark.parametrize(
    ("count", "parts", "sizes"),
    [(8, 1, [8]), (8, 2, [4, 4]), (5, 2, [2, 3]), (5, 3, [1, 2, 2]), (3, 64, [1, 1, 1]), (1, 4, [1])],
)
def test_a_batch_is_split_evenly(count, parts, sizes):
    found = split_evenly(count, parts)
    assert [each.stop - each.start for each in found] == sizes
    assert [index for each in found for index in range(count)[each]] == [*range(count)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["focal", "ohem", "quality_focal"])
@pytest.mark.parametrize("normaliser", ["image", "batch", "moving_average"])
def test_the_gradient_in_parts_is_that_of_the_batch(normaliser, kind):
    changes = {"loss__normaliser": normaliser, "loss__kind": kind}
    whole, expected, losses = compute(tiny(**changes))
    for parts in (2, 3, 64):
        made, found, sums = compute(tiny(**changes, training__accumulation=parts))
        assert are_close(expected, found), parts
        assert sums == pytest.approx(losses, rel=1e-5) and sums[2] == losses[2] > 5
        assert made.foreground.value == whole.foreground.value


@pytest.mark.slow
@pytest.mark.parametrize("normaliser", ["image", "batch"])
def test_the_gradient_in_parts_is_that_of_autograd(normaliser):
    """The plain reference: one graph of the whole batch."""
    config = tiny(loss__normaliser=normaliser, training__accumulation=2)
    model, samples = make_network(config), make_samples()
    batch = prepare([sample.image for sample in samples], config.inference)
    losses = total_loss(batch_losses(model(batch.pixels), batch, samples, config), config.loss)
    losses.total.backward()
    _, found, sums = compute(config)
    assert are_close(flatten_gradient(model), found)
    assert sums[:2] == pytest.approx([losses.classification.item(), losses.box.item()], rel=1e-5)


@pytest.mark.slow
def test_the_foreground_may_follow_from_the_outputs():
    """By SimOTA the normaliser is known only after the last part."""
    changes = {"matching__assigner": "simota", "loss__normaliser": "batch"}
    _, expected, losses = compute(tiny(**changes))
    _, found, sums = compute(tiny(**changes, training__accumulation=2))
    assert are_close(expected, found) and sums == pytest.approx(losses, rel=1e-5)


@pytest.mark.slow
def test_the_network_never_sees_more_than_a_part():
    config, seen = tiny(training__accumulation=2), []
    model = make_network(config)
    model.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape)))
    BatchGradient(model, model, config, make_accelerator()).compute(make_samples())
    assert seen == [(2, 3, 64, 128), (3, 3, 64, 128)]  # padded as in the whole batch


@pytest.mark.slow
def test_live_batch_norms_see_the_parts_alone():
    whole, parts = (compute(tiny(model__batch_norm="live", training__accumulation=parts))[1] for parts in (1, 2))
    assert not are_close(whole, parts) and whole.norm() > 0


@pytest.mark.slow
@pytest.mark.parametrize("normaliser", ["image", "moving_average"])
def test_a_run_in_parts_is_the_run_and_resumes_exactly(normaliser):
    def train(trainer: Trainer) -> list[tuple]:
        splits = (SceneData(config.scenes, 20, split) for split in ("train", "val"))
        return trainer.run(*splits)

    def keep(records) -> list[tuple]:
        # All but the speed.
        return [record._replace(images_per_second=0) for record in records if hasattr(record, "learning_rate")]

    config = tiny(loss__normaliser=normaliser)
    plain = keep(train(Trainer(make_network(config), config)))
    config = tiny(loss__normaliser=normaliser, training__accumulation=2)
    first = Trainer(make_network(config), config)
    begun = keep(islice(train(first), 2))
    second = Trainer(make_network(config), config)
    second.restore(first.state())
    whole = keep(train(Trainer(make_network(config), config)))
    assert begun + keep(train(second)) == whole
    for one, other in zip(plain, whole, strict=True):
        assert one[:-1] == pytest.approx(other[:-1], rel=1e-3)
        assert one.class_shares == pytest.approx(other.class_shares, rel=1e-3, abs=1e-6)


def test_ghm_is_refused():
    with pytest.raises(ConfigError, match=r"training\.accumulation \(2 parts\) does not fit loss\.kind ghm"):
        tiny(loss__kind="ghm", training__accumulation=2)
