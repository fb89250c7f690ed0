"""What data sets have in common, and what those that lie in a folder share: sound boxes, pictures opened late."""

import os.path
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from core.data.images import open_picture, picture_size
from core.data.untrusted import DataError
from core.errors import PictureError
from core.structures import Sample

SPLITS = ("train", "val", "test")
BAD_PATH, BAD_FILE, BAD_OBJECT, UNKNOWN_CLASS, UNKNOWN_PICTURE, LOST_LABELS = ENTRY_PROBLEMS = (
    "bad path", "bad file", "bad object", "unknown class", "unknown picture", "labels without picture",
)  # fmt: skip


class DataSet(ABC):
    """Pictures with their objects, by index.

    Attributes:
        class_names: What label 0 … K−1 means.
        dropped: Boxes left out because they have no area inside their picture or are not finite.
    """

    class_names: tuple[str, ...]
    dropped: int = 0

    @property
    def category_ids(self) -> tuple[int, ...]:
        """What COCO-results files call label 0 … K−1: counted from 1, unless the data set has numbers of its own."""
        return tuple(range(1, len(self.class_names) + 1))

    def name(self, index: int) -> str:
        """Returns what a person may call a picture; it is not opened."""
        return f"picture {index + 1}"

    @abstractmethod
    def __len__(self) -> int:
        """Returns the number of pictures."""

    @abstractmethod
    def __getitem__(self, index: int) -> Sample:
        """Returns one picture with its objects; raises `IndexError` past the end."""


class ImageRecord(NamedTuple):
    """A picture of a folder that is not opened yet.

    Attributes:
        path: The picture's file.
        source: The file that describes it, for messages.
        size: Width and height in pixels.
        image_id: The data set's number of the picture.
        boxes: float32 [M, 4], xyxy pixels, inside the picture.
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
    """An object as an annotation file has it: its box xyxy, unchecked, its label and whether it is a crowd."""

    box: tuple[float, float, float, float]
    label: int
    crowd: bool


class RawPicture(NamedTuple):
    """A picture as an annotation file has it, its file not looked at.

    Attributes:
        path: The picture's file, inside the data set's folder.
        source: The file that describes it, for messages.
        size: Width and height in pixels as stated; None to ask the picture.
        image_id: The data set's number of the picture.
        objects: Its objects, unchecked.
        relative: Whether the boxes are shares of the picture's sides, not pixels.
    """

    path: Path
    source: Path
    size: tuple[int, int] | None
    image_id: int
    objects: list[RawObject]
    relative: bool = False


class RawData(NamedTuple):
    """A split as its annotation files have it.

    Attributes:
        class_names: What label 0 … K−1 means.
        category_ids: What COCO-results files call them.
        pictures: At least one where a reader is strict.
    """

    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    pictures: list[RawPicture]


# What a reader calls for an entry it has to leave out: which of ENTRY_PROBLEMS it is, and a message.
Problem = Callable[[str, str], None]


def refuse(kind: str, message: str) -> None:
    """A strict reader's `Problem`: the first one ends the reading with a `DataError`."""
    raise DataError(message)


class FolderData(DataSet):
    """A data set in a folder; pictures are opened when they are asked for.

    Args:
        raw: What the annotation files say.

    Raises:
        DataError: Picture files are missing.
    """

    def __init__(self, raw: RawData) -> None:
        self.class_names = raw.class_names
        self._category_ids = raw.category_ids
        missing = [picture for picture in raw.pictures if not os.path.isfile(picture.path)]
        if missing:
            raise DataError(
                f"{missing[0].source} names {missing[0].path}, which is not there ({len(missing)} of "
                f"{len(raw.pictures)} pictures are missing): put the files there or remove them from the list."
            )
        made = [make_record(picture) for picture in raw.pictures]
        self._records = [record for record, _ in made]
        self.dropped = sum(lost for _, lost in made)

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The annotation files' own numbers of the classes, if they have any."""
        return self._category_ids

    def name(self, index: int) -> str:
        """Returns the name of a picture's file."""
        return self._records[index].path.name

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Sample:
        """Opens a picture.

        Raises:
            IndexError: Past the end.
            PictureError: The picture cannot be opened.
            DataError: The picture has another size than its annotation says, so that boxes would lie elsewhere.
        """
        record = self._records[index]
        image = open_picture(record.path)
        height, width = image.shape[1:]
        if (width, height) != record.size:
            raise DataError(
                f"{record.path} has {width}×{height} pixels (upright), but {record.source} says "
                f"{record.size[0]}×{record.size[1]}: correct the size, or save the picture without EXIF rotation."
            )
        boxes, labels, crowd = map(torch.from_numpy, (record.boxes, record.labels, record.crowd))
        return Sample(image, boxes.clone(), labels.clone(), crowd.clone(), record.image_id)  # callers may change theirs


def make_record(picture: RawPicture) -> tuple[ImageRecord, int]:
    """Clips an annotated picture's boxes to it and leaves out what has no area there.

    Returns:
        The record, and how many boxes were left out.

    Raises:
        DataError: No size is given and the picture does not tell it either.
    """
    size = picture.size or _ask_size(picture.path, picture.source)
    boxes = raw_boxes(picture, size)
    clipped = np.nan_to_num(boxes).clip(0, [*size, *size]).astype(np.float32)
    keep = np.isfinite(boxes).all(axis=1) & (clipped[:, 2:] > clipped[:, :2]).all(axis=1)
    labels = np.array([item.label for item in picture.objects], dtype=np.int64)
    crowd = np.array([item.crowd for item in picture.objects], dtype=bool)
    record = ImageRecord(picture.path, picture.source, size, picture.image_id, clipped[keep], labels[keep], crowd[keep])
    return record, int((~keep).sum())


def raw_boxes(picture: RawPicture, size: tuple[int, int]) -> np.ndarray:
    """Returns the boxes as they are annotated, unchecked, in pixels of a picture of a size: float64 [M, 4]."""
    boxes = np.array([item.box for item in picture.objects], dtype=np.float64).reshape(-1, 4)
    return boxes * [*size, *size] if picture.relative else boxes


def require_split(split: str) -> None:
    """Raises `DataError` unless the split is one of `SPLITS`."""
    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")


def _ask_size(path: Path, source: Path) -> tuple[int, int]:
    try:
        return picture_size(path)
    except PictureError as error:
        raise DataError(f"{source} does not say a picture's size. {error}") from None
