"""Reads the formats of the VGG Image Annotator (VIA) 1 and 2: a JSON file, or a CSV file with JSON in its cells."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from core.data.annotations import BAD_FILE, BAD_OBJECT, Annotations, Format, ReportProblem
from core.data.files import FolderFiles
from core.data.formats.building import Picture, add_object, build_annotations, read_each
from core.data.formats.json_files import MAX_BUILT, decode_json, read_json, sniff_json
from core.data.formats.name_index import resolve_name
from core.data.formats.notes import Notes
from core.data.formats.outlines import Box, bound_ellipse, bound_points, bound_size, read_coordinates
from core.data.formats.tables.cells import read_rows, sniff_row
from core.data.formats.texts import MAX_LIST_BYTES, read_text
from core.data.untrusted import DataError, quote

PROJECT = "_via_img_metadata"  # of a project file, which has settings beside
SHAPES, ATTRIBUTES = "region_shape_attributes", "region_attributes"
CLASS_ATTRIBUTES = ("class", "label", "name", "type", "category")  # preferred to others of the same regions


class _Region(NamedTuple):
    """A region of a picture; its attributes are not checked."""

    shape: Mapping[str, Any]
    attributes: Mapping[str, Any]
    where: str


class _Page(NamedTuple):
    """A picture with its regions."""

    name: str
    source: Path
    regions: list[_Region]


def find_via(files: FolderFiles) -> Sequence[Path]:
    """Returns the JSON and CSV files of VIA."""
    found = [path for path in files.find(".json") if _is_via(sniff_json(path).keys)]
    return found + [path for path in files.find(".csv") if {"filename", SHAPES} <= set(sniff_row(path)[0])]


def read_via(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the files of a data set; outlines become their bounds.

    Raises:
        DataError: It cannot be told which attribute of the regions is the class, or there is no object.
    """
    notes = Notes()
    pages: list[_Page] = []
    for _, read in read_each(paths, partial(_read_pages, report=report), report):
        pages += read
    attribute = _find_class_attribute(files.root, (region for page in pages for region in page.regions))
    pictures = []
    for page in pages:
        picture = Picture(resolve_name(page.name, page.source, files.root), page.source)
        for region in page.regions:
            box = _read_box(region.shape, page.source, notes)
            add_object(picture, _read_value(region.attributes.get(attribute)), box, region.where, report)
        pictures.append(picture)
    return build_annotations(pictures, notes, root=files.root, report=report)


def _is_via(keys: frozenset[str]) -> bool:
    return PROJECT in keys or keys >= {"{}.regions", "{}.filename"}


def _read_pages(path: Path, report: ReportProblem) -> list[_Page]:
    read = _read_table if path.suffix.lower() == ".csv" else _read_json
    return read(path, report)


def _read_json(path: Path, report: ReportProblem) -> list[_Page]:
    values = read_json(path, dict[str, Any], MAX_BUILT)
    entries = values.get(PROJECT, values)
    pages = []
    for number, (key, entry) in enumerate(entries.items() if isinstance(entries, dict) else (), start=1):
        name = entry.get("filename") if isinstance(entry, dict) else None
        regions = entry.get("regions") if isinstance(entry, dict) else None
        regions = list(regions.values()) if isinstance(regions, dict) else regions
        if not isinstance(name, str) or not name or not isinstance(regions, list):
            report(
                BAD_FILE, f"{path} entry {number} ({quote(key)}) has no filename with regions: correct or remove it."
            )
            continue
        where = f"{path} entry {number} ({quote(name)})"
        pages.append(_Page(name, path, list(_read_regions(regions, where, report))))
    return pages


def _read_regions(regions: Iterable[Any], where: str, report: ReportProblem) -> Iterator[_Region]:
    for number, region in enumerate(regions, start=1):
        shape, attributes = (
            region.get(key) if isinstance(region, dict) else None for key in ("shape_attributes", ATTRIBUTES)
        )
        if isinstance(shape, dict) and isinstance(attributes, dict):
            yield _Region(shape, attributes, f"{where} region {number}")
        else:
            report(BAD_OBJECT, f"{where} region {number} has no shape with attributes: correct or remove it.")


def _read_table(path: Path, report: ReportProblem) -> list[_Page]:
    rows = read_rows(path, read_text(path, MAX_LIST_BYTES), sniff_row(path)[1])
    header = rows[0][1] if rows else []
    if not {"filename", SHAPES, ATTRIBUTES} <= set(header):
        raise DataError(f"{path} has no columns filename, {SHAPES} and {ATTRIBUTES}: export it again.")
    columns = [header.index(name) for name in ("filename", SHAPES, ATTRIBUTES)]
    pages: dict[str, _Page] = {}
    for line, row in rows[1:]:
        where = f"{path} line {line}"
        try:
            name, *cells = (row[column] for column in columns)
            shape, attributes = (decode_json((cell or "{}").encode(), dict[str, Any]) for cell in cells)
        except (IndexError, ValueError):
            report(BAD_OBJECT, f"{where} has no region that can be read: correct or remove it.")
            continue
        page = pages.setdefault(name, _Page(name, path, []))
        if shape:
            page.regions.append(_Region(shape, attributes, where))
    return list(pages.values())


def _find_class_attribute(root: Path, regions: Iterable[_Region]) -> str:
    """Returns the attribute that is the class: the only one, `class`, or the only one of a usual name."""
    names = dict.fromkeys(name for region in regions for name, value in region.attributes.items() if value)
    chosen = [name for name in names if name.lower() in CLASS_ATTRIBUTES]
    chosen = next(([name] for name in chosen if name == CLASS_ATTRIBUTES[0]), chosen)
    chosen = list(names) if len(names) == 1 else chosen
    if len(chosen) > 1 or (names and not chosen):
        raise DataError(
            f"The regions of {root} have the attributes {quote(list(names))}: call the one that is the class 'class' "
            "in VIA's list of attributes, and export again."
        )
    return chosen[0] if chosen else CLASS_ATTRIBUTES[0]


def _read_value(value: object) -> object:
    """Returns the value of an attribute; of boxes to tick the one that is ticked."""
    if not isinstance(value, dict):
        return value
    ticked = [name for name, flag in value.items() if flag]
    return ticked[0] if len(ticked) == 1 else None


def _read_box(shape: Mapping[str, Any], path: Path, notes: Notes) -> Box | None:
    """Returns the bounds of a region; None for points and lines, and for what is none."""
    kind = shape.get("name")
    if kind == "rect":
        return bound_size([shape.get(key) for key in ("x", "y", "width", "height")])
    box = None
    if kind == "polygon":
        box = bound_points(read_coordinates(shape.get("all_points_x"), shape.get("all_points_y")))
    elif kind in ("circle", "ellipse"):
        radii = [shape.get("r")] * 2 if kind == "circle" else [shape.get("rx"), shape.get("ry")]
        if not shape.get("theta"):
            box = bound_ellipse([shape.get("cx"), shape.get("cy"), *radii])
    if box:
        notes.count("Polygons, circles and ellipses read as their bounds", path)
    return box


VIA = Format("via", "VGG Image Annotator", "files", find_via, read_via)
