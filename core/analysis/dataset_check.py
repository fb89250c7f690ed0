"""Checks a data set in a folder before training: decodes every image, measures every box, compares the splits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from pydantic import TypeAdapter

from core.analysis.image_check import ImageFacts, check_image
from core.analysis.issues import (
    ALIKE_CLASSES,
    NO_DATA,
    NO_TEST,
    NO_VAL,
    NOTHING_LEARNT,
    SAME_PICTURE,
    SHARED_PICTURE,
    UNTRAINED_CLASS,
    UNUSED_CLASS,
    Issue,
    Issues,
)
from core.analysis.size_check import ClassSizes, measure_sizes
from core.config import Config
from core.data.class_names import find_alike
from core.data.folders import examine_data_set
from core.data.left_out import DESCRIPTIONS, EMPTY_BOX, OUTSIDE_BOX, LeftOut
from core.data.raw import RawData, judge_boxes, name_images
from core.data.reading.contents import FolderContents
from core.data.reading.format_detection import AmbiguousFormatError
from core.data.reading.plausibility import find_refusals
from core.data.untrusted import DataError
from core.reader import Kind, limits_for, read_apart
from core.reader.tasks import Progress


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
        format: The name of the annotation format, such as "Pascal VOC"; None if the annotations could not be read.
        class_names: The class names of labels 0 … K−1; empty if no split could be read.
        splits: The readable splits by name.
        sizes: The object sizes by class name, for classes with objects.
        issues: What is wrong, most serious first.
        reading: How the annotations were read, as sentences for people; "" if they were not.
    """

    format: str | None
    class_names: tuple[str, ...]
    splits: dict[str, SplitSummary]
    sizes: dict[str, ClassSizes]
    issues: tuple[Issue, ...]
    reading: str = ""

    @property
    def left_out(self) -> LeftOut:
        """What training leaves out."""
        found = [issue for issue in self.issues if issue.kind in DESCRIPTIONS]
        return LeftOut({issue.kind: issue.count for issue in found}, {issue.kind: issue.examples for issue in found})

    @property
    def is_usable(self) -> bool:
        """True if a detector can be trained on the data set."""
        return not any(issue.stops for issue in self.issues)

    @property
    def blocking_issues(self) -> tuple[Issue, ...]:
        """The issues that prevent an import: all that stop training but those of splits, which can be mended."""
        return tuple(issue for issue in self.issues if issue.stops and issue.kind not in (NO_VAL, NOTHING_LEARNT))

    def describe_blocking(self, verdict: str) -> str:
        """Returns the issues that prevent an import, as a message that begins with a verdict; "" if there are none."""
        issues = self.blocking_issues
        if not issues:
            return ""
        if issues[0].kind == NO_DATA:
            return f"{verdict}: {issues[0].examples[0]}"
        reasons = "; ".join(f"{issue.count} {issue.what}" for issue in issues)
        return f"{verdict} because of {reasons}: correct this and try again."

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Reads a check from the values of `to_dict`.

        Raises:
            ValueError: A value is missing or has the wrong type.
        """
        known = {name: values[name] for name in cls._fields if name in values}
        return TypeAdapter(cls).validate_python(known)  # raises ValidationError, a ValueError

    def to_dict(self) -> dict[str, Any]:
        """Returns the check as plain values for JSON."""
        return {
            "format": self.format,
            "usable": self.is_usable,
            "reading": self.reading,
            "left_out": dict(self.left_out.counts),
            "class_names": list(self.class_names),
            "splits": {name: each._asdict() for name, each in self.splits.items()},
            "sizes": {name: each._asdict() for name, each in self.sizes.items()},
            "issues": [asdict(issue) for issue in self.issues],
        }


def check_folder(
    folder: Path,
    config: Config,
    progress: Progress = lambda done, total: None,
    *,
    format: str | None = None,
) -> DataCheck:
    """Checks a data set; every defect becomes an issue rather than an error.

    Args:
        folder: The data set's folder.
        config: Image sizes, anchors and matching, which the boxes are compared with.
        progress: Called after each image with the number of images done and in total.
        format: The key of the annotation format; None to detect it.

    Raises:
        AmbiguousFormatError: The folder can be read in several formats.
        DataError: Checking it takes more time or memory than it may.
    """
    limits = limits_for(Kind.DATA_SETS, folder)
    if limits is None:
        return _check_here(folder, config, progress, format)
    arguments = {"folder": str(folder), "config": config.to_json(), "format": format}
    with read_apart(
        "check", arguments, name=str(folder), limits=limits, refusal=DataError, progress=progress
    ) as answer:
        return DataCheck.from_dict(answer.value)


def check_for_parent(arguments: dict[str, Any], folder: Path, progress: Progress) -> dict[str, Any]:
    """Checks a data set for another process."""
    config = Config.from_json(arguments["config"])
    return _check_here(Path(arguments["folder"]), config, progress, arguments["format"]).to_dict()


def _check_here(folder: Path, config: Config, progress: Progress, format: str | None) -> DataCheck:
    issues = Issues(folder)
    try:
        contents = examine_data_set(folder, format)
    except AmbiguousFormatError:
        raise
    except DataError as error:
        issues.add(NO_DATA, str(error))
        return DataCheck(None, (), {}, {}, issues.to_tuple())
    issues.add_all(contents.left_out, DESCRIPTIONS.keys() - {EMPTY_BOX, OUTSIDE_BOX})  # the boxes are checked again
    facts = _check_images(contents.splits, config, issues, progress)
    for refusal in _find_refusals(contents, facts, issues):
        issues.add(NO_DATA, refusal)
    _report_missing_splits(contents.splits, issues)
    summaries = {split: _summarise(facts[split], contents.class_names) for split in contents.splits}
    _report_repeated_images(facts, issues)
    _report_class_issues(summaries, contents.class_names, issues)
    images = [image for split in facts.values() for image in split]
    sizes = measure_sizes(images, contents.class_names, config, issues)
    return DataCheck(contents.format.name, contents.class_names, summaries, sizes, issues.to_tuple(), contents.reading)


def _check_images(
    splits: Mapping[str, RawData], config: Config, issues: Issues, progress: Progress
) -> dict[str, list[ImageFacts]]:
    """Decodes the images of all splits and returns their facts."""
    total, done = sum(len(raw.images) for raw in splits.values()), 0
    facts: dict[str, list[ImageFacts]] = {split: [] for split in splits}
    for split, raw in splits.items():
        for image, name in zip(raw.images, name_images(raw.images), strict=True):
            facts[split].append(check_image(image, f"{split}: {name}", raw.class_names, config.inference, issues))
            done += 1
            progress(done, total)
    return facts


def _find_refusals(contents: FolderContents, facts: Mapping[str, list[ImageFacts]], issues: Issues) -> tuple[str, ...]:
    """Returns why the data set cannot be used, now that all sizes and damaged images are known.

    Objects of an unknown class are an issue of their own.
    """
    images = [
        image._replace(size=fact.size)
        for split, raw in contents.splits.items()
        for image, fact in zip(raw.images, facts[split], strict=True)
        if fact.size
    ]
    return find_refusals(images, judge_boxes(images), contents.splits, issues.left_out())


def _report_missing_splits(splits: Mapping[str, RawData], issues: Issues) -> None:
    for name, kind in (("val", NO_VAL), ("test", NO_TEST)):
        if name not in splits:
            issues.add(kind, f"there is no split {name}")


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
    if "train" in splits and used.total() and not any(splits["train"].objects.values()):
        issues.add(NOTHING_LEARNT, "no training picture has an object")
    for name in class_names:
        if not used[name]:
            issues.add(UNUSED_CLASS, name)
        elif "train" in splits and not splits["train"].objects[name]:
            issues.add(UNTRAINED_CLASS, name)
    for other, name in find_alike(class_names):
        issues.add(ALIKE_CLASSES, f"{other!r} and {name!r}")
