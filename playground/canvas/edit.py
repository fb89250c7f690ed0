"""Reads the browser's messages from the canvas: drawn ground truth, changed classes and clicks. None is trusted."""

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.errors import UserError
from playground.support.names import check_new_name, read_class_names, read_colour
from playground.support.picture_limits import MAX_BOXES

EDIT_FIELDS = ("boxes", "classes", "rejected")  # of the event `edit`
CHANGE_FIELDS = ("action", "index", "value", "classes")  # of the event `classes`
RENAME, MERGE, RECOLOUR = "rename", "merge", "recolour"


class Edit(NamedTuple):
    """What a visitor has drawn on a picture, in the coordinates of the view.

    Attributes:
        boxes: float32 [M, 4], clipped to the picture.
        labels: int64 [M], 0 … K−1.
        class_names: The names of the K classes.
        rejected: float32 [R, 4], all suggestions rejected on this picture so far.
    """

    boxes: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    rejected: Tensor


def parse_edit(
    fields: Mapping[str, object], width: int, height: int, class_names: Sequence[str], *, free_classes: bool = False
) -> Edit:
    """Reads the drawn ground truth, clips it to the picture and drops boxes smaller than one pixel.

    Args:
        fields: `EDIT_FIELDS` of the event `edit`: `boxes`, a list of `{x1, y1, x2, y2, label}`; `classes`, a list of
            names; `rejected`, a list of `{x1, y1, x2, y2}`. Each may be anything or missing.
        width: Width of the picture.
        height: Height of the picture.
        class_names: The names that the view shows.
        free_classes: True if the visitor may make up classes; otherwise they must be `class_names`.

    Raises:
        UserError: A field is not such a list, or has more than `MAX_BOXES` boxes, or the classes are not allowed.
    """
    names = _read_names(fields.get("classes"), class_names, free=free_classes)
    boxes, labels = [], []
    for name, entry in _read_list(fields.get("boxes"), "The drawn boxes", "Box"):
        box, label = _read_box(entry, width, height, name), _read_label(entry.get("label"), names, name)
        if _has_area(box):
            boxes.append(box)
            labels.append(label)
    given = fields.get("rejected")
    rejected = _read_list([] if given is None else given, "The rejected suggestions", "Suggestion")
    refused = [_read_box(entry, width, height, name) for name, entry in rejected]
    return Edit(_stack(boxes), torch.tensor(labels, dtype=torch.int64), names, _stack([*filter(_has_area, refused)]))


def _read_names(given: object, shown: Sequence[str], *, free: bool) -> tuple[str, ...]:
    if free:
        return read_class_names(given)
    if not isinstance(given, list | tuple) or tuple(given) != tuple(shown):
        raise UserError("The classes of this picture have changed while you were drawing: draw the last box again.")
    return tuple(shown)


def _read_list(data: object, whole: str, part: str) -> list[tuple[str, dict]]:
    """Returns the entries of a list, each with its name for messages."""
    if not isinstance(data, list):
        raise UserError(f"{whole} must be a list.")
    if len(data) > MAX_BOXES:
        what = "boxes can be drawn" if part == "Box" else "suggestions can be rejected"
        raise UserError(f"At most {MAX_BOXES} {what}, not {len(data)}.")
    for number, entry in enumerate(data, 1):
        if not isinstance(entry, dict):
            raise UserError(f"{part} {number} must have x1, y1, x2, y2{' and label' if part == 'Box' else ''}.")
    return [(f"{part} {number}", entry) for number, entry in enumerate(data, 1)]


def _read_box(entry: dict, width: int, height: int, name: str) -> tuple[float, float, float, float]:
    left, right = sorted(_clip(entry.get(key), width, f"{name}: {key}") for key in ("x1", "x2"))
    top, bottom = sorted(_clip(entry.get(key), height, f"{name}: {key}") for key in ("y1", "y2"))
    return left, top, right, bottom


def _read_label(label: object, names: Sequence[str], box: str) -> int:
    if type(label) is not int or not 0 <= label < len(names):
        raise UserError(f"{box}: its class must be a whole number from 0 to {len(names) - 1}.")
    return label


def _has_area(box: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = box
    return right - left >= 1 and bottom - top >= 1


def _stack(boxes: Sequence[tuple[float, float, float, float]]) -> Tensor:
    return torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)


class ClassChange(NamedTuple):
    """A change of one class.

    Attributes:
        action: `RENAME`, `MERGE` or `RECOLOUR`.
        index: The class.
        name: Its new name, "" unless it is renamed.
        into: The class that takes over its boxes, −1 unless it is merged.
        colour: Its new colour "#rrggbb", "" unless it is recoloured.
    """

    action: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nothing here needs
    name: str = ""
    into: int = -1
    colour: str = ""


def parse_class_change(fields: Mapping[str, object], class_names: Sequence[str]) -> ClassChange:
    """Reads a change of a class, the data of the event `classes`.

    Args:
        fields: `CHANGE_FIELDS` of the event: `value` is the new name, the index of the class to merge into, or the new
            colour; `classes` are the names that the view shows. Each may be anything or missing.
        class_names: The names that there are.

    Raises:
        UserError: There is no such class or action, the value is not allowed, or the view shows other names, so that
            the index would name another class.
    """
    action, index, value, shown = (fields.get(name) for name in CHANGE_FIELDS)
    if shown != list(class_names):
        raise UserError("The classes have been changed in another tab: reload the page.")
    index = _read_class(index, class_names)
    if action == RENAME:
        others = [name for other, name in enumerate(class_names) if other != index]
        return ClassChange(RENAME, index, name=check_new_name(value, others))
    if action == MERGE:
        into = _read_class(value, class_names)
        if into == index:
            raise UserError("A class cannot be merged into itself: choose another one.")
        return ClassChange(MERGE, index, into=into)
    if action == RECOLOUR:
        return ClassChange(RECOLOUR, index, colour=read_colour(value))
    raise UserError("A class can be renamed, merged into another one or given another colour.")


def _read_class(index: object, class_names: Sequence[str]) -> int:
    if type(index) is not int or not 0 <= index < len(class_names):
        raise UserError("There is no such class: reload the page.")
    return index


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
