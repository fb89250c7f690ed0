"""Detection in sixteen images of different shapes, one by one and as a batch: torchvision and ours."""

from collections.abc import Sequence

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.clock import time_in_turn
from benchmarks.machine import measure_matrix_rate
from benchmarks.rows import Row, print_rows
from benchmarks.torchvision_detectors import retinanet
from core.config import Config
from core.data.sources import open_data
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.predict import detect
from core.structures import Detections
from core.weights.sources import adopt, build, load_weights

SIDE = 320
# Height and width: common shapes of photographs, portrait and landscape.
SHAPES = ((480, 640), (640, 480), (427, 640), (640, 427), (640, 640), (480, 640), (360, 640), (512, 640)) * 2
GOAL = 1.3


def measure(repeats: int = 5) -> list[Row]:
    """Times the built-in detector, in seconds per image.

    Raises:
        RuntimeError: The detections differ.
    """
    weights = load_weights("builtin")
    config = adopt(Config.from_flat({"inference.image_size": SIDE, "scenes.image_size": 640}), weights)
    ours, theirs = build(config, weights).eval(), retinanet(config, len(weights.class_names)).eval()
    theirs.load_state_dict(ours.state_dict())
    fast = fuse_batch_norms(ours)  # as `core detect` does
    data = open_data("scenes", "test", config.scenes, len(SHAPES))
    images = [data[number].image[:, :height, :width] for number, (height, width) in enumerate(SHAPES)]
    works = {
        "theirs, one by one": lambda: [_torchvision(theirs, [image])[0] for image in images],
        "theirs, batch": lambda: _torchvision(theirs, images),
        "one by one": lambda: [detect(fast, [image], config)[0] for image in images],
        "batch": lambda: detect(fast, images, config),
    }
    for name in ("one by one", "batch"):
        _require_same(works["theirs, one by one"](), works[name](), name)
    with FlopCounterMode(display=False) as counter:
        works["batch"]()
    done = counter.get_total_flops() / len(images)
    seconds = {name: value / len(images) for name, value in time_in_turn(works, repeats=repeats).items()}
    name, now = f"an image in a batch of {len(images)}, R18, {SIDE} px", seconds["batch"]
    rate = measure_matrix_rate(torch.float32, 2048)
    note = f"{done / 1e9:.0f} GFLOP at {done / now / 1e9:.0f} of {rate / 1e9:.0f} GFLOP/s"
    return [
        Row(name, "one by one", seconds["one by one"], now, GOAL, note),
        Row(name, "torchvision one by one", seconds["theirs, one by one"], now, GOAL),
        Row(name, "torchvision batch", seconds["theirs, batch"], now, GOAL),
    ]


@torch.inference_mode()
def _torchvision(network: torch.nn.Module, images: Sequence[torch.Tensor]) -> list[Detections]:
    found = network([image.float() / 255 for image in images])
    return [Detections(each["boxes"], each["scores"], each["labels"]) for each in found]


def _require_same(theirs: Sequence[Detections], ours: Sequence[Detections], name: str) -> None:
    for number, (expected, found) in enumerate(zip(theirs, ours, strict=True)):
        same = len(expected.scores) == len(found.scores) and all(
            torch.allclose(one.float(), other.float(), rtol=0, atol=tolerance)
            for one, other, tolerance in zip(expected, found, (0.05, 1e-4, 0), strict=True)
        )
        if not same:
            raise RuntimeError(f"Image {number}, {name}: the detections differ from torchvision's.")


if __name__ == "__main__":
    print_rows(measure())
