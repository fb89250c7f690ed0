"""Reads a data set in one format: its annotations, the pictures they mean, and the splits."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np

from core.data.annotations import AnnotatedImage, Annotations, Format, NoObjectError, ReportProblem, raise_problem
from core.data.dataset import SPLITS
from core.data.files import FolderFiles, is_image_name
from core.data.left_out import EMPTY_BOX, GONE, OUTSIDE_BOX, UNLISTED, LeftOut, Tally
from core.data.raw import JudgedBoxes, RawData, RawImage, judge_boxes
from core.data.reading.assignment import Assignment, assign_listed, assign_splits
from core.data.reading.picture_index import fold, get_base
from core.data.reading.pictures import find_given_splits, get_relative, match_pictures
from core.data.reading.plausibility import find_refusals, find_shared_pictures, find_unknown_classes
from core.data.reading.sentences import describe_reading
from core.data.reading.split_names import find_split
from core.data.reading.split_words import UNIONS
from core.data.splits import SPLITS_FILE, find_splits_folder, read_splits
from core.data.untrusted import DataError, quote
from core.io.text import count_noun

MAX_NAMED = 3  # files or splits


class FolderContents(NamedTuple):
    """The annotations of a data set's folder, matched with its pictures; no picture has been opened.

    Attributes:
        format: The annotation format.
        splits: The splits with at least one picture, in the order of `core.data.dataset.SPLITS`.
        unlisted: The annotated pictures in no split.
        reading: How the annotations were read, as sentences for people.
        left_out: What cannot be used.
        refusals: Why the data set cannot be used at all, as clauses that follow a colon.
        stamp: Changes with any file of the folder.
    """

    format: Format
    splits: dict[str, RawData]
    unlisted: RawData
    reading: str
    left_out: LeftOut
    refusals: tuple[str, ...]
    stamp: str

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class names of labels 0 … K−1."""
        return self.unlisted.class_names

    @property
    def images(self) -> list[RawImage]:
        """All annotated pictures, those in no split last."""
        return [image for raw in (*self.splits.values(), self.unlisted) for image in raw.images]

    def count_annotating(self) -> int:
        """Returns the number of pictures with objects."""
        return sum(len(image.labels) > 0 for image in self.images)


def read_contents(
    files: FolderFiles, format: Format, paths: Sequence[Path], *, strict: bool = False, use_lists: bool = True
) -> FolderContents:
    """Reads the annotation files of one format.

    Args:
        files: The data set's files.
        format: The format.
        paths: What `format.find` returned.
        strict: Raise at the first picture or box that cannot be used, instead of leaving it out.
        use_lists: Follow the lists of `core.data.splits.SPLITS_FILE` if there are any.

    Raises:
        DataError: The annotations or lists cannot be used as a whole, or are not perfect and `strict` is set.
    """
    tally = Tally(files.root)
    report: ReportProblem = raise_problem if strict else tally.add
    try:
        annotations = format.read(files, paths, report)
    except NoObjectError as error:
        raise DataError(f"{error} {tally.left_out().describe()}".rstrip()) from None
    matched = match_pictures(files, annotations.images, report)
    pairs = [(image, name) for image, name in zip(annotations.images, matched.paths, strict=True) if name is not None]
    ids = _number_images([image for image, _ in pairs])
    images = [_make_raw(files.root, *pair, image_id) for pair, image_id in zip(pairs, ids, strict=True)]
    judged = judge_boxes(images)
    report_boxes(images, judged, report)
    assignment = _assign(files, format, pairs, report, use_lists=use_lists)
    for number in assignment.unlisted:
        tally.add(UNLISTED, pairs[number][1])
    splits, unlisted = _divide(annotations, images, assignment)
    left_out = tally.left_out()
    notes = (*annotations.notes, *_describe_matches(annotations.images, matched.unions, pairs))
    reading = describe_reading(files, format, paths, [name for _, name in pairs], assignment, notes)
    refusals = find_unknown_classes(left_out)
    refusals += find_shared_pictures((name, get_relative(files.root, image.source)) for image, name in pairs)
    refusals += find_shared_pictures(
        (pairs[number][1], split) for split, numbers in assignment.splits.items() for number in numbers
    )
    refusals += find_refusals(images, judged, splits if use_lists else {}, left_out)
    return FolderContents(format, splits, unlisted, reading, left_out, refusals, files.stamp)


def _divide(
    annotations: Annotations, images: Sequence[RawImage], assignment: Assignment
) -> tuple[dict[str, RawData], RawData]:
    """Returns the images of each split that has any, and those in no split."""

    def select(numbers: Sequence[int]) -> RawData:
        return RawData(annotations.class_names, annotations.category_ids, [images[number] for number in numbers])

    splits = {split: select(numbers) for split, numbers in assignment.splits.items() if numbers}
    return splits, select(assignment.unlisted)


