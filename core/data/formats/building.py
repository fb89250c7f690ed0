"""Builds `Annotations` from pictures whose objects have class names."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from core.data.annotations import (
    BAD_FILE,
    BAD_OBJECT,
    UNKNOWN_CLASS,
    AnnotatedImage,
    Annotations,
    NoObjectError,
    ReportProblem,
    make_image,
)
from core.data.formats.notes import Notes, number_classes
from core.data.formats.outlines import Box
from core.data.formats.values import parse_flag, parse_name, parse_whole_number
from core.data.untrusted import DataError, quote

T = TypeVar("T")


@dataclass
class Picture:
    """A picture with objects by class name; its attributes are those of `core.data.annotations.AnnotatedImage`."""

    name: str
    source: Path
    size: tuple[int, int] | None = None
    split: str | None = None
    relative: bool = False
    objects: list[tuple[Box, str, bool]] = field(default_factory=list)


def read_each(paths: Iterable[Path], read: Callable[[Path], T], report: ReportProblem) -> Iterator[tuple[Path, T]]:
    """Yields each annotation file with its content; reports and leaves out those that cannot be read.

    Args:
        paths: The annotation files.
        read: Reads one; raises `DataError` if that is not possible.
        report: Called for each file that is left out.
    """
    for path in paths:
        try:
            content = read(path)
        except DataError as error:
            report(BAD_FILE, str(error))
            continue
        yield path, content


def read_crowd(flag: object, where: str, report: ReportProblem) -> bool | None:
    """Returns the flag of a crowd region or difficult object; None, after reporting it, for an unknown spelling."""
    crowd = parse_flag(flag)
    if crowd is None:
        report(BAD_OBJECT, f"{where} has the flag {quote(flag)}, neither 0 nor 1: correct it.")
    return crowd


def add_object(
    picture: Picture, name: object, box: Box | None, where: str, report: ReportProblem, *, crowd: bool = False
) -> bool:
    """Adds an object to a picture and returns True, or reports that it has no class name or no box.

    Args:
        picture: The picture.
        name: The class name, not trusted.
        box: The box as xyxy; None if it could not be read.
        where: Names the object in a message, such as "a.json shape 3".
        report: Called if the object is left out.
        crowd: It is a crowd region.
    """
    class_name = parse_name(name)
    if class_name is None:
        report(BAD_OBJECT, f"{where} has no class name: add it or remove the object.")
    elif box is None:
        report(BAD_OBJECT, f"{where} ({quote(class_name)}) has no box: correct or remove the object.")
    else:
        picture.objects.append((box, class_name, crowd))
        return True
    return False


def join_outline(picture: Picture, outlines: dict[tuple[str, object], int], group: object, notes: Notes) -> None:
    """Joins the last object of a picture to an earlier one of its class and group: parts of what something hides.

    Args:
        picture: The picture, whose last object is an outline.
        outlines: The number of the first outline of each class and group of this picture; changed.
        group: The outline's group.
        notes: Is told of each outline that is joined.
    """
    box, name, crowd = picture.objects[-1]
    first = outlines.setdefault((name, group), len(picture.objects) - 1)
    if first == len(picture.objects) - 1:
        return
    picture.objects.pop()
    other, _, is_crowd = picture.objects[first]
    joined = min(other[0], box[0]), min(other[1], box[1]), max(other[2], box[2]), max(other[3], box[3])
    picture.objects[first] = (joined, name, crowd or is_crowd)
    notes.count("Outlines joined to one object, as they are of one class and group", picture.source)


def build_annotations(
    pictures: Iterable[Picture],
    notes: Notes,
    *,
    root: Path,
    class_names: Sequence[str] | None = None,
    report: ReportProblem,
) -> Annotations:
    """Builds the annotations of a data set.

    Args:
        pictures: The pictures.
        notes: What was assumed.
        root: The data set's folder.
        class_names: The names of labels 0 … K−1; by default those of the objects, sorted.
        report: Called for each object of another class.

    Raises:
        NoObjectError: There is no object, and so no class.
    """
    pictures = list(pictures)
    names = tuple(class_names or _sort_names({name for picture in pictures for _, name, _ in picture.objects}))
    if not names:
        raise NoObjectError(root, notes.sentences())
    labels = {name: label for label, name in enumerate(names)}
    images = [_make_image(picture, labels, report) for picture in pictures]
    return Annotations(names, number_classes(names), images, notes.sentences())


def _make_image(picture: Picture, labels: dict[str, int], report: ReportProblem) -> AnnotatedImage:
    """Returns a picture with labels for class names; reports and leaves out objects of other classes."""
    objects = []
    for number, (box, name, crowd) in enumerate(picture.objects, start=1):
        if name in labels:
            objects.append((box, labels[name], crowd))
        else:
            where = f"{picture.source}: object {number} of {quote(picture.name)}"
            remedy = "correct it, or add it to the classes"
            report(UNKNOWN_CLASS, f"{where} has the unknown class {quote(name)}: {remedy}.")
    return make_image(
        picture.name,
        picture.source,
        objects,
        size=picture.size,
        split=picture.split,
        relative=picture.relative,
    )


def name_numbers(
    pictures: Sequence[Picture], read_names: Callable[[], Mapping[int, str]], notes: Notes
) -> tuple[str, ...]:
    """Gives objects with numbers for classes their names; returns all names, or () if the objects have names already.

    Args:
        pictures: The pictures, whose objects are changed.
        read_names: Returns the names of classes by number; {} if they are not known.
        notes: Is told if numbers have no names.
    """
    texts = {name for picture in pictures for _, name, _ in picture.objects}
    numbers = {name: number for name in texts if (number := parse_whole_number(name)) is not None}
    if len(numbers) < len(texts) or not any(number >= 0 for number in numbers.values()):
        return ()
    names = read_names()
    if len(set(names.values())) < len(names) or any(0 <= number not in names for number in numbers.values()):
        notes.add("The classes are numbers without names, which were taken for names.")
        names = {number: str(number) for number in sorted(numbers.values())}
    for picture in pictures:  # a negative number without a name is reported as an unknown class
        picture.objects = [(box, names.get(numbers[name], name), crowd) for box, name, crowd in picture.objects]
    return tuple(names.values())


def _sort_names(names: set[str]) -> list[str]:
    """Sorts class names; those that are all numbers by number."""
    numbered = all(parse_whole_number(name) is not None for name in names)
    return sorted(names, key=lambda name: (parse_whole_number(name) or 0 if numbered else 0, name))
