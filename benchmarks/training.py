"""Images a second of a training step at 256 px, batch 8: all of the network and with the body frozen, fp32 and bf16."""

import itertools

import torch

from benchmarks.clock import side_by_side
from core.config import Config
from core.data import DataSet, SceneData
from core.model import build_model
from core.training import Trainer


def main() -> None:
    """Prints one line a setting."""
    works = {}
    for precision, frozen in itertools.product(("fp32", "bf16"), (0, 5)):
        config = Config.from_flat(
            {
                "model.freeze_stages": frozen,
                "training.precision": precision,
                "inference.image_size": 256,
                "scenes.image_size": 256,
                "training.steps": 1000,
                "training.eval_interval": 0,
            }
        )
        torch.manual_seed(0)
        data = SceneData(config.scenes, 8, "train")
        model = build_model(config.model, num_classes=len(data.class_names), anchors_per_place=9)
        samples = [data[index] for index in range(8)]
        steps = Trainer(model, config).run(Fixed(samples), data)
        works[f"{precision}, {frozen} stages frozen"] = lambda steps=steps: next(steps)
    for name, seconds in side_by_side(works, repeats=7).items():
        print(f"{name:24} {1000 * seconds:6.0f} ms a step  {8 / seconds:5.1f} images/s")


class Fixed(DataSet):
    """The same few samples, rendered beforehand: the step is measured, not the renderer."""

    def __init__(self, samples: list) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int):
        return self._samples[index]


if __name__ == "__main__":
    main()
