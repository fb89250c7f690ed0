"""A training step, ResNet-18 with 64 channels, batch size 8, 256 px: whole, with a frozen backbone, with cached maps.

bfloat16 is measured if the machine multiplies matrices faster in it than in float32.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.clock import time_in_turn
from benchmarks.machine import measure_matrix_rate
from benchmarks.rows import Row, print_rows
from benchmarks.torchvision_detectors import RETINANET, build_network, build_ours, train_step
from core.config import Config
from core.data.dataset import DataSet
from core.data.sources import SceneData
from core.structures import Sample
from core.training.optimization.optimizer import build_optimizer
from core.training.records import StepRecord
from core.training.samples import TrainingStream
from core.training.trainer import Trainer

BATCH, PICTURES, MEGABYTES = 8, 16, 500
SETTINGS = {
    "loss.box_loss": "l1",  # supported by torchvision, too
    "loss.normaliser": "image",
    "inference.image_size": 256,
    "scenes.image_size": 256,
    "training.batch_size": BATCH,
    "training.steps": 1_000,
    "training.eval_interval": 0,
    "training.schedule": "constant",
    "training.warmup_steps": 0,
    "training.flip_probability": 0.0,  # the same images in every epoch
}


class Rendered(DataSet):
    """A few scenes rendered in advance, so that rendering is not measured."""

    class_names = SceneData.class_names

    def __init__(self, scenes: DataSet) -> None:
        self._samples = [scenes[index] for index in range(len(scenes))]

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._samples[index]


class Kind(NamedTuple):
    """A kind of training step: frozen stages, size of the feature cache, and the required speed-up over torchvision."""

    name: str
    stages: int
    megabytes: int
    goal: float


KINDS = (
    Kind("training step", 0, 0, 1.3),
    Kind("training step, backbone frozen", 5, 0, 1.5),
    Kind("training step, backbone frozen, maps cached", 5, MEGABYTES, 4.0),
)


def measure(repeats: int = 7) -> list[Row]:
    """Times steps in turn; all networks start with the same weights and see the same images.

    Raises:
        RuntimeError: The losses of the first steps differ.
    """
    config = Config.from_flat(SETTINGS)
    data = Rendered(SceneData(config.scenes, PICTURES, "train"))
    rates = {"fp32": measure_matrix_rate(torch.float32, 2048), "bf16": measure_matrix_rate(torch.bfloat16, 256)}
    precisions = [name for name, rate in rates.items() if rate >= rates["fp32"]]
    rows = []
    for kind in KINDS:
        settings = {"model.freeze_stages": kind.stages, "training.cache_features": kind.megabytes}
        works = {"torchvision": _theirs(config.replace({"model.freeze_stages": kind.stages}), data)}
        for precision in precisions:
            works[precision] = _ours(config.replace({**settings, "training.precision": precision}), data)
        _require_same({name: [work() for _ in range(PICTURES // BATCH)] for name, work in works.items()})
        operations = {precision: _operations(works[precision]) for precision in precisions}
        seconds = time_in_turn(works, repeats=repeats)
        for precision in precisions:
            done, rate = operations[precision], rates[precision]
            note = f"{done / 1e9:.0f} GFLOP at {done / seconds[precision] / 1e9:.0f} of {rate / 1e9:.0f} GFLOP/s"
            work = f"{kind.name}, {precision}"
            rows.append(Row(work, "torchvision", seconds["torchvision"], seconds[precision], kind.goal, note))
    return rows


def _ours(config: Config, data: DataSet) -> Callable[[], float]:
    """Returns a function that makes one step and returns its loss."""
    records = Trainer(build_ours(config, data), config).run(data, data)

    def step() -> float:
        record = next(records)
        assert isinstance(record, StepRecord)
        return record.classification + record.box

    return step


def _theirs(config: Config, data: DataSet) -> Callable[[], float]:
    network = build_network(RETINANET, config, data).train()
    if config.model.freeze_stages:
        network.backbone.body.requires_grad_(False)
        for module in network.backbone.body.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
    optimizer, batches = build_optimizer(network, config.training), _batches(config, data)
    rate = config.training.learning_rate
    return lambda: train_step(RETINANET, network, optimizer, rate, next(batches), config)


def _batches(config: Config, data: DataSet) -> Iterator[list[Sample]]:
    stream = TrainingStream(data, config)
    for step in range(config.training.steps):
        drawn = [stream[position] for position in range(step * BATCH, (step + 1) * BATCH)]
        yield [each.sample for each in drawn if each.sample]


def _require_same(losses: dict[str, list[float]]) -> None:
    """Compares the first two losses: the first checks the forward pass, the second the gradients as well."""
    for name, own in losses.items():
        tolerance = 0.05 if name.startswith("bf16") else 1e-3
        for theirs, ours in zip(losses["torchvision"], own, strict=True):
            if abs(ours - theirs) > tolerance * theirs:
                raise RuntimeError(f"{name}: the losses are {own}, torchvision's {losses['torchvision']}.")


def _operations(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


if __name__ == "__main__":
    print_rows(measure())
