"""Finds and reads tables of boxes."""

from collections.abc import Sequence
from pathlib import Path

from core.data.annotations import BAD_OBJECT, Annotations, Format, ReportProblem
from core.data.files import FolderFiles
from core.data.formats.building import Picture, add_object, build_annotations, name_numbers, read_crowd, read_each
from core.data.formats.class_lists import read_class_names, read_class_tables
from core.data.formats.name_index import resolve_name
from core.data.formats.notes import Notes
from core.data.formats.outlines import read_numbers
from core.data.formats.tables.boxes import has_box, read_box
from core.data.formats.tables.cells import read_rows, sniff_row
from core.data.formats.tables.columns import CORNERS, SIDES, Table, read_header
from core.data.formats.tables.headerless import describe_columns, read_first_row
from core.data.formats.tables.labels import choose_label
from core.data.formats.tables.lists import decide_list_kind
from core.data.formats.texts import read_text
from core.data.formats.values import parse_flag
from core.data.untrusted import DataError, quote

SUFFIXES = (".csv", ".tsv")
MAX_TABLE_BYTES = 256 * 2**20
UNKNOWN = "-1"  # a flag of Open Images that was not decided
MAX_TEXTS = 20  # a data set with more has a label file for each picture
ONLY_CLASS = "object"  # of tables without a column of class names

Rows = list[tuple[int, list[str]]]


def find_tables(files: FolderFiles) -> Sequence[Path]:
    """Returns the tables with pictures and boxes."""
    texts = files.find(".txt")
    paths = files.find(*SUFFIXES) + (texts if len(texts) <= MAX_TEXTS else [])
    return [path for path in paths if sniff_table(path)]


def sniff_table(path: Path) -> Table | None:
    """Returns what the columns of a file mean; None if it is no table of boxes."""
    row, delimiter = sniff_row(path)
    return read_header(row, delimiter) or read_first_row(row, delimiter)


