"""Reads the lists of a file in COCO's format, and the categories that all files of a data set share."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from core.data.formats.json_files import decode_json, read_json, read_utf8
from core.data.formats.notes import Notes
from core.data.formats.values import parse_name, parse_whole_number
from core.data.untrusted import DataError, quote
from core.io.text import is_text

LISTS = ("images", "annotations", "categories")
NO_BOX = [0, 0, 0, 0]  # of some tools for an object with an outline only

Id = int | str


class Picture(msgspec.Struct, gc=False):
    """An entry of `images`; nothing of it is checked."""

    id: Any = None
    file_name: Any = None
    coco_url: Any = None
    width: Any = None
    height: Any = None


class Annotation(msgspec.Struct, gc=False):
    """An entry of `annotations`; nothing of it is checked."""

    id: Any = None
    image_id: Any = None
    category_id: Any = None
    bbox: Any = None
    iscrowd: Any = None


class _Outline(msgspec.Struct, gc=False):
    segmentation: msgspec.Raw = msgspec.Raw()


class _Outlines(msgspec.Struct):
    annotations: list[_Outline]


class Category(msgspec.Struct):
    """An entry of `categories`; nothing of it is checked."""

    id: Any = None
    name: Any = None
    supercategory: Any = None


class _Objects(msgspec.Struct):
    annotations: list[Annotation]


class _Lists(msgspec.Struct):
    images: list[Picture]
    annotations: list[Annotation]
    categories: list[Category]


class Content(NamedTuple):
    """The lists of a file, and its categories by id.

    Attributes:
        outlines: The undecoded `segmentation` of annotations without a bbox, by their place in the list.
    """

    path: Path
    images: list[Picture]
    annotations: list[Annotation]
    categories: dict[Id, Category]
    outlines: dict[int, msgspec.Raw]


def file_error(path: Path, reason: str, remedy: str) -> DataError:
    """Builds an error that names a file, the reason and the remedy."""
    return DataError(f"{path} cannot be used because {reason}: {remedy}.")


def read_content(path: Path) -> Content:
    """Reads a file, with the ids that images and categories must have.

    Raises:
        DataError: It cannot be read, lacks a list, or has images or categories without ids of their own.
    """
    lists = _read_lists(path)
    _require_ids(path, "images", lists.images)
    _require_ids(path, "categories", lists.categories)
    outlines: dict[int, msgspec.Raw] = {}
    without = [number for number, entry in enumerate(lists.annotations) if not entry.bbox or entry.bbox == NO_BOX]
    if without:
        entries = read_json(path, _Outlines).annotations
        outlines = {number: entries[number].segmentation.copy() for number in without}
    return Content(path, lists.images, lists.annotations, {each.id: each for each in lists.categories}, outlines)


def has_objects(path: Path) -> bool:
    """True if any annotation of a file has a class or a box; those of panoptic segmentation and captions have none."""
    try:
        annotations = read_json(path, _Objects).annotations
    except DataError:
        return False
    return any(entry.category_id is not None or entry.bbox is not None for entry in annotations)


def _read_lists(path: Path) -> _Lists:
    """Decodes the lists of a file; raises a `DataError` that says which of them is none."""
    content = read_utf8(path)
    try:
        return decode_json(content, _Lists)
    except ValueError as error:
        problem = str(error)
    try:
        values = decode_json(content, dict[str, msgspec.Raw])
    except ValueError:
        raise file_error(path, f"it is not JSON ({problem})", "export it again") from None
    wrong = next((key for key in LISTS if not _is_list_of_objects(values.get(key))), "annotations")
    raise file_error(path, f"it has no list {wrong!r} of objects", "export it again in COCO format")


def _is_list_of_objects(content: msgspec.Raw | None) -> bool:
    try:
        decode_json(content or b"", list[_Outline])
    except ValueError:
        return False
    return True


def read_id(value: object) -> Id | None:
    """Returns an id: a whole number, also if it is written as text, or any other text."""
    if type(value) is int:
        return value if abs(value) < 2**63 else None
    number = parse_whole_number(value)
    return number if number is not None else value if is_text(value) and value else None


def _require_ids(path: Path, key: str, entries: Sequence[Picture | Category]) -> None:
    """Gives every entry its id as `read_id` reads it; raises `DataError` if one is missing or repeated."""
    for number, entry in enumerate(entries, start=1):
        value, entry.id = entry.id, read_id(entry.id)
        if entry.id is None:
            problem = "has no id" if value is None else f"has the id {quote(value)}, which is no number or text"
            raise file_error(path, f"entry {number} of {key!r} {problem}", "give each entry its own id")
    if len({entry.id for entry in entries}) < len(entries):
        repeated = Counter(entry.id for entry in entries).most_common(1)[0][0]
        raise file_error(path, f"the id {quote(repeated)} is used twice in {key!r}", "give each entry its own id")


def join_categories(contents: Sequence[Content], notes: Notes) -> dict[Id, str]:
    """Returns the names of the categories of all files by id, sorted by id; says which files lack some.

    Raises:
        DataError: Two files contradict each other, names are missing or repeated, or there are none.
    """
    unused = _find_unused_parents(contents)
    for name in unused.values():
        notes.add(f"The category {quote(name)} has no objects and only groups the others: it is not a class.")
    joined = _Joined()
    for content in contents:
        joined.add(content, {key: each for key, each in content.categories.items() if key not in unused})
    if not joined.names:
        raise _no_names(contents[0].path)
    for content in contents:
        count = len(joined.names.keys() & content.categories.keys())
        if count < len(joined.names):
            notes.add(f"{content.path.name} lists {count:,} of the {len(joined.names):,} categories of all files.")
    return dict(sorted(joined.names.items(), key=lambda item: (isinstance(item[0], str), item[0])))


def _no_names(path: Path) -> DataError:
    return DataError(f"{path} needs categories with distinct names: correct 'categories'.")


class _Joined:
    """The names of categories by id, of several files."""

    def __init__(self) -> None:
        self.names: dict[Id, str] = {}
        self._ids: dict[str, Id] = {}
        self._paths: dict[Id, Path] = {}

    def add(self, content: Content, categories: dict[Id, Category]) -> None:
        """Adds a file's categories; raises `DataError` if they contradict themselves or those of another file."""
        own = set()
        for key, category in categories.items():
            name = parse_name(category.name)
            if not name or name in own:
                raise _no_names(content.path)
            own.add(name)
            before, number = self.names.get(key, name), self._ids.get(name, key)
            if before != name:
                problem = f"the id {quote(key)} is {quote(before)} in one and {quote(name)} in the other"
                raise _differ(self._paths[key], content.path, problem)
            if number != key:
                problem = f"{quote(name)} has the id {quote(number)} in one and {quote(key)} in the other"
                raise _differ(self._paths[number], content.path, problem)
            self.names[key], self._ids[name] = name, key
            self._paths.setdefault(key, content.path)


def _differ(first: Path, second: Path, problem: str) -> DataError:
    return DataError(
        f"{first} and {second} have different categories ({problem}): give both the same names with the same ids."
    )


def _find_unused_parents(contents: Sequence[Content]) -> dict[Id, str]:
    """Returns categories that only group the others, as some tools write them: without objects, and named as parent."""
    categories = {key: each for content in contents for key, each in content.categories.items()}
    groups = Counter(each.supercategory for each in categories.values() if is_text(each.supercategory))
    parents = {
        key: each.name
        for key, each in categories.items()
        if is_text(each.name) and groups[each.name] - (each.supercategory == each.name) == len(categories) - 1 > 0
    }
    if parents:
        used = {read_id(each.category_id) for content in contents for each in content.annotations}
        parents = {key: name for key, name in parents.items() if key not in used}
    return parents
