"""Which pictures train, which validate and which test: by name, at random, or with every class shared out fairly."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from core.data.dataset import SPLITS
from core.data.untrusted import DataError, read_bounded, shown
from core.io.atomic import write_text

SPLITS_FILE = "splits.json"  # in a data set's folder: lists of pictures that replace its own splits
MAX_SPLITS_BYTES = 64 * 2**20


def by_name(names: Iterable[str]) -> dict[str, list[str]]:
    """Splits for good, without a file: sorted by the SHA-256 of the name, of every ten the second is in val, the third
    in test and the others in train.
    """
    shuffled = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
    parts = {1: "val", 2: "test"}
    return {split: [name for rank, name in enumerate(shuffled) if parts.get(rank % 10, "train") == split]
            for split in SPLITS}  # fmt: skip


def random_split(count: int, shares: Sequence[float], seed: int) -> list[list[int]]:
    """Deals out 0 … count − 1 at random; returns the numbers of each share, in order."""
    order = np.random.default_rng(seed).permutation(count)
    ends = np.cumsum(_sizes(count, shares))
    return [sorted(part.tolist()) for part in np.split(order, ends[:-1])]


def stratified_split(counts: np.ndarray, shares: Sequence[float], seed: int) -> list[list[int]]:
    """Deals out pictures so that each part gets its share of the objects of every class.

    The class with the fewest objects left goes first; its pictures, those with most of it first, each go to the part
    that lacks most of it (iterative stratification: Sechidis et al. 2011, on objects instead of pictures). Pictures
    without objects are a class of their own.

    Args:
        counts: int [N, K], objects of each class in each picture.
        shares: Of the pictures in each part.
        seed: Decides between equals.

    Returns:
        The numbers of each part, in order; as many as `random_split` gives it.
    """
    weights = np.column_stack([counts, counts.sum(axis=1) == 0]).astype(np.float64)  # [N, K + 1]
    order = np.random.default_rng(seed).permutation(len(weights))
    room = np.array(_sizes(len(weights), shares))
    lacks = np.outer(shares, weights.sum(axis=0))  # [parts, K + 1]
    part = np.full(len(weights), -1)
    while (part < 0).any():
        open_ = order[part[order] < 0]
        left = weights[open_].sum(axis=0)
        rarest = int(np.where(left > 0, left, np.inf).argmin())
        here = open_[weights[open_, rarest] > 0]
        for number in here[np.argsort(-weights[here, rarest], kind="stable")]:
            best = max(np.flatnonzero(room), key=lambda each: (lacks[each, rarest], room[each]))
            part[number] = best
            room[best] -= 1
            lacks[best] -= weights[number]
    return [np.flatnonzero(part == number).tolist() for number in range(len(shares))]


def write_splits(folder: Path, splits: Mapping[str, Sequence[str]]) -> None:
    """Writes lists of pictures, as paths from the folder, that replace the folder's own splits."""
    write_text(folder / SPLITS_FILE, json.dumps({split: list(splits[split]) for split in SPLITS}, indent=1) + "\n")


def read_splits(folder: Path) -> dict[str, list[str]] | None:
    """Reads those lists; None where there are none.

    Raises:
        DataError: The file is no such list, or a picture is in it twice.
    """
    path = folder / SPLITS_FILE
    if not path.is_file():
        return None
    remedy = f"remove the file, or make it again with: split --data {folder}"
    content = read_bounded(path, MAX_SPLITS_BYTES)
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be used because it is not JSON ({error}): {remedy}.") from None
    lists = [values.get(split) for split in SPLITS] if isinstance(values, dict) else [None]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise DataError(f"{path} cannot be used because it is no list of names for each of {SPLITS}: {remedy}.")
    seen: set[str] = set()
    for name in (name for names in lists for name in names):
        if name in seen:
            raise DataError(f"{path} cannot be used because it lists {shown(name)} twice: {remedy}.")
        seen.add(name)
    return dict(zip(SPLITS, lists, strict=True))


def _sizes(count: int, shares: Sequence[float]) -> list[int]:
    """Shares out pictures by largest remainder; a part that is to have some gets one if there are enough.

    Raises:
        DataError: The shares are not positive numbers that add up to 1, or there are fewer pictures than parts.
    """
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise DataError(f"The shares {shown(list(shares))} must not be negative and must add up to 1.")
    wanted = sum(share > 0 for share in shares)
    if count < wanted:
        raise DataError(f"{count} pictures cannot be split into {wanted} parts: add pictures or ask for fewer parts.")
    exact = np.array(shares) * count
    sizes = np.floor(exact + 1e-9).astype(np.int64)
    for place in np.argsort(sizes - exact, kind="stable")[: count - sizes.sum()]:
        sizes[place] += 1
    for place in np.flatnonzero((sizes == 0) & (np.array(shares) > 0)):
        sizes[sizes.argmax()] -= 1
        sizes[place] += 1
    return sizes.tolist()
