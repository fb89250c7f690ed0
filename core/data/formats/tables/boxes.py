"""The boxes of a table's rows."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.data.formats.notes import Notes
from core.data.formats.outlines import Box, bound_size, read_numbers
from core.data.formats.tables.columns import CENTRE, CORNERS, LIST, SIDES, Table
from core.data.untrusted import DataError

ENOUGH = 10  # boxes of which none has its second corner left of or above the first, which sizes would have


def decide_list_kind(path: Path, table: Table, rows: Iterable[Sequence[str]], notes: Notes) -> Table:
    """Returns a table whose lists of four numbers are known to be corners, or a corner with a size.

    Raises:
        DataError: They may be either.
    """
    if table.box_kind != LIST:
        return table
    values = [numbers for row in rows if len(numbers := _split_list(row[table.box[0]])) == 4]
    if any(x2 < x1 or y2 < y1 for x1, y1, x2, y2 in values):
        notes.add("The boxes were read as left, top, width and height, as they cannot all be corners.")
        return table._replace(box_kind=SIDES)
    if len(values) < ENOUGH:
        raise DataError(
            f"{path} has boxes of four numbers that may be two corners, or a corner with width and height: give them "
            "in columns xmin, ymin, xmax, ymax."
        )
    notes.add("The boxes were read as two corners, as no second corner lies left of or above the first.")
    return table._replace(box_kind=CORNERS)


def read_box(table: Table, row: Sequence[str]) -> Box | None:
    """Returns the box of a row as xyxy; None unless it has four numbers."""
    cells: Sequence[object] = [row[column] for column in table.box]
    if len(table.box) == 1:
        cells = _split_list(row[table.box[0]])
    numbers = read_numbers(cells)
    if numbers is None or len(numbers) != 4:
        return None
    if table.box_kind == CORNERS:
        return numbers[0], numbers[1], numbers[2], numbers[3]
    if table.box_kind == CENTRE:
        numbers = [numbers[0] - numbers[2] / 2, numbers[1] - numbers[3] / 2, *numbers[2:]]
    return bound_size(numbers)


def has_box(table: Table, row: Sequence[str]) -> bool:
    """True unless the cells of a row's box are empty, which says that a picture has no objects."""
    return any(row[column] for column in table.box)


def _split_list(cell: str) -> list[float]:
    """Returns the numbers of a cell such as "[834.0, 222.0, 56.0, 36.0]"; [] for anything else."""
    if len(cell) > 1000:
        return []
    return read_numbers(re.split(r"[\s,;]+", cell.strip("[](){} \"'"))) or []
