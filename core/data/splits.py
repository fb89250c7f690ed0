"""Divides images into train, val and test: by file name, at random, or stratified by class."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from pathlib import Path
from typing import NamedTuple, TypeGuard

import numpy as np

from core.data.dataset import SPLITS
from core.data.files import MAX_FILES, FolderFiles
from core.data.untrusted import DataError, quote, read_bounded
from core.io.atomic import write_text

SPLITS_FILE = "splits.json"  # in a data set's folder: lists of images that replace the splits of its annotations
MAX_SPLITS_BYTES = 64 * 2**20


def split_by_name(names: Iterable[str]) -> dict[str, list[str]]:
    """Divides names into splits that are reproducible without a file.

    Names are sorted by their SHA-256; of each ten, the second goes to val, the third to test and the others to train.
    """
    shuffled = sorted(names, key=lambda name: hashlib.sha256(name.encode(errors="surrogateescape")).digest())
    parts = {1: "val", 2: "test"}
    return {split: [name for rank, name in enumerate(shuffled) if parts.get(rank % 10, "train") == split]
            for split in SPLITS}  # fmt: skip


def random_split(count: int, shares: Sequence[float], seed: int) -> list[list[int]]:
    """Divides 0 … count − 1 at random; returns the sorted numbers of each part."""
    order = np.random.default_rng(seed).permutation(count)
    ends = np.cumsum(_compute_sizes(count, shares))
    return [sorted(part.tolist()) for part in np.split(order, ends[:-1])]


def stratified_split(labels: Sequence[np.ndarray], shares: Sequence[float], seed: int) -> list[list[int]]:
    """Divides images so that each part receives its share of the objects of every class.

    Iterative stratification (Sechidis et al. 2011), applied to objects rather than images: the class with the fewest
    remaining objects is next; each of its images, those with most objects of it first, goes to the part that lacks most
    objects of it. Images without objects form an extra class.

    Args:
        labels: The classes of the objects of each image.
        shares: The share of the images in each part.
        seed: Breaks ties.

    Returns:
        The sorted image numbers of each part; the parts have the same sizes as those of `random_split`.
    """
    sizes = _compute_sizes(len(labels), shares)
    part = _Stratification(labels, shares, sizes, np.random.default_rng(seed).permutation(len(labels))).divide()
    return [np.flatnonzero(part == number).tolist() for number in range(len(shares))]


def write_splits(folder: Path, splits: Mapping[str, Sequence[str]]) -> None:
    """Writes lists of images, as paths relative to the folder, that replace the splits of its annotations."""
    write_text(folder / SPLITS_FILE, format_splits(splits))


def format_splits(splits: Mapping[str, Sequence[str]]) -> str:
    """Returns the text that `write_splits` writes."""
    return json.dumps({split: list(splits[split]) for split in SPLITS}, indent=1) + "\n"


def find_splits_folder(files: FolderFiles) -> str | None:
    """Returns the folder of `SPLITS_FILE` relative to the root, "" for the root itself; None if there are no lists.

    Beside the root it may be a folder that holds all pictures, as when the data set was packed with its folder.
    """
    folders = [name.removesuffix(SPLITS_FILE) for name in files.others if name.rpartition("/")[2] == SPLITS_FILE]
    if "" in folders:
        return ""
    fits = [folder for folder in folders if all(name.startswith(folder) for name in files.images)]
    return fits[0].rstrip("/") if len(fits) == 1 else None


def read_splits(folder: Path) -> dict[str, list[str]] | None:
    """Reads the lists of `write_splits`; None if there are none.

    Raises:
        DataError: The file is not such a list, or contains an image twice.
    """
    path = folder / SPLITS_FILE
    if not path.is_file():
        return None
    remedy = f"remove the file, or create it again with: split --data {folder}"
    content = read_bounded(path, MAX_SPLITS_BYTES)
    if sum(map(content.count, (b",", b"[", b"{"))) > 2 * MAX_FILES:  # values, and commas in names
        raise DataError(f"{path} lists more than {MAX_FILES:,} pictures: {remedy}.")
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be used because it is not JSON ({error}): {remedy}.") from None
    if not isinstance(values, dict) or not all(_is_name_list(values.get(split)) for split in SPLITS):
        raise DataError(f"{path} cannot be used because it is not a list of names for each of {SPLITS}: {remedy}.")
    seen: set[str] = set()
    for name in (name for split in SPLITS for name in values[split]):
        if name in seen:
            raise DataError(f"{path} cannot be used because it lists {quote(name)} twice: {remedy}.")
        seen.add(name)
    return {split: values[split] for split in SPLITS}


def _is_name_list(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _compute_sizes(count: int, shares: Sequence[float]) -> list[int]:
    """Returns the part sizes by largest remainder; a part with a positive share gets at least one image.

    Raises:
        DataError: The shares are negative or do not add up to 1, or there are fewer images than parts.
    """
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise DataError(f"The shares {quote(list(shares))} must not be negative and must add up to 1.")
    wanted = sum(share > 0 for share in shares)
    if count < wanted:
        raise DataError(f"{count} pictures cannot be split into {wanted} parts: add pictures or ask for fewer parts.")
    exact = np.array(shares) * count
    sizes = np.floor(exact + 1e-9).astype(np.int64)
    for part in np.argsort(sizes - exact, kind="stable")[: count - sizes.sum()]:
        sizes[part] += 1
    for part in np.flatnonzero((sizes == 0) & (np.array(shares) > 0)):
        sizes[sizes.argmax()] -= 1
        sizes[part] += 1
    return sizes.tolist()


class _Counts(NamedTuple):
    """The numbers of objects of each class in each image, where there are any: sorted by image.

    Classes are those that occur, numbered anew in their order; images without objects have one of an extra class.

    Attributes:
        images: int [E].
        classes: int [E].
        counts: float64 [E].
    """

    images: np.ndarray
    classes: np.ndarray
    counts: np.ndarray


def _count_objects(labels: Sequence[np.ndarray]) -> _Counts:
    sizes = np.array([len(each) for each in labels])
    used, classes = np.unique(np.concatenate(labels), return_inverse=True)
    empty = np.flatnonzero(sizes == 0)
    images = np.concatenate([np.repeat(np.arange(len(labels)), sizes), empty])
    classes = np.concatenate([classes, np.full(len(empty), len(used))])
    keys, counts = np.unique(images * (len(used) + 1) + classes, return_counts=True)
    return _Counts(*np.divmod(keys, len(used) + 1), counts.astype(np.float64))


class _Stratification:
    """The division of images that `stratified_split` returns; its work grows with the objects, not with the classes.

    Args:
        labels: The classes of the objects of each image.
        shares: The share of the images in each part.
        sizes: The number of images in each part.
        order: The image numbers in the order that breaks ties.
    """

    def __init__(
        self, labels: Sequence[np.ndarray], shares: Sequence[float], sizes: Sequence[int], order: np.ndarray
    ) -> None:
        self._table = table = _count_objects(labels)
        self._starts = np.searchsorted(table.images, np.arange(len(labels) + 1))  # each image's entries in the table
        by_class = np.lexsort((np.argsort(order)[table.images], -table.counts, table.classes))
        self._by_class = table.images[by_class]
        self._class_starts = np.searchsorted(table.classes[by_class], np.arange(table.classes.max() + 2))
        self._left = np.bincount(table.classes, table.counts)  # objects in images without a part
        self._lacks = np.outer(shares, self._left)  # [parts, classes]
        self._room = np.array(sizes)
        self._part = np.full(len(labels), -1)

    def divide(self) -> np.ndarray:
        """Returns the part of each image."""
        queue = sorted(zip(self._left.tolist(), range(len(self._left)), strict=True))
        while queue:
            count, rarest = heappop(queue)
            if count == self._left[rarest]:  # otherwise it has lost objects since, and another entry for those left
                changed = self._place_images_with(rarest)
                for each in filter(self._left.__getitem__, changed):
                    heappush(queue, (self._left[each], each))
        return self._part

    def _place_images_with(self, rarest: int) -> set[int]:
        """Assigns the images with objects of a class to parts; returns the classes of their objects."""
        candidates = self._by_class[self._class_starts[rarest] : self._class_starts[rarest + 1]]
        changed: set[int] = set()
        for number in candidates[self._part[candidates] < 0]:
            own = slice(self._starts[number], self._starts[number + 1])
            classes, counts = self._table.classes[own], self._table.counts[own]
            best = max(np.flatnonzero(self._room), key=lambda each: (self._lacks[each, rarest], self._room[each]))
            self._part[number] = best
            self._room[best] -= 1
            self._lacks[best, classes] -= counts
            self._left[classes] -= counts
            changed.update(classes.tolist())
        return changed
