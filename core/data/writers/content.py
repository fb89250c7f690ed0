"""What the writers of all formats receive, and how they describe themselves."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

DIGITS = 4  # decimal places of a pixel


class WrittenImage(NamedTuple):
    """A picture with its objects, all valid.

    Attributes:
        name: The path of its file in the folder of pictures, with `/` between folders.
        size: Width and height in pixels.
        image_id: The data set's id of the picture, distinct within a split.
        boxes: float64 [M, 4], xyxy pixels, inside the picture.
        labels: int64 [M].
        crowd: bool [M].
    """

    name: str
    size: tuple[int, int]
    image_id: int
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray


class Content(NamedTuple):
    """The content of a data set.

    Attributes:
        class_names: The class names of labels 0 … K−1.
        category_ids: Their ids in COCO results files.
        splits: The pictures of each split.
    """

    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    splits: Mapping[str, Sequence[WrittenImage]]


class Writer(NamedTuple):
    """A format that data sets can be written in.

    Attributes:
        pictures: The folder of pictures, with `{split}` where each split has its own.
        write: Writes the annotations into the data set's folder, in which the pictures are already.
        keeps_crowds: Whether the format has crowd regions.
        keeps_unused_classes: Whether it has a list of classes, so that those without objects are kept.
        needs_distinct_stems: Whether pictures are told apart by their names without the suffix.
    """

    pictures: str
    write: Callable[[Path, Content], None]
    keeps_crowds: bool
    keeps_unused_classes: bool
    needs_distinct_stems: bool


def format_number(value: float) -> str:
    """Returns a number of pixels, rounded, without needless zeros."""
    return f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")
