"""Data sets in folders, whatever their format: which it is, its splits, and splits of one's own."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.data.coco import CocoData, coco_splits, read_coco
from core.data.dataset import SPLITS, FolderData, Problem, RawData, RawPicture, refuse
from core.data.splits import SPLITS_FILE, random_split, read_splits, stratified_split, write_splits
from core.data.untrusted import DataError, shown
from core.data.voc import VocData, read_voc, voc_splits
from core.data.yolo import YoloData, read_yolo, yolo_splits
from core.io.atomic import require_writable

GIVEN = "given"
SPLIT_BY = {"random": lambda counts, *how: random_split(len(counts), *how), "stratified": stratified_split}


class Format(NamedTuple):
    """A format of annotations.

    Attributes:
        name: For people.
        data: The data set of a folder and a split.
        read: What its annotation files say, given a folder, a split and what to do with entries that are wrong.
        splits: Which splits a folder holds in this format, none if it is in another.
    """

    name: str
    data: type[FolderData]
    read: Callable[[Path, str, Problem], RawData]
    splits: Callable[[Path], tuple[str, ...]]


FORMATS = (  # the first that fits is taken
    Format("COCO", CocoData, read_coco, coco_splits),
    Format("Pascal VOC", VocData, read_voc, voc_splits),
    Format("YOLO", YoloData, read_yolo, yolo_splits),
)


def format_of(folder: Path) -> Format | None:
    """Returns the format of a folder's data set, None if there is none."""
    return next((each for each in FORMATS if each.splits(folder)), None)


def require_format(folder: Path, split: str = "train") -> Format:
    """Returns the format of a folder's data set.

    Raises:
        DataError: There is no such folder, or no data set in it.
    """
    if not folder.is_dir():
        raise DataError(f"There is no data set {str(folder)!r}: give a folder that exists, or scenes.")
    found = format_of(folder)
    if not found:
        raise DataError(
            f"The folder {folder} holds no data set: add {split}.json beside images/ or "
            f"annotations/instances_{split}*.json (COCO), Annotations/*.xml with JPEGImages/ (Pascal VOC), or "
            "data.yaml or classes.txt with images/ and labels/ (YOLO)."
        )
    return found


def open_folder(folder: Path, split: str) -> FolderData:
    """Opens a split of a folder, its own or one of `core.data.splits.SPLITS_FILE`.

    Raises:
        DataError: There is none, or it cannot be used.
    """
    found = require_format(folder, split)
    if (folder / SPLITS_FILE).is_file():
        return FolderData(read_folder(folder, split))
    return found.data(folder, split)


def splits_of(folder: Path) -> tuple[str, ...]:
    """Returns the splits a folder has; errors as `open_folder`."""
    own = read_splits(folder)
    return tuple(split for split in SPLITS if own[split]) if own else require_format(folder).splits(folder)


def read_folder(folder: Path, split: str, problem: Problem = refuse) -> RawData:
    """Reads the annotations of a split; errors as `open_folder`.

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.
        problem: Is called for each entry that has to be left out.
    """
    own = read_splits(folder)
    if own is None:
        return require_format(folder, split).read(folder, split, problem)
    raw = read_whole(folder, problem)
    known = dict(zip(names_of(folder, raw), raw.pictures, strict=True))
    unknown = [name for name in own[split] if name not in known]
    if unknown:
        raise DataError(
            f"{folder / SPLITS_FILE} lists {shown(unknown[0])}, which the data set does not have ({len(unknown)} of "
            f"{len(own[split])}): remove the file, or make it again with: split --data {folder}"
        )
    if not own[split]:
        raise DataError(f"{folder / SPLITS_FILE} lists no picture for {split}: make it again with other shares.")
    return raw._replace(pictures=[known[name] for name in own[split]])


def read_whole(folder: Path, problem: Problem = refuse) -> RawData:
    """Reads all splits a folder's annotations give as one; errors as `open_folder`.

    Pictures are numbered anew where the numbers of the splits are not distinct.

    Raises:
        DataError: Also if the splits name different classes, or the same picture twice.
    """
    found = require_format(folder)
    parts = [found.read(folder, split, problem) for split in found.splits(folder)]
    for part in parts[1:]:
        if (part.class_names, part.category_ids) != (parts[0].class_names, parts[0].category_ids):
            raise DataError(f"The splits of {folder} name different classes: give all the same, in the same order.")
    pictures = [picture for part in parts for picture in part.pictures]
    twice = [name for name, count in Counter(names_of(folder, pictures)).items() if count > 1]
    if twice:
        raise DataError(f"{folder} has {shown(twice[0])} more than once ({len(twice)} such pictures): keep one each.")
    if len({picture.image_id for picture in pictures}) == len(pictures):
        return parts[0]._replace(pictures=pictures)
    numbered = [picture._replace(image_id=number) for number, picture in enumerate(pictures)]
    return parts[0]._replace(pictures=numbered)


def names_of(folder: Path, raw: RawData | Sequence[RawPicture]) -> list[str]:
    """Returns what `SPLITS_FILE` calls the pictures: their paths from the folder."""
    pictures = raw.pictures if isinstance(raw, RawData) else raw
    return [picture.path.relative_to(folder).as_posix() for picture in pictures]


def split_folder(folder: Path, by: str, shares: Sequence[float], seed: int) -> None:
    """Writes lists of pictures that replace a folder's own splits, or removes them.

    Args:
        folder: The data set's.
        by: `GIVEN` to remove them, or a key of `SPLIT_BY`.
        shares: Of the pictures in each of `core.data.dataset.SPLITS`.
        seed: Of what is decided at random.

    Raises:
        DataError: There is no data set, it cannot be read, or the shares are not to be had.
        OutputError: The folder cannot be written to.
    """
    require_format(folder)
    require_writable(folder / SPLITS_FILE)
    if by == GIVEN:
        (folder / SPLITS_FILE).unlink(missing_ok=True)
        return
    raw = read_whole(folder)
    labels = [[item.label for item in picture.objects if not item.crowd] for picture in raw.pictures]
    counts = np.array([np.bincount(each, minlength=len(raw.class_names)) for each in labels], dtype=np.int64)
    parts = SPLIT_BY[by](counts, shares, seed)
    names = names_of(folder, raw.pictures)
    lists = [[names[number] for number in part] for part in parts]
    write_splits(folder, dict(zip(SPLITS, lists, strict=True)))
