"""What the columns of a table of boxes mean: by its header, or by its first row if it has none."""

import csv
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from core.data.files import is_image_name
from core.data.formats.texts import read_head
from core.data.formats.values import parse_number
from core.data.untrusted import DataError

DELIMITERS = ",;\t|"
CORNERS, SIDES, CENTRE, LIST = "corners", "sides", "centre", "list"  # of `Table.box_kind`

# Names of columns in lower case, without spaces and punctuation; the first that a table has counts.
NAMES = ("filename", "imagefilename", "filepath", "imagepath", "imgpath", "imagename", "imgname", "imagefile", "file",
         "path", "image", "img", "frame", "imageid", "imgid")  # fmt: skip
LABELS = ("class", "classname", "label", "labelname", "category", "categoryname", "name", "objectclass", "species",
          "classid", "categoryid", "labelid")  # fmt: skip
SPLITS = ("split", "set", "subset", "partition")
CROWDS = ("iscrowd", "isgroupof", "difficult")
LEFT, TOP = ("xmin", "x1", "left", "xtl", "minx", "x0"), ("ymin", "y1", "top", "ytl", "miny", "y0")
RIGHT, BOTTOM = ("xmax", "x2", "right", "xbr", "maxx"), ("ymax", "y2", "bottom", "ybr", "maxy")
CENTRE_X, CENTRE_Y = ("xcenter", "xcentre", "centerx", "cx", "xc"), ("ycenter", "ycentre", "centery", "cy", "yc")
BOX_WIDTH, BOX_HEIGHT = ("w", "boxwidth"), ("h", "boxheight")
WIDTH, HEIGHT = ("width", "imagewidth", "imgwidth"), ("height", "imageheight", "imgheight")
BOX = ("bbox", "box", "bndbox", "boundingbox")
_PREFIXES = re.compile(r"(bbox|bndbox|boundingbox|box|bb|roi|rect)(?=.)")

AUTOML_SETS = ("train", "validation", "test", "unassigned")


class Table(NamedTuple):
    """What the columns of a table mean, by number.

    Attributes:
        delimiter: The character between cells.
        has_header: The first row names the columns.
        name: The picture's name.
        box_kind: How the box is given: `CORNERS` (xyxy), `SIDES` (left, top, width, height), `CENTRE` (x, y, width,
            height) or `LIST` (four numbers in one cell).
        box: The columns of the box in that order.
        label: The class name; None if there is one class only.
        size: Width and height of the picture; () if they are not given.
        split: The split; None if it is not given.
        crowd: The flag of crowd regions; None if there is none.
        relative: The boxes are fractions of the picture's sides.
    """

    delimiter: str
    has_header: bool
    name: int
    box_kind: str
    box: tuple[int, ...]
    label: int | None
    size: tuple[int, ...] = ()
    split: int | None = None
    crowd: int | None = None
    relative: bool = False


def sniff_table(path: Path) -> Table | None:
    """Returns what the columns of a file mean; None if it is no table of boxes."""
    row, delimiter = sniff_row(path)
    return _read_header(row, delimiter) or _read_first_row(row, delimiter)


def sniff_row(path: Path) -> tuple[list[str], str]:
    """Returns the first row of a table that is not empty, and the delimiter with which it has the most cells."""
    lines = read_head(path).removeprefix("\ufeff").splitlines()
    first = next((line for line in lines if line.strip()), "")
    rows = [([cell.strip() for cell in _split(first, each)], each) for each in DELIMITERS]
    return max(rows, key=lambda row: len(row[0]))


def read_rows(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Returns the rows that are not empty, each with its line number.

    Raises:
        DataError: The text is no table.
    """
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error as error:
        raise DataError(f"{path} line {reader.line_num} cannot be used because {error}: export it again.") from None
    return rows


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [""])
    except csv.Error:
        return [""]


def _read_header(row: Sequence[str], delimiter: str) -> Table | None:
    """Returns what the columns mean by their names; None if these do not include a picture and a box."""
    plain = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in row]
    cells = [_shorten(cell) for cell in plain]

    def find(*choices: Sequence[str]) -> tuple[int, ...]:
        """Returns the column of each choice; () unless the table has all."""
        found = [next((cells.index(name) for name in names if name in cells), None) for names in choices]
        return tuple(number for number in found if number is not None) if None not in found else ()

    def find_one(names: Sequence[str]) -> int | None:
        return next(iter(find(names)), None)

    name, size = find_one(NAMES), find(WIDTH, HEIGHT)
    if name is None and find_one([each for each in LABELS if each != "name"]) is not None:
        name = find_one(["name"])
    box_sides = find(BOX_WIDTH, BOX_HEIGHT)
    if name is None:
        return None
    box_kind, box = CORNERS, find(LEFT, TOP, RIGHT, BOTTOM)
    if not box:
        sides = box_sides or find(WIDTH[:1], HEIGHT[:1])  # those of the box, as it has no others
        size = size if box_sides else ()
        corner, centre = find((*LEFT, "x"), (*TOP, "y")), find(CENTRE_X, CENTRE_Y)
        if sides and (centre or corner):
            box_kind, box = (CENTRE, centre + sides) if centre else (SIDES, corner + sides)
        else:
            box_kind, box, size = LIST, find(BOX), find(WIDTH, HEIGHT)
    if not box:
        return None
    open_images = {"isgroupof", "isoccluded", "istruncated"} <= set(cells)
    label = next((cells.index(each) for each in LABELS if each in cells and cells.index(each) != name), None)
    return Table(
        delimiter, True, name, box_kind, box, label, size, find_one(SPLITS), find_one(CROWDS), relative=open_images
    )


def _shorten(cell: str) -> str:
    """Returns a column's name without `bbox` and the like in front, which tell `w` from the picture's width."""
    short = cell if cell in BOX else _PREFIXES.sub("", cell, count=1) if _PREFIXES.match(cell) else cell
    return {"width": "w", "height": "h"}.get(short, short) if short != cell else cell


def _read_first_row(row: Sequence[str], delimiter: str) -> Table | None:
    """Returns what the columns of a table without a header mean; None if its first row is no box."""
    if len(row) == 6 and is_image_name(row[0]) and _is_box(row[1:5], row[5]):
        return Table(delimiter, False, 0, CORNERS, (1, 2, 3, 4), 5)
    if len(row) == 11 and row[0].lower() in AUTOML_SETS and is_image_name(row[1]):
        return Table(delimiter, False, 1, CORNERS, (3, 4, 7, 8), 2, split=0, relative=True)
    return None


def _is_box(cells: Sequence[str], label: str) -> bool:
    """True for four numbers and a class name, or for none of them: a picture without objects."""
    return (bool(label) and all(parse_number(cell) is not None for cell in cells)) or not any((*cells, label))
