"""Tables without a header, as single tools and data sets write them."""

from collections.abc import Sequence
from types import MappingProxyType

from core.data.files import is_image_name
from core.data.formats.tables.columns import CORNERS, SIDES, Table
from core.data.formats.values import parse_number

AUTOML_SETS = ("train", "validation", "test", "unassigned")
_CORNERS = Table("", False, 0, CORNERS, (1, 2, 3, 4), 5)
# By what their columns are; the number of columns is that of the words.
TABLES = MappingProxyType(
    {
        "picture, x1, y1, x2, y2, class": _CORNERS,
        "picture, x1, y1, x2, y2, class, width, height": _CORNERS._replace(size=(6, 7)),  # SKU-110K
        "picture, width, height, class, x1, y1, x2, y2": _CORNERS._replace(box=(4, 5, 6, 7), label=3, size=(1, 2)),
        "class, left, top, width, height, picture, its width, its height": Table(  # Make Sense
            "", False, 5, SIDES, (1, 2, 3, 4), 0, (6, 7)
        ),
        "split, picture, class, x1, y1, nothing, nothing, x2, y2, nothing, nothing": Table(  # AutoML, fractions
            "", False, 1, CORNERS, (3, 4, 7, 8), 2, split=0, relative=True
        ),
    }
)


def read_first_row(row: Sequence[str], delimiter: str) -> Table | None:
    """Returns what the columns of a table without a header mean; None if its first row is no box."""
    tables = [table._replace(delimiter=delimiter) for words, table in TABLES.items() if _fits(row, words, table)]
    return tables[0] if len(tables) == 1 else None


def describe_columns(table: Table) -> str:
    """Returns what the columns of a table without a header are."""
    return next(words for words, each in TABLES.items() if each == table._replace(delimiter=""))


def _fits(row: Sequence[str], words: str, table: Table) -> bool:
    if len(row) != words.count(",") + 1 or not is_image_name(row[table.name]) or table.label is None:
        return False
    if table.split is not None:
        return row[table.split].lower() in AUTOML_SETS
    numbers, label = [row[column] for column in (*table.box, *table.size)], row[table.label]
    if not any((*(row[column] for column in table.box), label)):  # a picture without objects
        return True
    return bool(label) and all(parse_number(number) is not None for number in numbers)
