"""How well explanations name what detections rest on: `python -m benchmarks.explanations [--scenes N] [--masks N]`.

One detection of each held-out scene is explained. Each map is compared with random masks by the correlation of ranks
around the box, and by deletion: what is left of the score, or of the IoU, on average while the area of the box is
hidden, the most important pixels first. Two maps that know the box and nothing else are compared with: a Gaussian on
it, and its pixels in a random order.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.clock import time_in_turn
from core.config import Config
from core.data.sources import open_data
from core.explain.agreement import correlate_maps
from core.explain.deletion import delete, draw_in_box
from core.explain.evidence import Evidence, find_evidence
from core.explain.maps import enlarge, map_features, map_pixels
from core.explain.occlusion import map_occlusion
from core.explain.receptive_field import measure_field
from core.explain.target import PARTS, Subject, Target
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.model import RetinaNet
from core.retinanet.postprocess import select_detections
from core.retinanet.predict import extract_candidates, make_batch_anchors, predict
from core.weights.sources import adopt, build, load_weights

SURE = 0.5  # score from which a detection is explained
CHANCE, ANYWHERE = "box, pixels at random", "picture, at random"


class Scored(NamedTuple):
    """A map of one detection: its rank correlation with random masks, and its deletion area."""

    part: str
    name: str
    correlation: float
    deletion: float


def main() -> None:
    """Prints a line for each kind of map."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=50)
    parser.add_argument("--masks", type=int, default=128)
    options = parser.parse_args()
    weights = load_weights("builtin")
    config = adopt(Config(), weights)
    model = fuse_batch_norms(build(config, weights))
    scored: list[Scored] = []
    explained = 0
    for number, (subject, box) in enumerate(choose(model, config, options.scenes)):
        if number == 0:
            print_time(subject)
        explained += 1
        for part in PARTS:
            scored += score(subject._replace(target=subject.target._replace(part=part)), box, options.masks, number)
    print(f"{explained} detections in {options.scenes} scenes, {options.masks} masks each; means")
    print(f"{'of':6}{'map':24}{'rank correlation':>17}{'deletion area':>15}{'below chance':>14}")
    for part in PARTS:
        print_part([each for each in scored if each.part == part])


def choose(model: RetinaNet, config: Config, scenes: int) -> Iterator[tuple[Subject, Tensor]]:
    """Yields a detection of each held-out scene, drawn among the sure ones, and its box [4]."""
    data, generator = open_data("scenes", "test", config.scenes, scenes), torch.Generator().manual_seed(0)
    for index in range(scenes):
        prediction = predict(model, [data[index].image], config)
        candidates = extract_candidates(prediction, 0, config)
        order, scores, _ = select_detections(candidates, config.inference)
        sure = order[scores[order] >= SURE]
        if not len(sure):
            continue
        chosen = sure[torch.randint(len(sure), (1,), generator=generator)].item()
        grid = make_batch_anchors(prediction.batch, config.anchors)
        target = Target(int(candidates.anchor[chosen]), int(candidates.label[chosen]))
        yield Subject(model, prediction.batch.pixels, grid, target), candidates.box[chosen]


def score(subject: Subject, box: Tensor, masks: int, seed: int) -> Iterator[Scored]:
    """Yields the scores of each kind of map for a prediction."""
    x1, y1, x2, y2 = box.tolist()
    occlusion = map_occlusion(subject, masks=masks, seed=seed)
    for name, make in make_maps(find_evidence(subject), (x1, y1, x2, y2), seed).items():
        importance = make()
        correlation = correlate_maps(importance, occlusion, (x1, y1, x2, y2))
        deletion = delete(subject, importance, (x2 - x1) * (y2 - y1)).area
        yield Scored(subject.target.part, name, correlation, deletion)


def make_maps(evidence: Evidence, box: tuple[float, float, float, float], seed: int) -> dict[str, Callable[[], Tensor]]:
    """Returns the kinds of maps by name, each [H, W]."""
    like = evidence.pixels[0]
    return {
        "pixels": lambda: map_pixels(evidence),
        "features": lambda: enlarge(map_features(evidence), *like.shape),
        "a Gaussian on the box": lambda: draw_gaussian(like, box),
        CHANCE: lambda: draw_in_box(like, box, seed),
        ANYWHERE: lambda: draw_in_box(like, (0, 0, 0, 0), seed),
    }


def draw_gaussian(like: Tensor, box: tuple[float, float, float, float]) -> Tensor:
    """Returns a Gaussian of which a box is two standard deviations wide and high in both directions."""
    x1, y1, x2, y2 = box
    rows, columns = (torch.arange(size) + 0.5 for size in like.shape)
    down, across = (4 * (rows - (y1 + y2) / 2) / (y2 - y1)), (4 * (columns - (x1 + x2) / 2) / (x2 - x1))
    return torch.exp(-(down[:, None] ** 2 + across**2) / 2)


def print_time(subject: Subject) -> None:
    """Prints how long an explanation takes beside a forward pass."""

    def explain() -> None:
        evidence = find_evidence(subject)
        map_pixels(evidence), map_features(evidence), measure_field(evidence.pixel_gradient)

    @torch.inference_mode()
    def predict_once() -> None:
        subject.model(subject.pixels)

    seconds = time_in_turn({"explanation": explain, "forward pass": predict_once}, repeats=9)
    times = ", ".join(f"{name} {1000 * each:.0f} ms" for name, each in seconds.items())
    print(f"{times}; {torch.get_num_threads()} threads", flush=True)


def print_part(scored: list[Scored]) -> None:
    """Prints a line for each kind of map of one part of the prediction."""
    by_name: dict[str, list[Scored]] = {}
    for each in scored:
        by_name.setdefault(each.name, []).append(each)
    chance = [each.deletion for each in by_name.get(CHANCE, [])]
    for name, rows in by_name.items():
        below = statistics.mean(each.deletion < by_chance for each, by_chance in zip(rows, chance, strict=True))
        correlation, deletion = (statistics.mean(each[index] for each in rows) for index in (2, 3))
        print(f"{rows[0].part:6}{name:24}{correlation:17.2f}{deletion:15.3f}{below:14.0%}")


if __name__ == "__main__":
    main()
