"""The `DataSet` interface, and `FolderData`: data sets in a folder, with checked boxes and images decoded on access."""

import os.path
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from core.data.images import open_image, read_image_size
from core.data.left_out import LeftOut
from core.data.untrusted import DataError
from core.errors import PictureError
from core.structures import Sample

SPLITS = ("train", "val", "test")


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
    left_out: LeftOut = LeftOut()

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The category ids of labels 0 … K−1 in COCO results files: 1 … K unless the data set defines other ids."""
        return tuple(range(1, len(self.class_names) + 1))

    def image_name(self, index: int) -> str:
        """Returns an image's name for display, without decoding the image."""
        return f"picture {index + 1}"

    @abstractmethod
    def __len__(self) -> int:
        """Returns the number of images."""

    @abstractmethod
    def __getitem__(self, index: int) -> Sample:
        """Returns one image with its objects; raises `IndexError` past the end."""


class ImageRecord(NamedTuple):
    """An image of a folder, not decoded yet, with its checked objects.

    Attributes:
        path: The image file.
        source: The annotation file, for messages.
        size: Width and height in pixels.
        image_id: The data set's id of the image.
        boxes: float32 [M, 4], xyxy pixels, inside the image.
        labels: int64 [M].
        crowd: bool [M].
    """

    path: Path
    source: Path
    size: tuple[int, int]
    image_id: int
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray


class RawObject(NamedTuple):
    """An object as annotated: its unchecked box (xyxy), its label and whether it is a crowd region."""

    box: tuple[float, float, float, float]
    label: int
    crowd: bool


class RawImage(NamedTuple):
    """An image as annotated; its file has not been read.

    Attributes:
        path: The image file, inside the data set's folder.
        source: The annotation file, for messages.
        size: Width and height in pixels as annotated; None to read them from the image file.
        image_id: The data set's id of the image.
        objects: Its objects, unchecked.
        relative: True if the boxes are fractions of the image's sides rather than pixels.
    """

    path: Path
    source: Path
    size: tuple[int, int] | None
    image_id: int
    objects: list[RawObject]
    relative: bool = False


class RawData(NamedTuple):
    """A split as annotated.

    Attributes:
        class_names: The class names of labels 0 … K−1.
        category_ids: Their ids in COCO results files.
        images: The annotated images; at least one if the reader is strict.
    """

    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    images: list[RawImage]


class FolderData(DataSet):
    """A data set in a folder; images are decoded on access.

    Args:
        raw: The content of the annotation files.

    Raises:
        DataError: Image files are missing.
    """

    def __init__(self, raw: RawData) -> None:
        self.class_names = raw.class_names
        self._category_ids = raw.category_ids
        missing = [image for image in raw.images if not os.path.isfile(image.path)]
        if missing:
            raise DataError(
                f"{missing[0].source} names {missing[0].path}, which does not exist ({len(missing)} of "
                f"{len(raw.images)} pictures are missing): add the files or remove them from the list."
            )
        built = [build_record(image) for image in raw.images]
        self._records = [record for record, _ in built]
        self.dropped = sum(lost for _, lost in built)

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The category ids of the annotation files."""
        return self._category_ids

    def image_name(self, index: int) -> str:
        """Returns the name of an image's file."""
        return self._records[index].path.name

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Sample:
        """Decodes an image and returns it with its objects.

        Raises:
            IndexError: The index is past the end.
            PictureError: The image cannot be decoded.
            DataError: The image's size differs from the annotated one, so its boxes would be misplaced.
        """
        record = self._records[index]
        image = open_image(record.path)
        height, width = image.shape[1:]
        if (width, height) != record.size:
            raise DataError(
                f"{record.path} has {width}×{height} pixels (upright), but {record.source} says "
                f"{record.size[0]}×{record.size[1]}: correct the size, or save the picture without EXIF rotation."
            )
        boxes, labels, crowd = map(torch.from_numpy, (record.boxes, record.labels, record.crowd))
        # Clones, because callers may modify the sample.
        return Sample(image, boxes.clone(), labels.clone(), crowd.clone(), record.image_id)


def build_record(image: RawImage) -> tuple[ImageRecord, int]:
    """Clips an annotated image's boxes to the image and drops those without area.

    Returns:
        The record, and the number of dropped boxes.

    Raises:
        DataError: The size is neither annotated nor readable from the image file.
    """
    size = image.size or _read_size(image.path, image.source)
    boxes = scale_boxes(image, size)
    clipped = np.nan_to_num(boxes).clip(0, [*size, *size]).astype(np.float32)
    keep = np.isfinite(boxes).all(axis=1) & (clipped[:, 2:] > clipped[:, :2]).all(axis=1)
    labels = np.array([item.label for item in image.objects], dtype=np.int64)
    crowd = np.array([item.crowd for item in image.objects], dtype=bool)
    record = ImageRecord(image.path, image.source, size, image.image_id, clipped[keep], labels[keep], crowd[keep])
    return record, int((~keep).sum())


def scale_boxes(image: RawImage, size: tuple[int, int]) -> np.ndarray:
    """Returns the annotated boxes in pixels of an image of that size, unchecked: float64 [M, 4], xyxy."""
    boxes = np.array([item.box for item in image.objects], dtype=np.float64).reshape(-1, 4)
    return boxes * [*size, *size] if image.relative else boxes


def require_split(split: str) -> None:
    """Raises `DataError` unless the split is one of `SPLITS`."""
    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")


def _read_size(path: Path, source: Path) -> tuple[int, int]:
    try:
        return read_image_size(path)
    except PictureError as error:
        raise DataError(f"{source} does not give a picture's size. {error}") from None
