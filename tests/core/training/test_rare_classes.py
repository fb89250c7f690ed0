"""Runs with class weights and repeat factors: resumed exactly, with loading processes, and in the held-out loss."""

from itertools import islice

import pytest
import torch

from core.config import Config
from core.data.sources import SceneData
from core.retinanet.losses import batch_losses, total_loss, weigh_classes
from core.retinanet.model import build_model
from core.retinanet.preprocess import prepare
from core.runs.folder import RunFolder
from core.runs.train import run_training
from core.training.records import EvaluationRecord, StepRecord
from core.training.trainer import Trainer
from tests.core.networks import make_small_body

RARE = {
    "model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 64,
    "scenes.image_size": 64, "scenes.min_size": 0.3, "scenes.imbalance": 1.0, "training.batch_size": 2,
    "training.steps": 4, "training.eval_interval": 0, "training.eval_images": 4, "training.warmup_steps": 0,
    "loss.class_weights": "inverse_frequency", "training.sampler": "repeat_factor", "training.repeat_threshold": 1.0,
}  # fmt: skip
CONFIG = Config.from_flat(RARE)


def make_trainer(config: Config = CONFIG) -> Trainer:
    torch.manual_seed(0)
    anchors = config.anchors.per_location
    return Trainer(
        build_model(config.model, num_classes=6, anchors_per_location=anchors, body=make_small_body()), config
    )


def run(trainer: Trainer, **options) -> list:
    config = trainer.config
    return trainer.run(SceneData(config.scenes, 20, "train"), SceneData(config.scenes, 4, "val"), **options)


def keep(records) -> list[tuple]:
    """Returns the steps, but for their speed."""
    return [record._replace(images_per_second=0) for record in records if isinstance(record, StepRecord)]


@pytest.mark.slow
def test_a_run_resumes_exactly_and_loading_processes_change_nothing():
    whole = keep(run(make_trainer()))
    first = make_trainer()
    begun = keep(islice(run(first), 2))
    second = make_trainer()
    second.restore(first.state())
    assert begun + keep(run(second)) == whole == keep(run(make_trainer(), workers=1))
    plain = CONFIG.replace({"loss.class_weights": "none"})
    uniform = CONFIG.replace({"training.sampler": "uniform"})
    assert whole not in (keep(run(make_trainer(plain))), keep(run(make_trainer(uniform))))


@pytest.mark.slow
def test_the_losses_have_the_weights_of_the_training_data():
    """The first step's and the held-out loss, against the plain loss of the same pictures with the weights."""
    trainer = make_trainer(CONFIG.replace({"training.steps": 1, "training.learning_rate": 0.0}))
    records = list(run(trainer))
    counts = SceneData(CONFIG.scenes, 20, "train").class_counts
    model, config = trainer.result.eval(), trainer.config
    samples = [SceneData(config.scenes, 4, "val")[index] for index in range(4)]
    batch = prepare([sample.image for sample in samples], config.inference)
    with torch.inference_mode():
        outputs = model(batch.pixels)
        losses = batch_losses(outputs, batch, samples, config, weigh_classes(counts.tolist(), config.loss))
        plain = total_loss(batch_losses(outputs, batch, samples, config), config.loss)
    (evaluation,) = (each for each in records if isinstance(each, EvaluationRecord))
    expected = total_loss(losses, config.loss)
    assert evaluation.losses.classification == pytest.approx(expected.classification.item(), rel=1e-4)
    assert evaluation.losses.box == pytest.approx(plain.box.item(), rel=1e-4)
    assert evaluation.losses.classification != pytest.approx(plain.classification.item(), rel=1e-2)


@pytest.mark.slow
def test_a_run_says_what_rare_classes_get(tmp_path):
    folder = RunFolder(tmp_path / "run")
    list(run_training(CONFIG.replace({"training.steps": 1}), "scenes", folder))
    reading = folder.read_about().reading
    assert reading.startswith("Class weights of foreground follow from the number n of expected objects: from ")
    assert "are repeated" in reading
    plain = RunFolder(tmp_path / "plain")
    unweighted = {"loss.class_weights": "none", "training.sampler": "uniform", "training.steps": 1}
    list(run_training(CONFIG.replace(unweighted), "scenes", plain))
    assert plain.read_about().reading == ""