def read_tables(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the tables of a data set; a row without a box names a picture without objects.

    Raises:
        DataError: What the numbers mean cannot be told, or there is no object.
    """
    notes = Notes()
    pictures: list[Picture] = []
    classes = read_class_tables(files, paths)
    for path, text in read_each(paths, lambda path: read_text(path, MAX_TABLE_BYTES), report):
        pictures += _read_table(files, path, text, report, notes)
    for picture in pictures:
        picture.objects = [(box, classes.codes.get(name, name), crowd) for box, name, crowd in picture.objects]
    numbered = name_numbers(pictures, lambda: read_class_names(files, paths, notes), notes)
    names = tuple(classes.names.values()) or numbered
    return build_annotations(pictures, notes, root=files.root, class_names=names, report=report)


def _read_table(files: FolderFiles, path: Path, text: str, report: ReportProblem, notes: Notes) -> list[Picture]:
    table = sniff_table(path)
    if not table:
        raise DataError(f"{path} has changed while it was read: try again.")
    lines = read_rows(path, text, table.delimiter)
    rows = _require_columns(path, table, lines, report)
    if table.has_header:
        table = choose_label(path, table, lines[0][1], [row for _, row in rows], notes)
    table = decide_list_kind(files, path, table, [row for _, row in rows], notes)
    if _has_box_sizes(table, rows):
        table = table._replace(size=())
    _say_assumptions(path, table, notes)
    pictures: dict[str, Picture] = {}
    for line, row in rows:
        where = f"{path} line {line}"
        name = row[table.name]
        if not name:
            report(BAD_OBJECT, f"{where} names no picture: correct or remove the line.")
            continue
        if name not in pictures:
            pictures[name] = _make_picture(files, path, table, row, notes)
        _add_row(pictures[name], table, row, where, report)
    return list(pictures.values())


def _require_columns(path: Path, table: Table, rows: Rows, report: ReportProblem) -> Rows:
    """Returns the rows below the header that have all columns and no further cells; reports the others.

    Raises:
        DataError: All rows have a cell more than the header, as where it does not name the numbers of the rows.
    """
    columns = (table.name, *table.box, table.label, *table.choices, *table.size, table.split, table.crowd)
    count = max(column for column in (*columns, *(column for column, _ in table.flags)) if column is not None) + 1
    width, below = len(rows[0][1]) if rows else 0, rows[1:] if table.has_header else rows
    if table.has_header and below and all(len(row) == width + 1 and row[width] for _, row in below):
        raise DataError(f"{path} has a header of {width} names above rows of {width + 1} cells: add the missing name.")
    first = "its header" if table.has_header else "the first line"
    result = []
    for line, row in below:
        if len(row) < count:
            report(BAD_OBJECT, f"{path} line {line} has {len(row)} columns, not {count}: correct or remove the line.")
        elif any(row[width:]):  # a comma in a number or name shifts the cells after it
            remedy = f"put cells with {table.delimiter!r} into quotes, or correct the line"
            report(BAD_OBJECT, f"{path} line {line} has {len(row)} cells, {first} {width}: {remedy}.")
        else:
            result.append((line, row))
    return result


def _has_box_sizes(table: Table, rows: Rows) -> bool:
    """True if the columns of sizes repeat those of the boxes instead of the pictures'."""
    if table.box_kind != CORNERS or not table.size or len(table.box) != 4:
        return False
    for _, row in rows:
        box, size = read_box(table, row), read_numbers([row[column] for column in table.size])
        if box and not (size and all(abs(box[axis + 2] - box[axis] - size[axis]) <= 1 for axis in (0, 1))):
            return False
    return True


def _say_assumptions(path: Path, table: Table, notes: Notes) -> None:
    if not table.has_header:
        notes.add(f"{path.name} has no header: its columns were read as {describe_columns(table)}.")
    if table.box_kind == SIDES and len(table.box) == 4:
        notes.add(f"The boxes of {path.name} were read as left, top, width and height.")
    if table.relative and table.has_header:
        notes.add(f"The boxes of {path.name} were read as fractions of the pictures' sides, as in Open Images.")
    if table.label is None:
        notes.add(f"{path.name} has no column of classes: all boxes are of the class {ONLY_CLASS!r}.")


def _make_picture(files: FolderFiles, path: Path, table: Table, row: Sequence[str], notes: Notes) -> Picture:
    size = notes.read_size(row[table.size[0]], row[table.size[1]], path) if table.size else None
    split = (row[table.split] if table.split is not None else "") or None
    if split and split.lower() == "unassigned":
        split = None
    split = split or _read_split_flags(path, table, row, notes)
    name = resolve_name(row[table.name], path, files.root)
    return Picture(name, path, size, split=split, relative=table.relative)


def _read_split_flags(path: Path, table: Table, row: Sequence[str], notes: Notes) -> str | None:
    """Returns the split that flags in a row mean: a 1 goes before a 0."""
    flags = [(parse_flag(row[column]), splits) for column, splits in table.flags if row[column]]
    if any(flag is None for flag, _ in flags):
        notes.count("Flags of splits that are neither 0 nor 1, and were ignored", path)
    found = [yes for flag, (yes, _) in flags if flag] + [no for flag, (_, no) in flags if flag is False and no]
    return found[0] if found else None


def _add_row(picture: Picture, table: Table, row: Sequence[str], where: str, report: ReportProblem) -> None:
    """Adds the object of a row, unless the row says that its picture has none."""
    label = ONLY_CLASS if table.label is None else row[table.label]
    if not has_box(table, row):
        if label and table.label is not None:
            report(BAD_OBJECT, f"{where} has the class {quote(label)} without a box: correct or remove the line.")
        return
    flag = "" if table.crowd is None else row[table.crowd]
    crowd = read_crowd("" if flag == UNKNOWN else flag, where, report)
    if crowd is None:
        return
    add_object(picture, label, read_box(table, row), where, report, crowd=crowd)


CSV = Format("csv", "CSV", "tables", find_tables, read_tables)
