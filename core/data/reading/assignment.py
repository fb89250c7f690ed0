"""Assigns pictures to splits: by lists, as the annotations say, by the names of files and folders, or anew."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from core.data.dataset import SPLITS
from core.data.reading.split_words import TRAINVAL
from core.data.splits import split_by_name

LISTS, ANNOTATIONS, NAMES, MADE = "lists", "annotations", "names", "made"


class Assignment(NamedTuple):
    """The splits of a data set's pictures, which are given by their numbers.

    Attributes:
        splits: The pictures of each of `core.data.dataset.SPLITS`.
        unlisted: The pictures in none of them.
        origins: What gave the splits, in the order of authority.
        divided: What was done with other pictures, such as "trainval divided by name"; "" if there are none.
    """

    splits: dict[str, list[int]]
    unlisted: list[int]
    origins: tuple[str, ...]
    divided: str = ""


def assign_splits(given: Sequence[tuple[str, str] | None], names: Sequence[str]) -> Assignment:
    """Assigns pictures to the splits that are given, or divides them by name if there are none.

    Args:
        given: The split of each picture, or `TRAINVAL`, with what gives it; None if nothing does.
        names: Distinct names, whose hashes decide when pictures are divided.
    """
    found = {each for each in given if each}
    if not found:
        return Assignment(_divide(range(len(names)), names, SPLITS), [], (MADE,), "no splits given")
    parts: dict[str, list[int]] = {split: [] for split in (*SPLITS, TRAINVAL)}
    for number, each in enumerate(given):
        if each:
            parts[each[0]].append(number)
    unlisted = [number for number, each in enumerate(given) if not each]
    origins = tuple(origin for origin in (ANNOTATIONS, NAMES) if any(each[1] == origin for each in found))
    both, rest = parts.pop(TRAINVAL), TRAINVAL
    if unlisted and not (both or parts["train"]):  # nobody means a data set without training
        both, unlisted, rest = unlisted, [], "the other pictures"
    missing = [split for split in SPLITS if not parts[split]]
    if not both:
        return Assignment(parts, unlisted, origins)
    if "train" not in missing or "val" not in missing:  # the rest of what one of them is a part of
        parts["train" if "val" not in missing else "val"] += both
        how = "" if rest == TRAINVAL else f"{rest} used for training"
        return Assignment({split: sorted(parts[split]) for split in SPLITS}, unlisted, origins, how)
    divided = _divide(both, [names[number] for number in both], missing)
    return Assignment({**parts, **divided}, unlisted, origins, f"{rest} divided by name")


def assign_listed(lists: dict[str, list[str]], find: Callable[[str], int | None], count: int) -> Assignment:
    """Assigns pictures to the splits of lists.

    Args:
        lists: The names of the pictures of each split.
        find: Returns a picture's number by name, None if there is no such picture.
        count: The number of pictures.
    """
    splits = {split: [number for name in lists[split] if (number := find(name)) is not None] for split in SPLITS}
    listed = {number for numbers in splits.values() for number in numbers}
    return Assignment(splits, [number for number in range(count) if number not in listed], (LISTS,))


def _divide(numbers: Iterable[int], names: Sequence[str], missing: Sequence[str]) -> dict[str, list[int]]:
    """Divides pictures by name among train, val and test, or train and val if there is a test split."""
    by_name = dict(zip(names, numbers, strict=True))
    parts = split_by_name(names)
    if "test" not in missing:
        parts = {"train": parts["train"] + parts["test"], "val": parts["val"]}
    return {split: sorted(by_name[name] for name in part) for split, part in parts.items()}
