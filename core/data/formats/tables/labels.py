"""Which column of a table is the class."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from core.data.files import is_image_name
from core.data.formats.notes import Notes
from core.data.formats.tables.columns import LABELS, Table, simplify
from core.data.formats.values import parse_flag, parse_number
from core.data.untrusted import DataError, quote

WEAK = ("name", "species", "target", "tag", "tagname", "type", "labels")  # may be something else beside others


def choose_label(path: Path, table: Table, header: Sequence[str], rows: Sequence[Sequence[str]], notes: Notes) -> Table:
    """Returns a table whose column of class names is decided: names go before numbers that stand for the same.

    Raises:
        DataError: Several columns may be the class, or none is known but one that is left may be.
    """
    filled = [column for column in table.choices if any(row[column] for row in rows)]
    if not filled:
        _refuse_unknown(path, table, header, rows)
        return table
    if len(filled) == 1:
        return table._replace(label=filled[0])
    words = {column: simplify(header[column]) for column in filled}
    numbered = {column: _is_numbered(row[column] for row in rows) for column in filled}
    first = min(filled, key=lambda column: (words[column] in WEAK, numbered[column], LABELS.index(words[column])))
    same = [column for column in filled if column == first or _divide_equally(rows, first, column)]
    chosen = next((column for column in same if not numbered[column]), first)
    rivals = [
        column
        for column in filled
        if column not in same and not numbered[column] and (words[column] in WEAK) == (words[first] in WEAK)
    ]
    if rivals and words[first] != LABELS[0] and not numbered[first]:
        names = quote([header[column] for column in (first, *rivals)])
        raise DataError(f"{path} has several columns that may be the class, {names}: call the right one 'class'.")
    notes.add(f"The classes of {path.name} were read from its column {quote(header[chosen])}.")
    return table._replace(label=chosen)


def _refuse_unknown(path: Path, table: Table, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Raises `DataError` if an unknown column has words, which may be the class."""
    for column in table.unknown:
        cells = {row[column] for row in rows if column < len(row)} - {""}
        if not all(_is_value(cell) for cell in cells):
            raise DataError(
                f"{path} has no column that is known to be the class, but {quote(header[column])} may be it: call the "
                "column of class names 'class', or remove the columns that are not needed."
            )


def _is_value(cell: str) -> bool:
    return parse_number(cell) is not None or parse_flag(cell) is not None or is_image_name(cell)


def _is_numbered(cells: Iterable[str]) -> bool:
    return all(not cell or parse_number(cell) is not None for cell in cells)


def _divide_equally(rows: Sequence[Sequence[str]], first: int, second: int) -> bool:
    """True if two columns have the same value in the same rows."""
    pairs = {(row[first], row[second]) for row in rows}
    return len(pairs) == len({pair[0] for pair in pairs}) == len({pair[1] for pair in pairs})
