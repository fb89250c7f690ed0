"""What data sets have in common, and what those that lie in a folder share: safe paths, sound boxes."""

import os.path
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from core.pictures import PictureError, open_picture, picture_size
from core.sample import Sample

SPLITS = ("train", "val", "test")
MAX_NAME = 1000  # characters of a path


class DataError(ValueError):
    """A data set that cannot be used; the message names the file, says what is wrong and what to do."""


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


class Record(NamedTuple):
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


class FolderData(DataSet):
    """A data set in a folder; pictures are opened when they are asked for.

    Args:
        class_names: What label 0 … K−1 means.
        records: The pictures.
        dropped: Boxes that were left out.

    Raises:
        DataError: Picture files are missing.
    """

    def __init__(self, class_names: tuple[str, ...], records: Sequence[Record], dropped: int) -> None:
        self.class_names = class_names
        self.dropped = dropped
        self._records = records
        missing = [record for record in records if not os.path.isfile(record.path)]
        if missing:
            raise DataError(
                f"{missing[0].source} names {missing[0].path}, which is not there ({len(missing)} of {len(records)} "
                "pictures are missing): put the files there or remove them from the list."
            )

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


def make_record(
    path: Path, source: Path, size: tuple[int, int] | None, image_id: int, objects: Sequence[RawObject]
) -> tuple[Record, int]:
    """Clips an annotated picture's boxes to it and leaves out what has no area there.

    Args:
        path: The picture's file.
        source: The file that describes it.
        size: Width and height in pixels; None to ask the picture.
        image_id: The data set's number of the picture.
        objects: Its objects, unchecked.

    Returns:
        The record, and how many boxes were left out.

    Raises:
        DataError: No size is given and the picture does not tell it either.
    """
    size = size or _ask_size(path, source)
    boxes = np.array([item.box for item in objects], dtype=np.float64).reshape(-1, 4)
    finite = np.isfinite(boxes).all(axis=1)
    clipped = np.nan_to_num(boxes).clip(0, [*size, *size]).astype(np.float32)
    keep = finite & (clipped[:, 2:] > clipped[:, :2]).all(axis=1)
    labels = np.array([item.label for item in objects], dtype=np.int64)
    crowd = np.array([item.crowd for item in objects], dtype=bool)
    record = Record(path, source, size, image_id, clipped[keep], labels[keep], crowd[keep])
    return record, int((~keep).sum())


def inside(folder: Path, name: str, *, root: Path, source: Path) -> Path:
    """Joins a name from an annotation file to a folder.

    Args:
        folder: Where the name is looked for.
        name: Relative path, not trusted.
        root: The data set's folder, already resolved, which the result must not leave, links followed.
        source: The file that holds the name.

    Raises:
        DataError: The path is absolute, climbs up, or leaves the root.
    """
    error = DataError(f"{source} names the picture {shown(name)}, which is no path inside {root}: correct it.")
    relative = Path(name)
    climbs = relative.is_absolute() or ".." in relative.parts or "\\" in name
    if climbs or not relative.parts or len(name) > MAX_NAME:
        raise error
    try:
        resolved = (folder / relative).resolve()
    except (OSError, ValueError, RuntimeError):  # characters no file system has, links in a circle
        raise error from None
    if not resolved.is_relative_to(root):
        raise error
    return folder / relative


def shown(value: object) -> str:
    """Returns a value from an untrusted file as a message may show it: quoted, at most 100 characters."""
    text = repr(value)
    return text if len(text) <= 100 else text[:99] + "…"


def require_split(split: str) -> None:
    """Raises `DataError` unless the split is one of `SPLITS`."""
    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")


def read_bounded(path: Path, limit: int) -> bytes:
    """Reads a file of at most `limit` bytes.

    Raises:
        DataError: The file cannot be read or is larger.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check the file.") from None
    if len(content) > limit:
        raise DataError(f"{path} is larger than {limit // 2**20} MB: split the data set into smaller ones.")
    return content


def _ask_size(path: Path, source: Path) -> tuple[int, int]:
    try:
        return picture_size(path)
    except PictureError as error:
        raise DataError(f"{source} does not say a picture's size. {error}") from None