def _describe_matches(
    images: Sequence[AnnotatedImage], unions: Sequence[int], pairs: Sequence[tuple[AnnotatedImage, str]]
) -> Iterator[str]:
    """Yields the assumptions made in matching annotated pictures with files and splits."""
    yield from _describe_unions(images, unions)
    yield from _describe_renamed(pairs)
    yield from _describe_unknown_splits([image for image, _ in pairs])


def _describe_unions(images: Sequence[AnnotatedImage], unions: Sequence[int]) -> Iterator[str]:
    """Yields which annotation files repeat pictures that others assign to splits."""
    counts = Counter(images[number].source.name for number in unions)
    for name, count in counts.most_common(MAX_NAMED):
        yield f"{name} was not used for {count_noun(count, 'picture')}, since other files assign them to a split."


def _describe_unknown_splits(images: Sequence[AnnotatedImage]) -> Iterator[str]:
    """Yields which names of splits are ignored, since they mean none of train, val and test."""
    names = (image.split for image in images if image.split and image.split.lower() not in UNIONS)
    counts = Counter(name for name in names if not find_split(name))
    if counts:
        shown = ", ".join(quote(name) for name, _ in counts.most_common(MAX_NAMED))
        more = f" and {len(counts) - MAX_NAMED:,} more" if len(counts) > MAX_NAMED else ""
        count = count_noun(counts.total(), "picture")
        yield f"Names of splits that were ignored, since they are not train, val or test ({count}): {shown}{more}."


def _describe_renamed(pairs: Sequence[tuple[AnnotatedImage, str]]) -> Iterator[str]:
    """Yields how many pictures were found under another file name than the annotated one, which has a suffix."""
    renamed = [
        (annotated, name)
        for image, name in pairs
        if (annotated := get_base(image.name.replace("\\", "/"))) != get_base(name)
        and is_image_name(annotated)
        and fold(unquote(annotated)) != fold(unquote(get_base(name)))
    ]
    if renamed:
        annotated, name = renamed[0]
        verb = "was" if len(renamed) == 1 else "were"
        yield (
            f"{count_noun(len(renamed), 'picture')} {verb} found under another name, such as {get_base(name)} for "
            f"{quote(annotated)}."
        )


def _make_raw(root: Path, image: AnnotatedImage, name: str, image_id: int) -> RawImage:
    return RawImage(
        root / name, image.source, image.size, image_id, image.boxes, image.labels, image.crowd, image.relative
    )


def _number_images(images: Sequence[AnnotatedImage]) -> list[int]:
    """Returns the ids of the images: those of the annotations if every image has one."""
    ids = [image.image_id for image in images if image.image_id is not None]
    return ids if len(ids) == len(images) else list(range(len(images)))


def report_boxes(images: list[RawImage], judged: JudgedBoxes, report: ReportProblem) -> None:
    """Reports boxes that are left out as far as the annotations tell."""
    wrong = np.flatnonzero(~judged.valid)
    firsts = np.cumsum([0, *(len(image.labels) for image in images)])
    for number in wrong.tolist():
        owner = int(np.searchsorted(firsts, number, side="right")) - 1
        image, index = images[owner], number - int(firsts[owner])
        box = ", ".join(f"{value:g}" for value in image.boxes[index].tolist())
        kind = EMPTY_BOX if judged.empty[number] else OUTSIDE_BOX
        report(kind, f"{image.source}: object {index + 1} of {image.path.name} has the box {box}")


def _assign(
    files: FolderFiles,
    format: Format,
    pairs: Sequence[tuple[AnnotatedImage, str]],
    report: ReportProblem,
    *,
    use_lists: bool,
) -> Assignment:
    names = [name for _, name in pairs]
    base = find_splits_folder(files) if use_lists else None
    if base is None:
        given = find_given_splits(files.root, [image for image, _ in pairs], names)
        return assign_splits(given, _name_for_division(format, names))
    folder = files.root / base
    numbers = {name: number for number, name in enumerate(names)}
    folded = {unicodedata.normalize("NFC", name): number for name, number in numbers.items()}

    def find(listed: str) -> int | None:
        path = f"{base}/{listed}".lstrip("/")
        number = numbers.get(path, folded.get(unicodedata.normalize("NFC", path)))
        if number is None:
            remedy = "create the lists again with: split"
            report(GONE, f"{folder / SPLITS_FILE} lists {quote(listed)}, which the data set does not have: {remedy}")
        return number

    return assign_listed(read_splits(folder) or {split: [] for split in SPLITS}, find, len(pairs))


def _name_for_division(format: Format, names: Sequence[str]) -> list[str]:
    """Returns the names whose hashes divide the pictures: file names, as before, unless they are not distinct.

    Those of Pascal VOC are without suffix. Both keep the splits of data sets that were divided by earlier versions.
    """
    plain = [PurePosixPath(name) for name in names]
    short = [path.stem if format.key == "voc" else path.name for path in plain]
    return short if len(set(short)) == len(short) else list(names)
