"""Images as annotated: their boxes are clipped, and those that cannot be used are found, without opening an image."""

import os.path
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.data.images import read_image_size

# By how much a box may exceed its image, since annotation tools round: in pixels, or in shares of an unknown size.
MAX_OVERHANG, MAX_SHARE_OVERHANG = 1.0, 0.01


class RawImage(NamedTuple):
    """An image as annotated; its file has not been read.

    Attributes:
        path: The image file, inside the data set's folder.
        source: The annotation file, for messages.
        size: Width and height in pixels as annotated; None to read them from the image file.
        image_id: The data set's id of the image.
        boxes: float64 [M, 4], xyxy, unchecked.
        labels: int64 [M].
        crowd: bool [M], regions that neither train nor count in evaluation.
        relative: True if the boxes are fractions of the image's sides rather than pixels.
    """

    path: Path
    source: Path
    size: tuple[int, int] | None
    image_id: int
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    relative: bool = False


class RawData(NamedTuple):
    """A split as annotated.

    Attributes:
        class_names: The class names of labels 0 … K−1.
        category_ids: Their ids in COCO results files.
        images: The annotated images.
    """

    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    images: list[RawImage]


class JudgedBoxes(NamedTuple):
    """The boxes of several images, one after the other.

    Attributes:
        boxes: float64 [M, 4], clipped to their images: in pixels, or in fractions if an image's size is not known.
        empty: bool [M], without area or with a coordinate that is not a number.
        outside: bool [M], others without area inside their image, in single precision as everywhere else.
        overhang: float64 [M], by how much a box exceeds its image, in the same unit; 0 if the size is not known.
    """

    boxes: np.ndarray
    empty: np.ndarray
    outside: np.ndarray
    overhang: np.ndarray

    @property
    def valid(self) -> np.ndarray:
        """bool [M]: neither empty nor outside."""
        return ~(self.empty | self.outside)


class Objects(NamedTuple):
    """The valid objects of an image.

    Attributes:
        boxes: float32 [M, 4], xyxy pixels, inside the image.
        labels: int64 [M].
        crowd: bool [M].
    """

    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray


def judge_boxes(images: Sequence[RawImage], sizes: Sequence[tuple[int, int] | None] | None = None) -> JudgedBoxes:
    """Clips the boxes of images to them and finds those that cannot be used.

    Args:
        images: The annotated images; their files are not read.
        sizes: Their widths and heights; None for those as annotated.
    """
    counts = np.array([len(image.labels) for image in images], dtype=np.int64)
    sizes = [image.size for image in images] if sizes is None else sizes
    sides = np.array([_measure_image(image, size) for image, size in zip(images, sizes, strict=True)])
    scale, limit = np.repeat(sides.reshape(-1, 2, 2), counts, axis=0).transpose(1, 0, 2)  # [M, 2] each
    boxes = np.concatenate([image.boxes for image in images] or [np.zeros((0, 4))]) * np.tile(scale, 2)
    limits = np.tile(limit, 2)
    with np.errstate(over="ignore"):  # without a size there is no limit
        clipped = np.nan_to_num(boxes).clip(0, limits)
        single = clipped.astype(np.float32)
    empty = ~(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    outside = ~empty & ~(single[:, 2:] > single[:, :2]).all(axis=1)
    overhang = np.maximum(-boxes, boxes - limits).max(axis=1, initial=0)
    return JudgedBoxes(clipped, empty, outside, np.where(np.isinf(limits[:, 0]), 0, overhang))


def describe_clipped(images: Sequence[RawImage], judged: JudgedBoxes) -> str:
    """Returns a sentence on the boxes that are clipped to their images, as far as the annotations tell; "" for none."""
    counts = [len(image.labels) for image in images]
    shares = np.repeat([image.relative and image.size is None for image in images], counts)
    clipped = np.flatnonzero(judged.valid & (judged.overhang > np.where(shares, MAX_SHARE_OVERHANG, MAX_OVERHANG)))
    if not len(clipped):
        return ""
    first = images[int(np.searchsorted(np.cumsum(counts), clipped[0], side="right"))]
    what = "box exceeds its picture and is" if len(clipped) == 1 else "boxes exceed their pictures and are"
    return f" {len(clipped):,} {what} clipped, the first in {first.path.name}."


def place_objects(image: RawImage, size: tuple[int, int]) -> Objects:
    """Returns the valid objects of an image of that width and height, as arrays of their own."""
    judged = judge_boxes([image], [size])
    keep = judged.valid
    return Objects(judged.boxes[keep].astype(np.float32), image.labels[keep], image.crowd[keep])


def measure_size(image: RawImage) -> tuple[int, int]:
    """Returns an image's width and height, as annotated or else from the file; raises the errors of `open_image`."""
    return image.size or read_image_size(image.path)


def name_images(images: Sequence[RawImage]) -> list[str]:
    """Returns the paths of the images' files without the folders that all have in common."""
    paths = [image.path.as_posix() for image in images]
    folders = {path.rpartition("/")[0] for path in paths}
    common = os.path.commonpath(folders) if folders else ""
    start = len(common) + 1 if common not in ("", "/") else len(common)
    return [path[start:] for path in paths]


def _measure_image(image: RawImage, size: tuple[int, int] | None) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns the factors from an image's boxes to pixels, and the largest coordinates, each for x and y."""
    if size is None:  # pixels have no known limit then; fractions stay fractions
        return (1, 1), ((1, 1) if image.relative else (np.inf, np.inf))
    return (size if image.relative else (1, 1)), size
