"""The prediction to explain: the class logit, or the box, of one anchor for a picture."""

from typing import NamedTuple

from torch import Tensor

from core.retinanet.anchors import AnchorGrid
from core.retinanet.model import RetinaNet

CLASS, BOX = PARTS = ("class", "box")


class Target(NamedTuple):
    """A prediction of an anchor.

    Attributes:
        anchor: Index of the anchor among all of the picture.
        label: The class, which matters to its logit alone.
        part: `CLASS` for the logit of the class, `BOX` for the four deltas.
    """

    anchor: int
    label: int
    part: str = CLASS


class Subject(NamedTuple):
    """A prediction for a picture.

    Attributes:
        model: The network, in evaluation mode; its batch norms may be fused and its parameters frozen.
        pixels: The picture as input of the network, [1, 3, H, W], of `core.retinanet.preprocess.prepare`.
        grid: The anchors of this picture.
        target: The prediction.
    """

    model: RetinaNet
    pixels: Tensor
    grid: AnchorGrid
    target: Target


class Place(NamedTuple):
    """Where an anchor lies.

    Attributes:
        level: Its pyramid level, 0 for P3.
        row: Row of its cell.
        column: Column of its cell.
        number: Its index among the anchors of the level.
    """

    level: int
    row: int
    column: int
    number: int


def find_place(grid: AnchorGrid, anchor: int) -> Place:
    """Returns where an anchor lies.

    Raises:
        IndexError: There is no such anchor.
    """
    number = anchor
    for level, (count, (_, columns)) in enumerate(zip(grid.counts, grid.grids, strict=True)):
        if 0 <= number < count:
            row, column = divmod(number // grid.per_location, columns)
            return Place(level, row, column, number)
        number -= count
    raise IndexError(f"There is no anchor {anchor}: there are {len(grid.boxes)}.")


def predict_anchor(model: RetinaNet, features: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Returns the logits [B, K] and the deltas [B, 4] of one anchor of a level; the other levels are not looked at.

    Args:
        model: The network.
        features: The level's feature map, [B, C, h, w].
        number: Index of the anchor among those of the level.
    """
    level = (features,)  # the heads treat every level alike
    return model.head["classification_head"](level)[:, number], model.head["regression_head"](level)[:, number]
