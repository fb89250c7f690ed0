"""Tables of class names beside tables of boxes."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from core.data.files import FolderFiles
from core.data.formats.tables.cells import read_rows, sniff_row
from core.data.formats.texts import read_text
from core.data.formats.values import parse_name, parse_whole_number
from core.data.untrusted import DataError

SUFFIXES = (".csv", ".tsv")
MAX_CLASS_BYTES = 2**20


class ClassTable(NamedTuple):
    """Class names by number, or by a code that stands for them.

    Attributes:
        names: The names of labels 0 … K−1; () if the file gives no numbers.
        codes: The names by code, as in Open Images.
    """

    names: tuple[str, ...] = ()
    codes: dict[str, str] = {}  # noqa: RUF012 (never changed)


def read_class_tables(files: FolderFiles, tables: Sequence[Path]) -> ClassTable:
    """Reads the tables of class names of a data set, `name,0` or `/m/01,name` in each row; an empty one if it has none.

    Args:
        files: The data set's files.
        tables: Its tables of boxes, which are none of these.

    Raises:
        DataError: Two of them disagree.
    """
    found: dict[Path, ClassTable] = {}
    for path in files.find(*SUFFIXES):
        if path not in tables and path.stem.lower().startswith(("class", "label", "categor")):
            table = _read_class_table(path)
            if table:
                found[path] = table
    numbered = {path: table for path, table in found.items() if table.names}
    if len({table.names for table in numbered.values()}) > 1:
        names = " and ".join(str(path) for path in list(numbered)[:2])
        raise DataError(f"{names} give different class names: keep the one that the boxes were written with.")
    codes = {code: name for table in found.values() for code, name in table.codes.items()}
    return ClassTable(next((table.names for table in numbered.values()), ()), codes)


def _read_class_table(path: Path) -> ClassTable | None:
    row, delimiter = sniff_row(path)
    if len(row) != 2:
        return None
    rows = [cells for _, cells in read_rows(path, read_text(path, MAX_CLASS_BYTES), delimiter) if len(cells) == 2]
    if all(first.startswith("/") and second for first, second in rows):
        return ClassTable(codes={code: name for code, each in rows if (name := parse_name(each))})
    return _number_names(rows) or _number_names(rows[1:])  # the first row may be a header


def _number_names(rows: Sequence[Sequence[str]]) -> ClassTable | None:
    """Returns the names numbered from 0 without a gap; None if the rows are none."""
    numbers = {parse_whole_number(number): name for each, number in rows if (name := parse_name(each))}
    if not rows or len(set(numbers.values())) < len(rows) or numbers.keys() != set(range(len(rows))):
        return None
    return ClassTable(tuple(numbers[number] for number in range(len(rows))))
