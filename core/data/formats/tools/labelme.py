"""Reads LabelMe's format: a JSON file for each picture, with shapes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.data.annotations import Annotations, Format, ReportProblem
from core.data.files import FolderFiles
from core.data.formats.building import Picture, add_object, build_annotations, join_outline, read_crowd, read_each
from core.data.formats.json_files import read_json, sniff_json
from core.data.formats.name_index import resolve_name
from core.data.formats.notes import Notes
from core.data.formats.outlines import Box, bound_circle, bound_points, read_points

CORNERS = ("rectangle", "mask")  # two opposite corners, or all four
OUTLINES = {"polygon": "Polygons", "circle": "Circles", "rotation": "Turned boxes"}
PARTS = (None, "polygon", "circle", "mask")  # of which several in a group are one object
WITHOUT_BOX = ("point", "points", "line", "linestrip")


class _Shape(msgspec.Struct):
    label: Any = None
    points: Any = None
    shape_type: Any = None
    group_id: Any = None
    difficult: Any = None  # of X-AnyLabeling


class _Page(msgspec.Struct):
    shapes: list[_Shape]
    imagePath: Any = None
    imageWidth: Any = None
    imageHeight: Any = None


def find_labelme(files: FolderFiles) -> Sequence[Path]:
    """Returns the JSON files with shapes of a picture, and beside them damaged ones, to be reported."""
    shapes = {path: sniff_json(path) for path in files.find(".json")}
    if not any(_is_page(each.keys) for each in shapes.values()):
        return [path for path, each in shapes.items() if each.damaged and "shapes" in each.keys]
    return [path for path, each in shapes.items() if each.damaged or _is_page(each.keys)]


def read_labelme(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the annotation files of a data set; outlines become their bounds.

    Raises:
        DataError: No file has an object.
    """
    notes = Notes()
    pictures = []
    for path, page in read_each(paths, lambda path: read_json(path, _Page), report):
        name = page.imagePath if isinstance(page.imagePath, str) and page.imagePath else path.stem
        size = notes.read_size(page.imageWidth, page.imageHeight, path)
        picture = Picture(resolve_name(name, path, files.root), path, size)
        _add_shapes(picture, page.shapes, report, notes)
        pictures.append(picture)
    return build_annotations(pictures, notes, root=files.root, report=report)


def _is_page(keys: frozenset[str]) -> bool:
    return "shapes" in keys and ("imagePath" in keys or "shapes[].points" in keys)


def _add_shapes(picture: Picture, shapes: Sequence[_Shape], report: ReportProblem, notes: Notes) -> None:
    """Adds the objects of shapes to a picture; the outlines of one group are one object."""
    outlines: dict[tuple[str, object], int] = {}
    for number, shape in enumerate(shapes, start=1):
        if shape.shape_type in WITHOUT_BOX:
            notes.count("Points and lines without a box, which were left out", picture.source)
            continue
        where = f"{picture.source} shape {number}"
        crowd = read_crowd(shape.difficult, where, report)
        if crowd is None:
            continue
        box = _read_box(shape, picture.source, notes)
        is_added = add_object(picture, shape.label, box, where, report, crowd=crowd)
        if is_added and shape.shape_type in PARTS and type(shape.group_id) is int:
            join_outline(picture, outlines, shape.group_id, notes)


def _read_box(shape: _Shape, path: Path, notes: Notes) -> Box | None:
    """Returns the bounds of a shape; None for what is none."""
    points = read_points(shape.points)
    kind = "polygon" if shape.shape_type is None else shape.shape_type
    if kind in CORNERS:
        return bound_points(points, at_least=2)
    if kind not in tuple(OUTLINES):
        return None
    box = bound_circle(points) if kind == "circle" else bound_points(points)
    if box:
        notes.count(f"{OUTLINES[kind]} read as their bounds", path)
    return box


LABELME = Format("labelme", "LabelMe", "JSON files", find_labelme, read_labelme)
