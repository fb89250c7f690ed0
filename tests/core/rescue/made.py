"""Pictures with outputs of a network that are made by hand: every prediction stands where and as sure as it is told."""

import torch

from core.config import Config
from core.rescue.trials import Scene, Trials
from core.retinanet.boxes import encode
from core.retinanet.model import Outputs
from core.retinanet.predict import Prediction, make_batch_anchors
from core.retinanet.preprocess import prepare
from tests.core.boxes_by_hand import truth

SIDE, CLASSES = 96, 2
Guess = tuple[list, int, float]  # box, class, score


def config(**changes) -> Config:
    return Config.from_flat(
        {"inference.image_size": SIDE, **{f"inference.{name}": value for name, value in changes.items()}}
    )


def make_scene(objects: list[tuple[list, int]], guesses: list[Guess], settings: Config) -> Scene:
    """Returns a picture of 96 px with objects (box, class), and outputs whose only scores above 1e-8 are the guesses.

    Each guess comes from an anchor of P3 of its own.
    """
    image = torch.zeros(3, SIDE, SIDE, dtype=torch.uint8)
    batch = prepare([image], settings.inference)
    grid = make_batch_anchors(batch, settings.anchors)
    logits = torch.full((1, len(grid.boxes), CLASSES), -20.0)
    deltas = torch.zeros(1, len(grid.boxes), 4)
    deltas[..., 2:] = -8.0  # all other boxes are tiny
    for number, (box, label, score) in enumerate(guesses):
        anchor = 9 * number + 4  # of another cell each
        logits[0, anchor, label] = torch.tensor(score, dtype=torch.float64).logit()
        deltas[0, anchor] = encode(torch.tensor([box], dtype=torch.float32), grid.boxes[anchor : anchor + 1])[0]
    boxes, labels = [box for box, _ in objects], [label for _, label in objects]
    outputs = Outputs(logits, deltas, ())
    return Scene(image, truth(boxes, labels), CLASSES, torch.arange(CLASSES), Prediction(batch, outputs))


def try_all(objects: list[tuple[list, int]], guesses: list[Guess], **changes) -> Trials:
    settings = config(**changes)
    return Trials(make_scene(objects, guesses, settings), settings)
