"""The rows and cells of a table, whatever separates them."""

import csv
import re
from io import StringIO
from itertools import islice, pairwise
from pathlib import Path

from core.data.formats.texts import read_head
from core.data.untrusted import DataError

DELIMITERS = ",;\t|"
MAX_CELLS = 2 * 10**7  # one takes two bytes in the file and some 60 in memory
MAX_PREAMBLE = 100  # lines above the header
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_SEPARATOR = re.compile(r"\s*sep=.\s*", re.IGNORECASE)  # what Excel reads as the delimiter


def sniff_row(path: Path) -> tuple[list[str], str]:
    """Returns the first row of a table, and the delimiter with which it has the most cells.

    Spaces separate cells if nothing else does.
    """
    text = read_head(path).removeprefix("\ufeff")
    first = next(islice(StringIO(text, newline=""), _count_preamble(text), None), "").strip()
    rows = [(_split(first, each), each) for each in DELIMITERS]
    row, delimiter = max(rows, key=lambda row: len(row[0]))
    return (row, delimiter) if len(row) > 1 else (_split(first, " "), " ")


def read_rows(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Returns the rows that are not empty, each with its line number, without comments above the first.

    Raises:
        DataError: The text is no table, or has more than `MAX_CELLS` cells.
    """
    if text.count(delimiter) + text.count("\n") > MAX_CELLS:
        raise DataError(f"{path} has more than {MAX_CELLS:,} cells: split the data set into smaller ones.")
    skipped = _count_preamble(text)
    lines = islice(StringIO(text, newline=""), skipped, None)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                cells = (
                    [_use_point(cell.strip()) for cell in row] if delimiter != "," else [cell.strip() for cell in row]
                )
                rows.append((skipped + reader.line_num, cells))
    except csv.Error as error:
        line = skipped + reader.line_num
        raise DataError(f"{path} line {line} cannot be used because {error}: export it again.") from None
    return rows


def _use_point(cell: str) -> str:
    """Returns a number like "12,5" with a decimal point; other cells as they are."""
    return cell.replace(",", ".") if "," in cell and _DECIMAL_COMMA.fullmatch(cell) else cell


def _count_preamble(text: str) -> int:
    """Returns the number of lines above the first row: empty ones, `sep=;` and comments.

    A header may begin with `#`, too; it has as many cells as the line below it.
    """
    lines = [
        (number, line) for number, line in enumerate(islice(StringIO(text, newline=""), MAX_PREAMBLE)) if line.strip()
    ]
    for (number, line), (_, below) in pairwise([*lines, (0, "")]):
        is_comment = line.lstrip().startswith("#") and _count_cells(line) < max(2, _count_cells(below))
        if not is_comment and not _SEPARATOR.fullmatch(line):
            return number
    return 0


def _count_cells(line: str) -> int:
    return max(len(_split(line, each)) for each in DELIMITERS)


def _split(line: str, delimiter: str) -> list[str]:
    try:
        row = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [""])
    except csv.Error:
        return [""]
    return [cell.strip() for cell in row]
