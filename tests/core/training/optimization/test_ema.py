"""The moving average of weights: by hand, in training, and in checkpoints."""

import pytest
import torch
from torch import nn

from core.config import Config
from core.data.sources import SceneData
from core.retinanet.model import build_model
from core.runs.checkpoint import load_checkpoint
from core.runs.folder import RunFolder
from core.runs.train import run_training
from core.training.optimization.ema import build_average
from core.training.trainer import Trainer
from core.weights.sources import load_weights

TINY = {
    "model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 0, "inference.image_size": 64,
    "scenes.image_size": 64, "scenes.min_size": 0.3, "training.batch_size": 1, "training.steps": 3,
    "training.eval_images": 1, "training.eval_interval": 0, "training.ema_decay": 0.9,
}  # fmt: skip


def test_average_by_hand():
    """The first update copies; then step n weighs 1 − min(decay, (1 + n) / (10 + n))."""
    model = nn.Linear(1, 1, bias=False)
    average = build_average(model, 0.15)
    for value in (1.0, 2.0, 4.0):
        nn.init.constant_(model.weight, value)
        average.update_parameters(model)
    one = 2.0 + (1.0 - 2.0) * 0.15  # n = 1: 2/11 is above 0.15
    assert average.module.weight.item() == pytest.approx(4.0 + (one - 4.0) * 0.15)


def test_the_ramp_forgets_the_initial_weights():
    model = nn.Linear(1, 1, bias=False)
    average = build_average(model, 0.999)
    nn.init.constant_(model.weight, 1.0)
    average.update_parameters(model)
    nn.init.constant_(model.weight, 0.0)
    average.update_parameters(model)
    assert average.module.weight.item() == pytest.approx(2 / 11)


def test_statistics_and_counters_are_averaged():
    model = nn.BatchNorm1d(2)
    average = build_average(model, 0.5)
    for _ in range(3):
        model.train()(torch.randn(4, 2))
        average.update_parameters(model)
    assert average.module.num_batches_tracked == 3
    assert not torch.equal(average.module.running_mean, model.running_mean)


def trainer(config: Config) -> Trainer:
    torch.manual_seed(0)
    return Trainer(build_model(config.model, num_classes=6, anchors_per_location=9), config)


@pytest.mark.slow
def test_averaging_does_not_change_training_and_gives_the_result():
    plain, smooth = trainer(Config.from_flat({**TINY, "training.ema_decay": 0})), trainer(Config.from_flat(TINY))
    for each in (plain, smooth):
        data = SceneData(each.config.scenes, 20, "train")
        list(each.run(data, data))
    assert plain.result is plain.model and smooth.result is not smooth.model
    weights = [each.model.head["regression_head"].bbox_reg.weight for each in (plain, smooth)]
    assert torch.equal(*weights)
    assert not torch.equal(weights[1], smooth.result.head["regression_head"].bbox_reg.weight)


@pytest.mark.slow
def test_the_average_is_saved_and_resumed(tmp_path):
    config = Config.from_flat(TINY)
    list(run_training(config, "scenes", RunFolder(tmp_path / "whole")))
    folder = RunFolder(tmp_path / "stopped")
    records = run_training(config, "scenes", folder)
    next(records)
    records.close()
    list(run_training(config, "scenes", folder, resume=True))
    whole, resumed = (load_weights(str(tmp_path / name / "weights.safetensors")).state for name in ("whole", "stopped"))
    assert all(torch.equal(value, resumed[key]) for key, value in whole.items())
    raw = load_checkpoint(folder.checkpoint)["model"]
    assert not all(torch.equal(value, raw[key]) for key, value in resumed.items())
