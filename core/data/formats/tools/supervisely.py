"""Reads Supervisely's format: a JSON file for each picture, in `ann/` beside `img/`."""

import base64
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.data.annotations import Annotations, Format, ReportProblem
from core.data.files import FolderFiles
from core.data.formats.building import Picture, add_object, build_annotations, read_each
from core.data.formats.json_files import JsonShape, read_json, sniff_json
from core.data.formats.notes import Notes
from core.data.formats.outlines import Box, bound_points, bound_size, read_points

KEYS = frozenset(("description", "tags", "size", "objects"))
FOLDER, PICTURES = "ann", "img"
MAX_HEAD = 400  # characters of a bitmap's base64, a multiple of 4, that hold the head of its PNG
PNG_HEAD = struct.Struct(">12s4sII")  # signature and length, type, width, height


class _Points(msgspec.Struct):
    exterior: Any = None


class _Object(msgspec.Struct):
    classTitle: Any = None
    geometryType: Any = None
    points: _Points | None = None
    bitmap: Any = None


class _Size(msgspec.Struct):
    width: Any = None
    height: Any = None


class _Page(msgspec.Struct):
    size: _Size
    objects: list[_Object]


def find_supervisely(files: FolderFiles) -> Sequence[Path]:
    """Returns the JSON files with objects of a class title, and those of pictures without objects beside them."""
    return [path for path in files.find(".json") if _is_page(sniff_json(path))]


def read_supervisely(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the annotation files of a data set; polygons and bitmaps become their bounds.

    Raises:
        DataError: No file has an object.
    """
    notes = Notes()
    pictures = []
    for path, page in read_each(paths, lambda path: read_json(path, _Page), report):
        size = notes.read_size(page.size.width, page.size.height, path)
        picture = Picture(_name_picture(path, files.root), path, size)
        for number, item in enumerate(page.objects, start=1):
            add_object(picture, item.classTitle, _read_box(item, path, notes), f"{path} object {number}", report)
        pictures.append(picture)
    return build_annotations(pictures, notes, root=files.root, report=report)


def _is_page(shape: JsonShape) -> bool:
    first = {key for key in shape.keys if key.startswith("objects[].")}
    return shape.keys >= KEYS and (not first or "objects[].classTitle" in first)


def _name_picture(path: Path, root: Path) -> str:
    """Returns the picture's path, `img/a.jpg` for `ann/a.jpg.json`, or its name alone in other folders."""
    folder = path.parent
    if folder.name.lower() != FOLDER or folder == root:
        return path.stem
    return (folder.parent / PICTURES / path.stem).relative_to(root).as_posix()


def _read_box(item: _Object, path: Path, notes: Notes) -> Box | None:
    """Returns the bounds of a rectangle, polygon or bitmap; None for other shapes."""
    points = read_points(item.points.exterior if item.points else None)
    if item.geometryType == "rectangle":
        return bound_points(points, at_least=2)
    if item.geometryType == "bitmap":
        box = _bound_bitmap(item.bitmap)
    else:
        box = bound_points(points) if item.geometryType == "polygon" else None
    if box:
        notes.count("Polygons and bitmaps read as their bounds", path)
    return box


def _bound_bitmap(bitmap: object) -> Box | None:
    """Returns the box of a mask, a compressed PNG in base64 with its corner; None for anything else."""
    data, origin = (bitmap.get(key) for key in ("data", "origin")) if isinstance(bitmap, dict) else (None, None)
    if not isinstance(data, str) or not isinstance(origin, list):
        return None
    try:
        head = zlib.decompressobj().decompress(base64.b64decode(data[:MAX_HEAD]), PNG_HEAD.size)
        _, kind, width, height = PNG_HEAD.unpack(head)
    except (ValueError, zlib.error, struct.error):
        return None
    return bound_size([*origin, width, height]) if kind == b"IHDR" else None


SUPERVISELY = Format("supervisely", "Supervisely", "JSON files", find_supervisely, read_supervisely)
