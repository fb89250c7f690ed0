"""What the browser sends back from the picture: drawn ground truth and clicks. It comes from a stranger."""

import sys
from typing import NamedTuple

import torch
from torch import Tensor

from core.errors import UserError

MAX_BOXES = 500  # that a user may draw


def parse_edit(data: object, width: int, height: int, num_classes: int) -> tuple[Tensor, Tensor]:
    """Reads the ground truth a user has drawn: clips it to the picture and drops boxes under one pixel.

    Args:
        data: `event.boxes` of the component's `edit`: a list of `{x1, y1, x2, y2, label}`. Nothing of it is trusted.
        width: Of the picture.
        height: Of the picture.
        num_classes: K; labels are 0 … K−1.

    Returns:
        Boxes float32 [M, 4], labels int64 [M].

    Raises:
        UserError: It is no such list, with a sentence for the user.
    """
    if not isinstance(data, list):
        raise UserError("The drawn boxes must be a list.")
    if len(data) > MAX_BOXES:
        raise UserError(f"At most {MAX_BOXES} boxes can be drawn, not {len(data)}.")
    boxes, labels = [], []
    for number, entry in enumerate(data, 1):
        if not isinstance(entry, dict):
            raise UserError(f"Box {number} must have x1, y1, x2, y2 and label.")
        left, right = sorted(_clipped(entry.get(key), width, f"Box {number}: {key}") for key in ("x1", "x2"))
        top, bottom = sorted(_clipped(entry.get(key), height, f"Box {number}: {key}") for key in ("y1", "y2"))
        label = entry.get("label")
        if type(label) is not int or not 0 <= label < num_classes:
            raise UserError(f"Box {number}: its class must be a whole number from 0 to {num_classes - 1}.")
        if right - left >= 1 and bottom - top >= 1:
            boxes.append((left, top, right, bottom))
            labels.append(label)
    return torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), torch.tensor(labels, dtype=torch.int64)


class Pick(NamedTuple):
    """What a user has clicked.

    Attributes:
        x: In the picture's coordinates.
        y: In the picture's coordinates.
        layer: Key of the layer whose box is under it, "" for none.
        index: Number of that box in its layer, −1 for none.
    """

    x: float
    y: float
    layer: str = ""
    index: int = -1


def parse_click(x: object, y: object, width: int, height: int, layer: object = "", index: object = -1) -> Pick:
    """Reads what a user has clicked, the data of the component's `select`; the place is clipped to the picture.

    Raises:
        UserError: There is no such place, with a sentence for the user.
    """
    at = _clipped(x, width, "The click's x"), _clipped(y, height, "The click's y")
    boxed = isinstance(layer, str) and type(index) is int and index >= 0
    return Pick(*at, layer, index) if boxed else Pick(*at)


def _clipped(value: object, limit: int, name: str) -> float:
    if type(value) not in (int, float) or not abs(value) <= sys.float_info.max:  # NaN fails every comparison
        raise UserError(f"{name} must be a number.")
    return min(max(float(value), 0.0), float(limit))
