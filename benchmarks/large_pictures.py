"""Small objects in a large picture, found with and without tiles: `python -m benchmarks.large_pictures`.

On one 4000×3000 picture of scenes with 579 objects of 20 to 60 px (seed 0, built-in weights, 256 px, overlap 0.2):

| tiles | recall | precision at score 0.3 | seconds, two idle cores | peak memory beside network and picture |
| --- | --- | --- | --- | --- |
| none | 0.000 | 0.000 | 0.4 | 139 MiB |
| 256 px | 0.993 | 0.774 | 13.5 | 139 MiB |
| 384 px | 0.931 | 0.710 | 5.7 | 142 MiB |

Boxes at the edges of tiles, on a picture of 2000×1500 px with tiles of 256 px; recall is 1.000 each time. Precision is
0.591 if all are kept, 0.612 if those are dropped that another tile shows better (`core.retinanet.tiles.find_cut`), and
0.618 if all are dropped, which would lose objects that are wider than the overlap and too small for the whole picture.
"""

import argparse
import time
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.memory import measure_peak_mib
from core.config import Config, Scenes
from core.retinanet.boxes import iou_matrix
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.predict import detect
from core.scenes.render import render_scene
from core.structures import Detections, Sample
from core.weights.sources import adopt, build, load_weights

WIDTH, HEIGHT = 4000, 3000  # px
SHORTEST, LONGEST = 20, 60  # px, longer side of the objects
SCENE = 500  # px, side of the scenes that the picture is composed of
IOU, SCORE = 0.5, 0.3  # of a found object; of a detection that counts as false if it finds none


def compose_picture(width: int, height: int, *, seed: int, scene: int = SCENE) -> Sample:
    """Returns a picture of scenes side by side, cut at its borders, with objects of 20 to 60 px.

    Objects that a border of the picture cuts are left out of the ground truth if less than half of them remains.

    Args:
        width: Width of the picture, px.
        height: Height of the picture, px.
        seed: Seed of the scenes.
        scene: Side of the scenes, px.
    """
    image = torch.zeros(3, height, width, dtype=torch.uint8)
    settings = Scenes(
        seed=seed, image_size=scene, min_size=SHORTEST / scene, max_size=LONGEST / scene, min_objects=8, max_objects=16
    )
    boxes, labels = [], []
    places = [(left, top) for top in range(0, height, scene) for left in range(0, width, scene)]
    for index, (left, top) in enumerate(places):
        sample = render_scene(settings, index)
        part = image[:, top : top + scene, left : left + scene]
        part.copy_(sample.image[:, : part.shape[1], : part.shape[2]])
        boxes.append(sample.boxes + torch.tensor([left, top, left, top]))
        labels.append(sample.labels)
    every, kinds = torch.cat(boxes), torch.cat(labels)
    clipped = every.minimum(torch.tensor([width, height, width, height]))
    whole = (clipped[:, 2:] - clipped[:, :2]).clamp(min=0).prod(dim=1) >= (every[:, 2:] - every[:, :2]).prod(dim=1) / 2
    crowd = torch.zeros(int(whole.sum()), dtype=torch.bool)
    return Sample(image, clipped[whole], kinds[whole], crowd, seed)


class Result(NamedTuple):
    """What a detector finds in a picture.

    Attributes:
        recall: Share of the objects that a detection of their class overlaps with an IoU of at least 0.5.
        precision: Share of the detections with a score of at least 0.3 that overlap an object of their class so.
        seconds: Time of a call.
        processor: Processor time of the same call; the same as `seconds` for each busy core of an idle machine.
        peak: Peak memory of the call beyond the picture's own, MiB.
    """

    recall: float
    precision: float
    seconds: float
    processor: float
    peak: float


def measure(sample: Sample, config: Config) -> Result:
    """Detects the objects of a picture with the built-in weights."""
    weights = load_weights("builtin")
    config = adopt(config, weights)
    model = fuse_batch_norms(build(config, weights))
    detect(model, [sample.image[:, :400, :400]], config)  # loads what the first call needs
    found: list[Detections] = []
    start, busy = time.perf_counter(), time.process_time()
    peak = measure_peak_mib(lambda: found.extend(detect(model, [sample.image], config)))
    seconds, processor = time.perf_counter() - start, time.process_time() - busy
    return Result(*count_found(sample, found[0]), seconds, processor, peak)


def count_found(sample: Sample, found: Detections) -> tuple[float, float]:
    """Returns recall and precision, see `Result`."""
    alike = _overlaps(sample.boxes, sample.labels, found)
    sure = found.scores >= SCORE
    return alike.any(dim=1).float().mean().item(), alike[:, sure].any(dim=0).float().mean().item()


def _overlaps(boxes: Tensor, labels: Tensor, found: Detections) -> Tensor:
    """Returns which detections overlap which objects enough and are of their class, bool [M, N]."""
    return (iou_matrix(boxes, found.boxes) >= IOU) & (labels[:, None] == found.labels)


def main() -> None:
    """Prints recall, precision, time and memory without tiles and for several tile sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiles", type=int, nargs="+", default=(0, 256, 384, 512, 768))
    parser.add_argument("--overlap", type=float, nargs="+", default=(0.2,))
    options = parser.parse_args()
    sample = compose_picture(WIDTH, HEIGHT, seed=options.seed)
    print(f"{len(sample.boxes)} objects, {torch.get_num_threads()} threads")
    for size in options.tiles:
        for overlap in options.overlap:
            values = {"inference.tile_size": size, "inference.tile_overlap": overlap, "inference.max_detections": 1000}
            result = measure(sample, Config.from_flat(values))
            print(
                f"tiles {size:4} overlap {overlap:.2f}: recall {result.recall:.3f}, precision {result.precision:.3f}, "
                f"{result.seconds:5.1f} s ({result.processor:.1f} s of processors), {result.peak:4.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
