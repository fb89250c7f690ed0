"""A data set in a folder, looked through before a training trips over it: every picture opened, every box measured."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from core.analysis.image_check import ImageFacts, look_at
from core.analysis.issues import (
    ALIKE_CLASSES,
    NO_DATA,
    NO_TEST,
    NO_VAL,
    SAME_PICTURE,
    SHARED_PICTURE,
    UNTRAINED_CLASS,
    UNUSED_CLASS,
    Issue,
    Issues,
)
from core.analysis.size_check import ClassSizes, measure_sizes
from core.config import Config
from core.data.dataset import RawData
from core.data.folders import find_format, find_splits, read_folder
from core.data.untrusted import DataError


class SplitSummary(NamedTuple):
    """A split in numbers.

    Attributes:
        pictures: Listed.
        empty: Of these, pictures without an object that counts.
        objects: By class, crowds and what is left out not counted.
        crowds: Regions that neither train nor count.
    """

    pictures: int
    empty: int
    objects: dict[str, int]
    crowds: int


class DataCheck(NamedTuple):
    """What a look through a data set found.

    Attributes:
        format: COCO, Pascal VOC or YOLO; None if it is none.
        class_names: What label 0 … K−1 means; empty where no split could be read.
        splits: By name, those that could be read.
        sizes: By class name, those with objects.
        issues: What is wrong, the worst first.
    """

    format: str | None
    class_names: tuple[str, ...]
    splits: dict[str, SplitSummary]
    sizes: dict[str, ClassSizes]
    issues: tuple[Issue, ...]

    @property
    def usable(self) -> bool:
        """Whether a detector can be trained on it."""
        return not any(issue.stops for issue in self.issues)

    @property
    def hindrances(self) -> tuple[Issue, ...]:
        """What keeps it from being taken in: all that stops training, but for splits that can still be made."""
        return tuple(issue for issue in self.issues if issue.stops and issue.kind != NO_VAL)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Reads a check from the values of `to_dict`.

        Raises:
            KeyError, TypeError: A value is missing or has another shape.
        """
        return cls(
            format=values["format"],
            class_names=tuple(values["class_names"]),
            splits={name: SplitSummary(**each) for name, each in values["splits"].items()},
            sizes={name: _sizes(each) for name, each in values["sizes"].items()},
            issues=tuple(Issue(**{**each, "examples": tuple(each["examples"])}) for each in values["issues"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return {
            "format": self.format,
            "usable": self.usable,
            "class_names": list(self.class_names),
            "splits": {name: each._asdict() for name, each in self.splits.items()},
            "sizes": {name: each._asdict() for name, each in self.sizes.items()},
            "issues": [issue._asdict() for issue in self.issues],
        }


def _sizes(values: dict[str, Any]) -> ClassSizes:
    return ClassSizes(**{**values, "side": tuple(values["side"]), "ratio": tuple(values["ratio"])})


def check_folder(
    folder: Path, config: Config, progress: Callable[[int, int], None] = lambda done, total: None
) -> DataCheck:
    """Looks through a data set.

    Args:
        folder: In COCO, Pascal VOC or YOLO format; every broken thing in it becomes an issue.
        config: Image size, anchors and matching, against which the boxes are held.
        progress: Is told pictures done and pictures in all.
    """
    issues = Issues(folder)
    raws = _read(folder, issues)
    total, done = sum(len(raw.images) for raw in raws.values()), 0
    looks: dict[str, list[ImageFacts]] = {}
    for split, raw in raws.items():
        looks[split] = []
        for picture in raw.images:
            looks[split].append(look_at(picture, split, raw.class_names, config.inference, issues))
            done += 1
            progress(done, total)
    class_names = next((raw.class_names for raw in raws.values()), ())
    splits = {split: _summary(looks[split], raw.class_names) for split, raw in raws.items()}
    _compare_pictures(looks, issues)
    _compare_classes(splits, class_names, issues)
    sizes = measure_sizes([look for each in looks.values() for look in each], class_names, config, issues)
    return DataCheck(_format_name(folder), class_names, splits, sizes, issues.found())


def _format_name(folder: Path) -> str | None:
    try:
        found = find_format(folder)
    except DataError:
        return None
    return found.name if found else None


def _read(folder: Path, issues: Issues) -> dict[str, RawData]:
    raws = {}
    try:
        splits = find_splits(folder)
    except DataError as error:
        issues.add(NO_DATA, str(error))
        return {}
    for split in splits:
        try:
            raws[split] = read_folder(folder, split, issues.add)
        except DataError as error:
            issues.add(NO_DATA, str(error))
    for split, kind in (("val", NO_VAL), ("test", NO_TEST)):
        if split not in splits:
            issues.add(kind, f"there is no split {split}")
    if len({raw.class_names for raw in raws.values()}) > 1:
        issues.add(NO_DATA, "the splits name different classes: give all the same, in the same order")
        return {}
    return raws


def _summary(looks: Sequence[ImageFacts], class_names: tuple[str, ...]) -> SplitSummary:
    counts = sum((np.bincount(look.labels, minlength=len(class_names)) for look in looks), np.zeros(len(class_names)))
    objects = dict(zip(class_names, (int(count) for count in counts), strict=True))
    empty = sum(len(look.labels) == 0 for look in looks)
    return SplitSummary(len(looks), empty, objects, sum(look.crowds for look in looks))


def _compare_pictures(looks: dict[str, list[ImageFacts]], issues: Issues) -> None:
    """Looks for pictures that are there twice."""
    first: dict[bytes, tuple[str, str]] = {}
    for split, each in looks.items():
        for number, look in enumerate(each):
            if look.digest is None:
                continue
            before, where = first.setdefault(look.digest, (split, f"{look.where} (picture {number + 1})"))
            here = f"{look.where} (picture {number + 1})"
            if here != where or before != split:
                issues.add(SAME_PICTURE if before == split else SHARED_PICTURE, f"{here} is {where}")


def _compare_classes(splits: dict[str, SplitSummary], class_names: tuple[str, ...], issues: Issues) -> None:
    used = Counter[str]()
    for summary in splits.values():
        used.update(summary.objects)
    for name in class_names:
        if not used[name]:
            issues.add(UNUSED_CLASS, name)
        elif "train" in splits and not splits["train"].objects[name]:
            issues.add(UNTRAINED_CLASS, name)
    alike: dict[str, str] = {}
    for name in class_names:
        plain = "".join(character for character in name.casefold() if character.isalnum())
        other = alike.setdefault(plain, name)
        if plain and other != name:
            issues.add(ALIKE_CLASSES, f"{other!r} and {name!r}")
