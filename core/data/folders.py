"""Data sets in folders, whatever their format: detects the format, lists the splits and replaces them."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.data.annotations import ReportProblem, raise_problem
from core.data.coco import CocoData, find_coco_splits, read_coco
from core.data.dataset import SPLITS, FolderData, RawData, RawImage
from core.data.splits import SPLITS_FILE, random_split, read_splits, stratified_split, write_splits
from core.data.untrusted import DataError, quote
from core.data.voc import VocData, find_voc_splits, read_voc
from core.data.yolo import YoloData, find_yolo_splits, read_yolo
from core.io.atomic import require_writable

GIVEN = "given"
SPLIT_METHODS: dict[str, Callable[[np.ndarray, Sequence[float], int], list[list[int]]]] = {
    "random": lambda counts, shares, seed: random_split(len(counts), shares, seed),
    "stratified": stratified_split,
}


class Format(NamedTuple):
    """An annotation format.

    Attributes:
        name: The name for display.
        open: Opens a split of a folder.
        read: Reads the annotations, given a folder, a split and what to do with invalid entries.
        find_splits: Returns the splits that a folder has in this format, none if it is in another.
    """

    name: str
    open: Callable[[Path, str], FolderData]
    read: Callable[[Path, str, ReportProblem], RawData]
    find_splits: Callable[[Path], tuple[str, ...]]


FORMATS = (  # the first match wins
    Format("COCO", CocoData, read_coco, find_coco_splits),
    Format("Pascal VOC", VocData, read_voc, find_voc_splits),
    Format("YOLO", YoloData, read_yolo, find_yolo_splits),
)


def find_format(folder: Path) -> Format | None:
    """Returns the format of a folder's data set, None if there is none."""
    return next((each for each in FORMATS if each.find_splits(folder)), None)


def require_format(folder: Path, split: str = "train") -> Format:
    """Returns the format of a folder's data set.

    Raises:
        DataError: The folder does not exist or has no data set.
    """
    if not folder.is_dir():
        raise DataError(f"There is no data set {str(folder)!r}: give an existing folder, or scenes.")
    found = find_format(folder)
    if not found:
        raise DataError(
            f"The folder {folder} holds no data set: add {split}.json beside images/ or "
            f"annotations/instances_{split}*.json (COCO), Annotations/*.xml with JPEGImages/ (Pascal VOC), or "
            "data.yaml or classes.txt with images/ and labels/ (YOLO)."
        )
    return found


class AmbiguousFormatError(DataError):
    """A folder whose files can be read in several formats.

    Attributes:
        formats: The keys of these formats, see `core.data.annotations.Format`.
    """

    def __init__(self, message: str, formats: Sequence[str]) -> None:
        super().__init__(message)
        self.formats = tuple(formats)


def open_folder(folder: Path, split: str, *, format: str | None = None, strict: bool = False) -> FolderData:
    """Opens a split of a folder: one that its annotations define, or one from `core.data.splits.SPLITS_FILE`.

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.
        format: The key of an annotation format; None to detect it.
        strict: Refuse the first picture or box that cannot be used, instead of leaving it out.

    Raises:
        AmbiguousFormatError: The folder can be read in several formats.
        DataError: The split does not exist or cannot be used.
    """
    found = require_format(folder, split)
    if (folder / SPLITS_FILE).is_file():
        return FolderData(read_folder(folder, split))
    return found.open(folder, split)


def find_splits(folder: Path) -> tuple[str, ...]:
    """Returns the splits of a folder; raises the errors of `open_folder`."""
    lists = read_splits(folder)
    return tuple(split for split in SPLITS if lists[split]) if lists else require_format(folder).find_splits(folder)


def read_folder(folder: Path, split: str, report: ReportProblem = raise_problem) -> RawData:
    """Reads the annotations of a split; raises the errors of `open_folder`.

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.
        report: Called for each entry that is left out because it is invalid.
    """
    lists = read_splits(folder)
    if lists is None:
        return require_format(folder, split).read(folder, split, report)
    raw = read_all_splits(folder, report)
    known = dict(zip(list_names(folder, raw.images), raw.images, strict=True))
    unknown = [name for name in lists[split] if name not in known]
    if unknown:
        raise DataError(
            f"{folder / SPLITS_FILE} lists {quote(unknown[0])}, which the data set does not have ({len(unknown)} of "
            f"{len(lists[split])}): remove the file, or create it again with: split --data {folder}"
        )
    if not lists[split]:
        raise DataError(f"{folder / SPLITS_FILE} lists no picture for {split}: create it again with other shares.")
    return raw._replace(images=[known[name] for name in lists[split]])


def read_all_splits(folder: Path, report: ReportProblem = raise_problem) -> RawData:
    """Reads all splits that a folder's annotations define as one; raises the errors of `open_folder`.

    Images are renumbered if their ids are not distinct across splits.

    Raises:
        DataError: The splits have different classes, or contain the same image.
    """
    found = require_format(folder)
    parts = [found.read(folder, split, report) for split in found.find_splits(folder)]
    for part in parts[1:]:
        if (part.class_names, part.category_ids) != (parts[0].class_names, parts[0].category_ids):
            raise DataError(f"The splits of {folder} name different classes: give all the same, in the same order.")
    images = [image for part in parts for image in part.images]
    repeated = [name for name, count in Counter(list_names(folder, images)).items() if count > 1]
    if repeated:
        raise DataError(
            f"{folder} has {quote(repeated[0])} more than once ({len(repeated)} such pictures): keep one each."
        )
    if len({image.image_id for image in images}) == len(images):
        return parts[0]._replace(images=images)
    numbered = [image._replace(image_id=number) for number, image in enumerate(images)]
    return parts[0]._replace(images=numbered)


def list_names(folder: Path, images: Sequence[RawImage]) -> list[str]:
    """Returns the images' names in `SPLITS_FILE`: their paths relative to the folder."""
    return [image.path.relative_to(folder).as_posix() for image in images]


def split_folder(folder: Path, by: str, shares: Sequence[float], seed: int) -> None:
    """Writes lists of images that replace the splits of a folder's annotations, or removes these lists.

    Args:
        folder: The data set's folder.
        by: `GIVEN` to remove the lists, or a key of `SPLIT_METHODS`.
        shares: The share of the images in each of `core.data.dataset.SPLITS`.
        seed: Seeds the random choices.

    Raises:
        DataError: There is no data set, it cannot be read, or it cannot be divided by these shares.
        OutputError: The folder cannot be written to.
    """
    require_format(folder)
    require_writable(folder / SPLITS_FILE)
    if by == GIVEN:
        (folder / SPLITS_FILE).unlink(missing_ok=True)
        return
    raw = read_all_splits(folder)
    labels = [[item.label for item in image.objects if not item.crowd] for image in raw.images]
    counts = np.array([np.bincount(each, minlength=len(raw.class_names)) for each in labels], dtype=np.int64)
    parts = SPLIT_METHODS[by](counts, shares, seed)
    names = list_names(folder, raw.images)
    lists = [[names[number] for number in part] for part in parts]
    write_splits(folder, dict(zip(SPLITS, lists, strict=True)))
