"""Who pays and who steers, by γ, over held-out scenes: `python -m benchmarks.steering [--scenes N]`.

Shares of the classification loss, and of the class subnet's gradient as the page shows it, on its last convolution;
then the same on all weights of the subnet by autograd, to see how far the last convolution speaks for them.
"""

import argparse
import statistics
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.clock import time_in_turn
from core.config import Config, Loss
from core.data.sources import open_data
from core.retinanet.anchors import AnchorGrid
from core.retinanet.assigners import assign_anchors
from core.retinanet.assigners.match import Match
from core.retinanet.assigners.simota import NetworkView
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.losses import anchor_losses
from core.retinanet.model import RetinaNet
from core.retinanet.predict import make_batch_anchors
from core.retinanet.preprocess import prepare, scale_objects
from core.steering.kinds import KINDS, sort_by_kind
from core.steering.last_convolution import HeadInputs, LastConvolution, compute_inputs
from core.steering.ledger import Ledger, open_ledger
from core.steering.slopes import Slopes, find_slopes
from core.weights.sources import adopt, build, load_weights

GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)


class Scene(NamedTuple):
    """A scene with what the network says of it."""

    levels: tuple[Tensor, ...]
    inputs: HeadInputs
    logits: Tensor
    deltas: Tensor
    grid: AnchorGrid
    match: Match
    boxes: Tensor
    labels: Tensor
    kinds: Tensor


class Shares(NamedTuple):
    """Of each kind of anchor in one scene, [3] each; and a cosine."""

    paid: Tensor
    steered: Tensor
    by_all_weights: Tensor
    cosine: float


def main() -> None:
    """Prints a line for each γ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=50)
    options = parser.parse_args()
    torch.set_num_threads(1)  # as the page for many small operations
    weights = load_weights("builtin")
    config = adopt(Config(), weights)
    model = fuse_batch_norms(build(config, weights))
    model.head["classification_head"].requires_grad_(True)
    scenes = list(see_scenes(model, config, options.scenes))
    print_times(model, scenes[0], config.loss)
    print(f"{len(scenes)} scenes; means of the shares of foreground and of easy background")
    print(f"{'γ':>4}{'pay':>14}{'steer':>16}{'steer, all weights':>22}{'cosine':>9}")
    for gamma in GAMMAS:
        print_gamma(gamma, [compare(model, scene, Loss(gamma=gamma)) for scene in scenes])


def see_scenes(model: RetinaNet, config: Config, count: int) -> Iterator[Scene]:
    """Yields the held-out scenes that have foreground."""
    data = open_data("scenes", "test", config.scenes, count)
    for index in range(count):
        batch = prepare([data[index].image], config.inference)
        with torch.inference_mode():
            levels = model.pyramid(batch.pixels).levels
            logits, deltas, _ = model(batch.pixels)
        grid, labels = make_batch_anchors(batch, config.anchors), data[index].labels
        boxes, _ = scale_objects(data[index], batch.factors[0])
        match = assign_anchors(grid, boxes, config.matching, NetworkView(logits[0], deltas[0], labels))
        if bool(match.foreground.any()):
            kinds = sort_by_kind(logits[0], match)
            inputs = compute_inputs(model, levels)
            yield Scene(levels, inputs, logits[0], deltas[0], grid, match, boxes, labels, kinds)


def slopes_of(scene: Scene, loss: Loss) -> Slopes:
    """Returns the gradient of the loss of a scene by the outputs."""
    _, _, logits, deltas, grid, match, boxes, labels, _ = scene
    return find_slopes(logits, deltas, grid.boxes, match, boxes, labels, loss)


def ledger_of(scene: Scene, slopes: Slopes) -> Ledger:
    """Returns the ledger of the class subnet."""
    owners = torch.where(scene.match.foreground, scene.match.object, -1)
    last = LastConvolution(scene.inputs.classification, slopes.logits, scene.grid)
    return open_ledger(last, scene.kinds, owners, len(scene.boxes))


def compare(model: RetinaNet, scene: Scene, loss: Loss) -> Shares:
    """Returns what each kind pays and steers in a scene."""
    _, _, logits, deltas, grid, match, boxes, labels, kinds = scene
    paid = anchor_losses(logits, deltas, grid.boxes, match, boxes, labels, loss).classification
    slopes = slopes_of(scene, loss)
    groups = ledger_of(scene, slopes).kinds
    cosine = groups.cosines[KINDS.index("foreground"), KINDS.index("easy background")].item()
    return Shares((kinds * paid).sum(dim=1) / paid.sum(), groups.pulls, share_all_weights(model, scene, slopes), cosine)


def share_all_weights(model: RetinaNet, scene: Scene, slopes: Slopes) -> Tensor:
    """Returns the share of each kind in the gradient on all weights of the class subnet, by autograd."""
    head = model.head["classification_head"]
    weights = [each for name, each in head.named_parameters() if name.endswith("weight")]
    found = []
    for kind in scene.kinds:
        with torch.enable_grad():
            logits = head(tuple(level.clone() for level in scene.levels))[0]
            gradients = torch.autograd.grad((logits * slopes.logits * kind[:, None]).sum(), weights)
        found.append(torch.cat([each.flatten() for each in gradients]))
    whole = torch.stack(found).sum(dim=0)
    return torch.stack(found) @ whole / whole.square().sum()


def print_gamma(gamma: float, shares: list[Shares]) -> None:
    """Prints means over the scenes: foreground / easy background."""
    columns = []
    for name in ("paid", "steered", "by_all_weights"):
        both = torch.stack([getattr(each, name) for each in shares]).mean(dim=0)[[0, 2]].tolist()
        columns.append(" / ".join(f"{each:.1%}" for each in both))
    cosine = statistics.mean(each.cosine for each in shares)
    print(f"{gamma:4g}{columns[0]:>14}{columns[1]:>16}{columns[2]:>22}{cosine:9.2f}", flush=True)


def print_times(model: RetinaNet, scene: Scene, loss: Loss) -> None:
    """Prints how long the ledger of the class subnet takes, and its parts."""
    slopes = slopes_of(scene, loss)
    seconds = time_in_turn(
        {
            "inputs of the last convolutions": lambda: compute_inputs(model, scene.levels),
            "slopes": lambda: slopes_of(scene, loss),
            "ledger of the class subnet": lambda: ledger_of(scene, slopes),
        },
        repeats=15,
    )
    print(", ".join(f"{name} {1000 * each:.1f} ms" for name, each in seconds.items()), "on one thread", flush=True)


if __name__ == "__main__":
    main()
