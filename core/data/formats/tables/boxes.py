"""The boxes of a table's rows."""

import re
from collections.abc import Sequence

from core.data.formats.outlines import Box, bound_size, read_numbers
from core.data.formats.tables.columns import CENTRE, CORNERS, Table


def read_box(table: Table, row: Sequence[str]) -> Box | None:
    """Returns the box of a row as xyxy; None unless it has four numbers."""
    cells: Sequence[object] = [row[column] for column in table.box]
    if len(table.box) == 1:
        cells = split_list(row[table.box[0]])
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


def split_list(cell: str) -> list[float]:
    """Returns the numbers of a cell such as "[834.0, 222.0, 56.0, 36.0]"; [] for anything else."""
    if len(cell) > 1000:
        return []
    return read_numbers(re.split(r"[\s,;]+", cell.strip("[](){} \"'"))) or []
