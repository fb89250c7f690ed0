"""A training step with the body frozen, R18/64, batch 8 at 256 px: torchvision's, ours, ours from kept maps.

bfloat16 is measured where the machine multiplies matrices in it faster than in float32.
"""

from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.clock import side_by_side
from benchmarks.machine import matrix_rate
from benchmarks.rows import Row, print_rows
from benchmarks.torchvision_detectors import RETINANET, initial, new_network, train_step
from core.config import Config
from core.data import DataSet, SceneData
from core.optimization import build_optimizer
from core.sample import Sample
from core.stream import TrainingStream
from core.training import Trainer

BATCH, PICTURES, MEGABYTES = 8, 16, 500
FROZEN, KEPT = 1.5, 4.0  # goals
SETTINGS = {
    "model.freeze_stages": 5,
    "loss.box_loss": "l1",  # one that torchvision has, too
    "loss.normaliser": "image",
    "inference.image_size": 256,
    "scenes.image_size": 256,
    "training.batch_size": BATCH,
    "training.steps": 1_000,
    "training.eval_interval": 0,
    "training.schedule": "constant",
    "training.warmup_steps": 0,
    "training.flip_probability": 0.0,  # the same pictures in every step
}


class Rendered(DataSet):
    """A few scenes rendered beforehand: the step is measured, not the renderer."""

    class_names = SceneData.class_names

    def __init__(self, scenes: DataSet) -> None:
        self._samples = [scenes[index] for index in range(len(scenes))]

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._samples[index]


def measure(repeats: int = 7) -> list[Row]:
    """Times steps in turn; all start with the same weights and see the same pictures.

    Raises:
        RuntimeError: The losses of the first steps differ.
    """
    config = Config.from_flat(SETTINGS)
    data = Rendered(SceneData(config.scenes, PICTURES, "train"))
    rates = {"fp32": matrix_rate(torch.float32, 2048), "bf16": matrix_rate(torch.bfloat16, 256)}
    precisions = [name for name, rate in rates.items() if rate >= rates["fp32"]]
    works = {"torchvision": _theirs(config, data)}
    for precision in precisions:
        for megabytes in (0, MEGABYTES):
            settings = {"training.precision": precision, "training.cache_features": megabytes}
            works[f"{precision}, {megabytes}"] = _ours(config.replace(settings), data)
    _require_same({name: [work() for _ in range(PICTURES // BATCH)] for name, work in works.items()})
    operations = {name: _operations(work) for name, work in works.items()}
    seconds = side_by_side(works, repeats=repeats)
    rows = []
    for name in list(works)[1:]:
        precision, _, megabytes = name.partition(", ")
        kept = megabytes != "0"
        done, rate = operations[name], rates[precision]
        note = f"{done / 1e9:.0f} GFLOP at {done / seconds[name] / 1e9:.0f} of {rate / 1e9:.0f} GFLOP/s"
        work = f"training step, body frozen{' and its maps kept' if kept else ''}, {precision}"
        rows.append(Row(work, "torchvision", seconds["torchvision"], seconds[name], KEPT if kept else FROZEN, note))
    return rows


def _ours(config: Config, data: DataSet) -> Callable[[], float]:
    """Returns a function that makes a step and returns its loss."""
    records = Trainer(initial(config, data), config).run(data, data)

    def step() -> float:
        record = next(records)
        return record.classification + record.box

    return step


def _theirs(config: Config, data: DataSet) -> Callable[[], float]:
    network = new_network(RETINANET, config, data).train()
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
        yield [stream[position] for position in range(step * BATCH, (step + 1) * BATCH)]


def _require_same(losses: dict[str, list[float]]) -> None:
    """The first losses come from the weights as they are; the second ones also tell whether gradients are alike."""
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
