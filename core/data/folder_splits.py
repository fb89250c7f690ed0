"""Splits a data set in a folder anew, or goes back to the splits its annotations give."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.data.dataset import SPLITS
from core.data.folders import names_of, read_whole, require_format
from core.data.splits import SPLITS_FILE, random_split, stratified_split, write_splits
from core.io.atomic import require_writable

GIVEN = "given"
SPLIT_BY = {"random": lambda counts, *how: random_split(len(counts), *how), "stratified": stratified_split}


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
