"""Checks a data set in a folder before training: decodes every image, measures every box, compares the splits."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from core.analysis.image_check import ImageFacts, check_image
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
    """The counts of a split.

    Attributes:
        pictures: Number of images.
        empty: Number of images without a valid object.
        objects: Number of valid objects by class, without crowd regions.
        crowds: Number of crowd regions, which neither train nor count in evaluation.
    """

    pictures: int
    empty: int
    objects: dict[str, int]
    crowds: int


class DataCheck(NamedTuple):
    """The result of checking a data set.

    Attributes:
        format: "COCO", "Pascal VOC" or "YOLO"; None if no format was recognised.
        class_names: The class names of labels 0 … K−1; empty if no split could be read.
        splits: The readable splits by name.
        sizes: The object sizes by class name, for classes with objects.
        issues: What is wrong, most serious first.
    """

    format: str | None
    class_names: tuple[str, ...]
    splits: dict[str, SplitSummary]
    sizes: dict[str, ClassSizes]
    issues: tuple[Issue, ...]

    @property
    def is_usable(self) -> bool:
        """True if a detector can be trained on the data set."""
        return not any(issue.stops for issue in self.issues)

    @property
    def blocking_issues(self) -> tuple[Issue, ...]:
        """The issues that prevent an import: all that stop training, except a missing split, which can be added."""
        return tuple(issue for issue in self.issues if issue.stops and issue.kind != NO_VAL)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Reads a check from the values of `to_dict`.

        Raises:
            KeyError, TypeError: A value is missing or has the wrong type.
        """
        return cls(
            format=values["format"],
            class_names=tuple(values["class_names"]),
            splits={name: SplitSummary(**each) for name, each in values["splits"].items()},
            sizes={name: _read_sizes(each) for name, each in values["sizes"].items()},
            issues=tuple(Issue(**{**each, "examples": tuple(each["examples"])}) for each in values["issues"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the check as plain values for JSON."""
        return {
            "format": self.format,
            "usable": self.is_usable,
            "class_names": list(self.class_names),
            "splits": {name: each._asdict() for name, each in self.splits.items()},
            "sizes": {name: each._asdict() for name, each in self.sizes.items()},
            "issues": [asdict(issue) for issue in self.issues],
        }


def _read_sizes(values: dict[str, Any]) -> ClassSizes:
    return ClassSizes(**{**values, "side": tuple(values["side"]), "ratio": tuple(values["ratio"])})


def check_folder(
    folder: Path, config: Config, progress: Callable[[int, int], None] = lambda done, total: None
) -> DataCheck:
    """Checks a data set; every defect becomes an issue rather than an error.

    Args:
        folder: A folder in COCO, Pascal VOC or YOLO format.
        config: Image sizes, anchors and matching, which the boxes are compared with.
        progress: Called after each image with the number of images done and in total.
    """
    issues = Issues(folder)
    splits = _read_splits(folder, issues)
    total, done = sum(len(raw.images) for raw in splits.values()), 0
    facts: dict[str, list[ImageFacts]] = {split: [] for split in splits}
    for split, raw in splits.items():
        for image in raw.images:
            facts[split].append(check_image(image, split, raw.class_names, config.inference, issues))
            done += 1
            progress(done, total)
    class_names = next((raw.class_names for raw in splits.values()), ())
    summaries = {split: _summarise(facts[split], raw.class_names) for split, raw in splits.items()}
    _report_repeated_images(facts, issues)
    _report_class_issues(summaries, class_names, issues)
    sizes = measure_sizes([image for images in facts.values() for image in images], class_names, config, issues)
    return DataCheck(_find_format_name(folder), class_names, summaries, sizes, issues.to_tuple())


def _find_format_name(folder: Path) -> str | None:
    try:
        found = find_format(folder)
    except DataError:
        return None
    return found.name if found else None


def _read_splits(folder: Path, issues: Issues) -> dict[str, RawData]:
    """Reads all splits; reports those that are missing, unreadable or have different classes."""
    splits = {}
    try:
        names = find_splits(folder)
    except DataError as error:
        issues.add(NO_DATA, str(error))
        return {}
    for name in names:
        try:
            splits[name] = read_folder(folder, name, issues.add)
        except DataError as error:
            issues.add(NO_DATA, str(error))
    for name, kind in (("val", NO_VAL), ("test", NO_TEST)):
        if name not in names:
            issues.add(kind, f"there is no split {name}")
    if len({raw.class_names for raw in splits.values()}) > 1:
        issues.add(NO_DATA, "the splits name different classes: give all the same, in the same order")
        return {}
    return splits


def _summarise(facts: Sequence[ImageFacts], class_names: tuple[str, ...]) -> SplitSummary:
    counts = np.zeros(len(class_names), dtype=np.int64)
    for image in facts:
        counts += np.bincount(image.labels, minlength=len(class_names))
    objects = dict(zip(class_names, counts.tolist(), strict=True))
    empty = sum(len(image.labels) == 0 for image in facts)
    return SplitSummary(len(facts), empty, objects, sum(image.crowds for image in facts))


def _report_repeated_images(facts: dict[str, list[ImageFacts]], issues: Issues) -> None:
    """Reports images that occur twice, byte for byte, in one split or in two."""
    first: dict[bytes, tuple[str, str]] = {}
    for split, images in facts.items():
        for number, image in enumerate(images, start=1):
            if image.digest is None:
                continue
            name = f"{image.name} (picture {number})"
            first_split, first_name = first.setdefault(image.digest, (split, name))
            if (first_split, first_name) != (split, name):
                kind = SAME_PICTURE if first_split == split else SHARED_PICTURE
                issues.add(kind, f"{name} is {first_name}")


def _report_class_issues(splits: dict[str, SplitSummary], class_names: tuple[str, ...], issues: Issues) -> None:
    """Reports classes without objects, and classes with nearly the same name."""
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
