"""Lists of class names beside annotations that give numbers or codes: tables, texts, JSON and cards of data sets."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.data.files import FolderFiles
from core.data.formats.json_files import read_json
from core.data.formats.json_lines.class_labels import read_class_labels
from core.data.formats.notes import Notes
from core.data.formats.tables.cells import read_rows, sniff_row
from core.data.formats.texts import read_text
from core.data.formats.values import parse_name, parse_whole_number
from core.data.formats.yolo.settings import find_class_files, read_class_file
from core.data.untrusted import DataError

MAX_BYTES = 2**20
_LISTS = re.compile(r"class|label|categor|names", re.IGNORECASE)  # in the names of files
_PLAIN = re.compile(r"[^a-z]")
NUMBERS = ("id", "classid", "labelid", "categoryid", "index", "classindex", "number")  # columns and keys
NAMES = ("name", "classname", "labelname", "categoryname", "signname", "class", "label", "category")

Numbering = dict[int, str]


class ClassTable(NamedTuple):
    """Class names by number, or by a code that stands for them.

    Attributes:
        names: The names by number; {} if the file gives no numbers.
        codes: The names by code, as in Open Images.
    """

    names: Numbering = {}  # noqa: RUF012 (never changed)
    codes: dict[str, str] = {}  # noqa: RUF012 (never changed)


def read_class_tables(files: FolderFiles, tables: Sequence[Path]) -> ClassTable:
    """Reads the tables of class names of a data set, `name,0` or `/m/01,name` in each row; an empty one if it has none.

    Args:
        files: The data set's files.
        tables: Its tables of boxes, which are none of these.

    Raises:
        DataError: Two of them disagree.
    """
    paths = [path for path in files.find(".csv", ".tsv") if path not in tables and _is_list(path)]
    found = {path: _read_table(path) for path in paths}
    names = _agree({path: table.names for path, table in found.items()})
    return ClassTable(names, {code: name for table in found.values() for code, name in table.codes.items()})


def read_class_names(files: FolderFiles, annotations: Sequence[Path], notes: Notes) -> Numbering:
    """Returns the names of numbered classes, from all files beside the annotations that list them; {} if none does.

    Args:
        files: The data set's files.
        annotations: Its annotation files, which are no lists of classes.
        notes: Is told what was removed from the names.

    Raises:
        DataError: Two files disagree, or one cannot be read.
    """
    found = {files.root: read_class_tables(files, annotations).names}
    for path in find_class_files(files):
        found[path] = dict(enumerate(read_class_file(path, notes).names))
    for path in files.find(".json"):
        if path not in annotations and path not in found and _is_list(path):
            found[path] = _read_json(path)
    found[files.root / "README.md"] = dict(enumerate(read_class_labels(files)))
    return _agree(found)


def _agree(found: Mapping[Path, Numbering]) -> Numbering:
    """Returns the only numbering; raises `DataError` if there are several."""
    given = {path: names for path, names in found.items() if names}
    if any(names != next(iter(given.values())) for names in given.values()):
        first, second = list(given)[:2]
        raise DataError(f"{first} and {second} give different class names: keep the list of the annotations.")
    return next(iter(given.values()), {})


def _is_list(path: Path) -> bool:
    return bool(_LISTS.search(path.stem) or path.stem.lower() == "id2label") and path.stat().st_size <= MAX_BYTES


def _read_table(path: Path) -> ClassTable:
    row, delimiter = sniff_row(path)
    if len(row) < 2:
        return ClassTable()
    rows = [cells for _, cells in read_rows(path, read_text(path, MAX_BYTES), delimiter) if len(cells) == len(row)]
    words = [_PLAIN.sub("", cell.lower()) for cell in row]
    number, name = (next((words.index(word) for word in each if word in words), None) for each in (NUMBERS, NAMES))
    if number is not None and name is not None:
        return ClassTable(_number(rows[1:], number, name))
    if len(row) > 2:
        return ClassTable()
    if all(first.startswith("/") and second for first, second in rows):
        return ClassTable(codes={code: text for code, each in rows if (text := parse_name(each))})
    readings = (_number(rows[skip:], *order) for skip in (0, 1) for order in ((1, 0), (0, 1)))  # with a header or none
    return ClassTable(next((names for names in readings if names), {}))


def _number(rows: Sequence[Sequence[Any]], number: int, name: int) -> Numbering:
    """Returns the names of rows that are numbered from 0 or 1 without a gap; {} for others."""
    pairs = [(parse_whole_number(row[number]), parse_name(row[name])) for row in rows]
    result = {key: value for key, value in pairs if key is not None and value}
    start = min(result, default=0)
    if start not in (0, 1) or sorted(result) != list(range(start, start + len(rows))):
        return {}
    return dict(sorted(result.items()))


def _read_json(path: Path) -> Numbering:
    """Returns the names of `["cat"]`, `{"0": "cat"}`, `{"cat": 0}` or `[{"id": 0, "name": "cat"}]`; {} for others."""
    try:
        values = read_json(path, object)
    except DataError:
        return {}
    if isinstance(values, dict):
        values = next((values[key] for key in ("id2label", "names", "classes", "categories") if key in values), values)
    if isinstance(values, dict):
        pairs = list(values.items())
        return _number(pairs, 0, 1) or _number(pairs, 1, 0)
    if not isinstance(values, list):
        return {}
    if all(isinstance(entry, dict) for entry in values):
        keys = [next((key for key in each if all(key in entry for entry in values)), "") for each in (NUMBERS, NAMES)]
        return _number([[entry.get(key) for key in keys] for entry in values], 0, 1)
    return _number(list(enumerate(values)), 0, 1) if all(isinstance(entry, str) for entry in values) else {}
