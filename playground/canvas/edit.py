"""Reads the browser's messages from the canvas: drawn ground truth and clicks. None of it is trusted."""

import sys
from typing import NamedTuple

import torch
from torch import Tensor

from core.errors import UserError

MAX_BOXES = 500  # that a visitor can draw


def parse_edit(data: object, width: int, height: int, num_classes: int) -> tuple[Tensor, Tensor]:
    """Reads the drawn ground truth, clips it to the picture and drops boxes smaller than one pixel.

    Args:
        data: `event.boxes` of the event `edit`: a list of `{x1, y1, x2, y2, label}`; may be anything.
        width: Width of the picture.
        height: Height of the picture.
        num_classes: K; labels are 0 … K−1.

    Returns:
        Boxes float32 [M, 4], labels int64 [M].

    Raises:
        UserError: The data is not such a list, or has more than `MAX_BOXES` boxes.
    """
    if not isinstance(data, list):
        raise UserError("The drawn boxes must be a list.")
    if len(data) > MAX_BOXES:
        raise UserError(f"At most {MAX_BOXES} boxes can be drawn, not {len(data)}.")
    boxes, labels = [], []
    for number, entry in enumerate(data, 1):
        if not isinstance(entry, dict):
            raise UserError(f"Box {number} must have x1, y1, x2, y2 and label.")
        left, right = sorted(_clip(entry.get(key), width, f"Box {number}: {key}") for key in ("x1", "x2"))
        top, bottom = sorted(_clip(entry.get(key), height, f"Box {number}: {key}") for key in ("y1", "y2"))
        label = entry.get("label")
        if type(label) is not int or not 0 <= label < num_classes:
            raise UserError(f"Box {number}: its class must be a whole number from 0 to {num_classes - 1}.")
        if right - left >= 1 and bottom - top >= 1:
            boxes.append((left, top, right, bottom))
            labels.append(label)
    return torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), torch.tensor(labels, dtype=torch.int64)


class Pick(NamedTuple):
    """A clicked point and the box under it.

    Attributes:
        x: In the coordinates of the view.
        y: In the coordinates of the view.
        layer: Key of the layer to which the box belongs, "" for no box.
        index: Index of the box in its layer, −1 for no box.
    """

    x: float
    y: float
    layer: str = ""
    index: int = -1  # type: ignore[assignment]  # hides tuple.index, which nothing here needs


def parse_click(x: object, y: object, width: int, height: int, layer: object = "", index: object = -1) -> Pick:
    """Reads a click, the data of the event `select`; its point is clipped to the picture.

    Args:
        x: In the coordinates of the view; may be anything, as `y`, `layer` and `index`.
        y: In the coordinates of the view.
        width: Width of the picture.
        height: Height of the picture.
        layer: Key of the layer of the box under the point.
        index: Index of that box.

    Raises:
        UserError: A coordinate is not a number.
    """
    x, y = _clip(x, width, "The click's x"), _clip(y, height, "The click's y")
    if isinstance(layer, str) and isinstance(index, int) and not isinstance(index, bool) and index >= 0:
        return Pick(x, y, layer, index)
    return Pick(x, y)


def _clip(value: object, limit: int, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:  # or NaN
        raise UserError(f"{name} must be a number.")
    return min(max(float(value), 0.0), float(limit))
