"""Reads what describes a YOLO data set: `data.yaml` or the like, and lists of class names."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from core.data.files import FolderFiles
from core.data.formats.json_files import read_json, sniff_json
from core.data.formats.notes import Notes
from core.data.formats.texts import read_head, read_lines, read_text
from core.data.formats.values import parse_name, parse_whole_number
from core.data.formats.yaml_files import load_yaml
from core.data.reading.split_words import SPLIT_KEYS
from core.data.untrusted import DataError, quote

MAX_YAML_BYTES = 2**16
MAX_SETTINGS = 50  # YAML files, each of which takes up to a second
CLASS_FILES = ("classes.txt", "_darknet.labels")
CLASS_SUFFIX = ".names"
# Used if there are no others: names that may mean something else, and LabelImg's list of examples.
WEAK_CLASS_FILES = ("class_names.txt", "names.txt", "labels.txt", "predefined_classes.txt")
NULLS = ("", "null", "~")  # YAML's spellings of no value, in lower case
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_NUMBERED = re.compile(r"(\d{1,6})(\s{0,9}[:.;,=)\t]\s{0,9}|\s{1,9})(\S.*)")


class Settings(NamedTuple):
    """A YAML file's content as nested strings, lists and dictionaries."""

    path: Path
    values: dict[str, Any]


class ClassNames(NamedTuple):
    """Class names of labels 0 … K−1, and the file that gives them."""

    path: Path
    names: tuple[str, ...]


class _StudioNotes(msgspec.Struct):
    """Label Studio's `notes.json`."""

    categories: list[dict[str, Any]]


def find_settings(files: FolderFiles) -> list[Path]:
    """Returns the YAML files that describe a data set: with class names, or their number and a split."""
    found = [path for path in files.find(".yaml", ".yml") if _describes_data(read_head(path, MAX_YAML_BYTES))]
    return sorted(found, key=lambda path: path.name.lower() != "data.yaml")


def find_class_files(files: FolderFiles) -> list[Path]:
    """Returns the lists of class names, YAML files excluded."""
    found = [path for path in files.find(".txt", ".labels", CLASS_SUFFIX) if is_class_file(path.name)]
    found += [path for path in files.find(".json") if path.name.lower() == "notes.json" and _has_categories(path)]
    own = [path for path in found if path.name.lower() not in WEAK_CLASS_FILES]
    return own or found


def is_class_file(name: str) -> bool:
    """True for the name of a text file with class names, in any case."""
    return name.lower() in (*CLASS_FILES, *WEAK_CLASS_FILES) or name.lower().endswith(CLASS_SUFFIX)


def read_all_settings(files: FolderFiles) -> list[Settings]:
    """Reads the files that `find_settings` returns.

    Raises:
        DataError: There are more than `MAX_SETTINGS`, or one cannot be read.
    """
    found = find_settings(files)
    if len(found) > MAX_SETTINGS:
        raise DataError(f"{files.root} has {len(found):,} YAML files that describe a data set: keep one of them.")
    return [read_settings(path) for path in found]


def read_settings(path: Path) -> Settings:
    """Reads a YAML file; tabs may indent its lines.

    Raises:
        DataError: It is not text, not YAML, or has no keys.
    """
    text = _INDENT.sub(lambda found: found[0].expandtabs(), read_text(path, MAX_YAML_BYTES))
    try:
        values = load_yaml(text)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path} cannot be used because it is not YAML ({reason}): correct it.") from None
    if not isinstance(values, dict):
        raise DataError(f"{path} cannot be used because it has no keys such as train and names: correct it.")
    return Settings(path, values)


def read_class_names(files: FolderFiles, settings: Sequence[Settings], notes: Notes) -> ClassNames:
    """Returns the class names, which all files that list them must agree on.

    Args:
        files: The data set's files.
        settings: Its YAML files.
        notes: What is assumed.

    Raises:
        DataError: There are none, they are not distinct text, or two files disagree.
    """
    lists = [_read_yaml_names(each, notes) for each in settings if not _is_null(each.values.get("names"))]
    lists += [read_class_file(path, notes) for path in find_class_files(files)]
    if not lists:
        where = settings[0].path if settings else files.root
        raise DataError(
            f"{where} needs the class names of its YOLO labels, numbered from 0: add 'names' to data.yaml, or a "
            "classes.txt with one name a line."
        )
    for other in lists[1:]:
        if other.names != lists[0].names:
            raise _disagree(lists[0], other)
    for each in settings:
        count = each.values.get("nc")
        if count is not None and parse_whole_number(count) != len(lists[0].names):
            raise DataError(
                f"{each.path} gives {quote(count)} classes (nc), but {lists[0].path} names {len(lists[0].names)}: "
                "correct one of them."
            )
    return lists[0]


