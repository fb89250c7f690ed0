"""What the columns of a table of boxes mean by their names."""

import re
from collections.abc import Sequence
from typing import NamedTuple

CORNERS, SIDES, CENTRE, LIST = "corners", "sides", "centre", "list"  # of `Table.box_kind`

# Names of columns in lower case, without spaces and punctuation; the first that a table has counts.
NAMES = ("filename", "imagefilename", "filepath", "imagepath", "imgpath", "imagename", "imgname", "imagefile", "file",
         "fname", "relativeimpath", "impath", "imname", "path", "image", "img", "frame", "picture", "photo", "imageid",
         "imgid")  # fmt: skip
LABELS = ("class", "classname", "label", "labelname", "category", "categoryname", "objectclass", "objectname", "cls",
          "classlabel", "classid", "categoryid", "labelid", "target", "tag", "tagname", "labels", "type", "name",
          "species")  # fmt: skip
SPLITS = ("split", "set", "subset", "partition")
# The splits that columns mean with 1 and with 0, where 0 says so much.
SPLIT_FLAGS = {
    "test": ("test", None), "istest": ("test", None), "istrain": ("train", "val"), "isval": ("val", None),
    "isvalidation": ("val", None),
}  # fmt: skip
CROWDS = ("iscrowd", "isgroupof", "difficult")
# x1 is the left side unless there is x0.
LEFT = ("xmin", "x0", "x1", "left", "xtl", "minx", "startx", "xstart", "topleftx", "xtopleft", "xleft", "leftx")
TOP = ("ymin", "y0", "y1", "top", "ytl", "miny", "starty", "ystart", "toplefty", "ytopleft", "ytop", "topy")
RIGHT = ("xmax", "x2", "x1", "right", "xbr", "maxx", "endx", "xend", "bottomrightx", "xbottomright", "xright", "rightx")
BOTTOM = ("ymax", "y2", "y1", "bottom", "ybr", "maxy", "endy", "yend", "bottomrighty", "ybottomright", "ybottom",
          "bottomy")  # fmt: skip
CENTRE_X, CENTRE_Y = ("xcenter", "xcentre", "centerx", "cx", "xc"), ("ycenter", "ycentre", "centery", "cy", "yc")
BOX_WIDTH, BOX_HEIGHT = ("w", "boxwidth"), ("h", "boxheight")
WIDTH, HEIGHT = ("width", "imagewidth", "imgwidth"), ("height", "imageheight", "imgheight")
BOX = ("bbox", "box", "bndbox", "boundingbox")
# Words in the names of columns that are never the class.
OTHERS = re.compile(
    r"id$|uuid|source|comment|note|descr|url|uri|path|file|folder|date|time|user|annotator|author|worker|email|usage|"
    r"licen|camera|location|segment|polygon|points|pose|status|index"
)
_PREFIXES = re.compile(r"(bbox|bndbox|boundingbox|box|bb|roi|rect)(?=.)")


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
        choices: The columns that may be the class, of which `label` is one.
        unknown: The columns whose names say nothing.
        flags: The columns of `SPLIT_FLAGS`, each with the splits that 1 and 0 mean.
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
    choices: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()
    flags: tuple[tuple[int, tuple[str, str | None]], ...] = ()


def read_header(row: Sequence[str], delimiter: str) -> Table | None:
    """Returns what the columns mean by their names; None if these do not include a picture and a box."""
    cells = [_shorten(simplify(cell)) for cell in row]
    name = find_name(row)
    box_kind, box = _find_box(cells)
    if name is None or not box or {"x3", "y3"} <= set(cells):  # the third corner of a quadrilateral
        return None
    own_sides = box_kind in (SIDES, CENTRE) and cells[box[2]] in WIDTH  # "width" and "height" are those of the box
    size = () if own_sides else _find(cells, WIDTH, HEIGHT)
    open_images = {"isgroupof", "isoccluded", "istruncated"} <= set(cells)
    choices = [cells.index(each) for each in LABELS if each in cells and cells.index(each) != name]
    split, crowd = (next(iter(_find(cells, names)), None) for names in (SPLITS, CROWDS))
    flags = tuple((column, SPLIT_FLAGS[cell]) for column, cell in enumerate(cells) if cell in SPLIT_FLAGS)
    known = {name, *box, *size, *choices, split, crowd, *(column for column, _ in flags)}
    unknown = [
        column
        for column, cell in enumerate(cells)
        if column not in known and cell and cell not in (*NAMES, *WIDTH, *HEIGHT) and not OTHERS.search(cell)
    ]
    label, texts = choices[0] if choices else None, tuple(unknown)
    return Table(
        delimiter, True, name, box_kind, box, label, size, split, crowd, open_images, tuple(choices), texts, flags
    )


def find_name(row: Sequence[str]) -> int | None:
    """Returns the column of the pictures' names in a header; None if it has none."""
    cells = [_shorten(simplify(cell)) for cell in row]
    names = [each for each in NAMES if each in cells]
    if not names and "name" in cells and any(each in cells for each in LABELS if each != "name"):
        names = ["name"]
    return cells.index(names[0]) if names else None


def simplify(cell: str) -> str:
    """Returns the name of a column in lower case, without spaces and punctuation."""
    return re.sub(r"[^a-z0-9]", "", cell.lower())


def _find(cells: Sequence[str], *choices: Sequence[str]) -> tuple[int, ...]:
    """Returns the column of each choice; () unless the table has all."""
    found = [next((cells.index(name) for name in names if name in cells), None) for names in choices]
    return tuple(number for number in found if number is not None) if None not in found else ()


def _find_box(cells: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """Returns how the box is given, and its columns; () if there is none."""
    box = _find(cells, LEFT, TOP, RIGHT, BOTTOM)
    if len(set(box)) == 4:
        return CORNERS, box
    sides = _find(cells, BOX_WIDTH, BOX_HEIGHT) or _find(cells, WIDTH[:1], HEIGHT[:1])
    corner, centre = _find(cells, (*LEFT, "x"), (*TOP, "y")), _find(cells, CENTRE_X, CENTRE_Y)
    if sides and (centre or corner):
        return (CENTRE, centre + sides) if centre else (SIDES, corner + sides)
    return LIST, _find(cells, BOX)


def _shorten(cell: str) -> str:
    """Returns a column's name without `bbox` and the like in front, which tell `w` from the picture's width."""
    short = cell if cell in BOX else _PREFIXES.sub("", cell, count=1) if _PREFIXES.match(cell) else cell
    return {"width": "w", "height": "h"}.get(short, short) if short != cell else cell
