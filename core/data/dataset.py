"""The `DataSet` interface, and `FolderData`: data sets in a folder, with checked boxes and images decoded on access."""

import hashlib
import os.path
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.data.images import open_image, read_image_size
from core.data.left_out import NOTHING, LeftOut
from core.data.untrusted import DataError
from core.errors import PictureError
from core.structures import Sample

SPLITS = ("train", "val", "test")
# By how much a box may exceed its image, since annotation tools round: in pixels, or in shares of an unknown size.
MAX_OVERHANG, MAX_SHARE_OVERHANG = 1.0, 0.01


class DataSet(ABC):
    """Images with their objects, by index.

    Attributes:
        class_names: The class names of labels 0 … K−1.
        dropped: Number of boxes left out because they have no area inside their image or are not finite.
        reading: How the annotations were read, as sentences for people; "" for rendered scenes.
        left_out: What could not be used of the whole data set, all its splits together.
    """

    class_names: tuple[str, ...]
    dropped: int = 0
    reading: str = ""
    left_out: LeftOut = NOTHING

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The category ids of labels 0 … K−1 in COCO results files: 1 … K unless the data set defines other ids."""
        return tuple(range(1, len(self.class_names) + 1))

    def image_name(self, index: int) -> str:
        """Returns an image's name for display, without decoding the image."""
        return f"picture {index + 1}"

    @property
    def class_counts(self) -> np.ndarray:
        """The number of usable objects of each class, crowd regions aside, float64 [K]; expected ones of scenes."""
        labels = np.concatenate([np.zeros(0, np.int64), *map(self.labels_of, range(len(self)))])
        return np.bincount(labels, minlength=len(self.class_names)).astype(np.float64)

    @property
    def class_shares(self) -> np.ndarray:
        """The share of images with usable objects of each class, float64 [K]; of scenes that of the first ones."""
        return self._share_classes(len(self))

    def _share_classes(self, images: int) -> np.ndarray:
        """Returns the share of the first images that have usable objects of each class, float64 [K]."""
        counts = np.zeros(len(self.class_names))
        for index in range(images):
            counts[np.unique(self.labels_of(index))] += 1
        return counts / max(1, images)

    def labels_of(self, index: int) -> np.ndarray:
        """Returns the labels of an image's usable objects, crowds aside, int64 [M]; none of a damaged picture."""
        try:
            sample = self[index]
        except PictureError:
            return np.zeros(0, np.int64)
        labels: np.ndarray = sample.labels[~sample.crowd].numpy()
        return labels

    @abstractmethod
    def __len__(self) -> int:
        """Returns the number of images."""

    @abstractmethod
    def __getitem__(self, index: int) -> Sample:
        """Returns one image with its objects; raises `IndexError` past the end."""


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


class FolderData(DataSet):
    """A data set in a folder; images are decoded on access, and none is opened before.

    Args:
        raw: The content of the annotation files.
        reading: How they were read, as sentences for people.
        left_out: What could not be used of the whole data set.
    """

    def __init__(self, raw: RawData, reading: str = "", left_out: LeftOut = NOTHING) -> None:
        self.class_names = raw.class_names
        self.left_out, self._reading = left_out, reading
        self._category_ids = raw.category_ids
        self._images = raw.images

    @cached_property
    def reading(self) -> str:  # type: ignore[override]
        """How the annotations were read, as sentences for people, and which boxes of the split are clipped."""
        return self._reading + describe_clipped(self._images, self.judged)

    @cached_property
    def judged(self) -> JudgedBoxes:
        """The boxes of all images, one image after the other, as far as the annotations tell their sizes."""
        return judge_boxes(self._images)

    @cached_property
    def dropped(self) -> int:  # type: ignore[override]
        """Number of boxes left out because they have no area inside their image or are not finite.

        Of an image whose size is not annotated only those that any size would leave out.
        """
        return int((~self.judged.valid).sum())

    def labels_of(self, index: int) -> np.ndarray:
        """Returns the labels as annotated; the image is not opened, so its size is not checked."""
        return self._usable_labels[index]

    @cached_property
    def _usable_labels(self) -> list[np.ndarray]:
        ends = np.cumsum([len(image.labels) for image in self._images])
        valid = np.split(self.judged.valid, ends[:-1]) if len(ends) else []
        return [image.labels[good & ~image.crowd] for image, good in zip(self._images, valid, strict=True)]

    @cached_property
    def _names(self) -> list[str]:
        return name_images(self._images)

    @cached_property
    def digest(self) -> str:
        """A digest of the images, independent of their order."""
        return hashlib.sha256("\0".join(sorted(self._names)).encode(errors="surrogateescape")).hexdigest()[:16]

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The category ids of the annotation files."""
        return self._category_ids

    @property
    def images(self) -> list[RawImage]:
        """The images as annotated, which need not be opened to measure their objects."""
        return self._images

    def image_name(self, index: int) -> str:
        """Returns the path of an image's file, without the folders that all of the split have in common."""
        return self._names[index]

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Sample:
        """Decodes an image and returns it with its objects.

        Raises:
            IndexError: The index is past the end.
            PictureError: The image cannot be decoded.
            DataError: The image's size differs from the annotated one, so its boxes would be misplaced.
        """
        image = self._images[index]
        pixels = open_image(image.path)
        height, width = pixels.shape[1:]
        if image.size and image.size != (width, height):
            raise DataError(
                f"{image.path} has {width}×{height} pixels (upright), but {image.source} says "
                f"{image.size[0]}×{image.size[1]}: correct the size, or save the picture without EXIF rotation."
            )
        import torch  # which a process that reads or checks annotations does without

        boxes, labels, crowd = map(torch.from_numpy, place_objects(image, (width, height)))
        return Sample(pixels, boxes, labels, crowd, image.image_id)


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


def require_split(split: str) -> None:
    """Raises `DataError` unless the split is one of `SPLITS`."""
    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