def _disagree(first: ClassNames, second: ClassNames) -> DataError:
    pairs = zip((*first.names, None), (*second.names, None), strict=False)
    number, (here, there) = next((number, pair) for number, pair in enumerate(pairs) if pair[0] != pair[1])
    return DataError(
        f"{first.path} and {second.path} disagree on class {number} ({quote(here)} and {quote(there)}): keep the list "
        "that the labels were written with."
    )


def _describes_data(text: str) -> bool:
    lines = [line for line in text.splitlines() if ":" in line and line[:1] not in " #\t"]
    keys = {line.partition(":")[0].strip("'\" ") for line in lines}
    return "names" in keys or ("nc" in keys and bool(keys & set(SPLIT_KEYS)))


def _is_null(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in NULLS)


def _read_yaml_names(settings: Settings, notes: Notes) -> ClassNames:
    names = settings.values["names"]
    if isinstance(names, dict):  # 0: cat, 1: dog
        keys = [str(number) for number in range(len(names))]
        names = [names[key] for key in keys] if set(keys) == set(names) else None
    elif isinstance(names, str):
        names = names.split(",")
        if len(names) > 1:
            notes.add(f"The names in {settings.path.name} are one text, which was divided at its commas.")
    return _check_names(settings.path, names, notes)


def read_class_file(path: Path, notes: Notes) -> ClassNames:
    """Reads a list of class names; raises `DataError` unless they are distinct text, one on each line."""
    if path.suffix.lower() == ".json":
        return _check_names(path, _read_notes(path), notes)
    names = read_lines(path, MAX_YAML_BYTES)
    while names and not names[-1]:
        names.pop()
    if not all(names):
        raise DataError(
            f"{path} has an empty line {names.index('') + 1} between class names, which would shift the classes below: "
            "remove the line, or name the class."
        )
    return _check_names(path, names, notes)


def _check_names(path: Path, names: object, notes: Notes) -> ClassNames:
    """Raises `DataError` unless the names are distinct text."""
    valid = [name for each in names if (name := parse_name(each))] if isinstance(names, list) else []
    if not isinstance(names, list) or not names or len(valid) < len(names):
        raise DataError(f"{path} needs the class names, numbered from 0 without a gap: correct 'names'.")
    valid = _strip_numbers(path, valid, notes)
    if len(set(valid)) < len(valid):
        raise DataError(f"{path} gives two classes the same name: use distinct names in 'names'.")
    return ClassNames(path, tuple(valid))


def _strip_numbers(path: Path, names: list[str], notes: Notes) -> list[str]:
    """Returns names without the numbers of their classes, which some lists have: `0: cat` or `0 cat`.

    Raises:
        DataError: The numbers do not begin at 0, so that it cannot be told which of them the labels mean.
    """
    found = [parts for name in names if (parts := _NUMBERED.fullmatch(name))]
    numbers = [int(parts[1]) for parts in found]
    if len(found) < len(names) or numbers != list(range(numbers[0], numbers[0] + len(names))):
        return names
    if numbers[0] == 0:
        notes.add(f"The numbers before the class names in {path.name} were removed: class 0 is {quote(found[0][3])}.")
        return [parts[3] for parts in found]
    if all(parts[2].isspace() for parts in found):  # names such as "1 euro" and "2 euro"
        return names
    raise DataError(
        f"{path} numbers the class names from {numbers[0]}, but the classes of YOLO labels are numbered from 0: write "
        "one name a line without numbers, that of class 0 first."
    )


def _has_categories(path: Path) -> bool:
    keys = sniff_json(path).keys
    return "categories[].name" in keys and "images" not in keys


def _read_notes(path: Path) -> list[object] | None:
    """Returns the names in Label Studio's `notes.json`; None if they are not numbered from 0."""
    categories = read_json(path, _StudioNotes).categories
    ids = [parse_whole_number(each.get("id", number)) for number, each in enumerate(categories)]
    names = [each.get("name") for each in categories]
    by_id = dict(zip(ids, names, strict=True))
    return [by_id[number] for number in range(len(names))] if by_id.keys() == set(range(len(names))) else None
