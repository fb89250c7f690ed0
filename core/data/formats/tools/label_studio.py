"""Reads Label Studio's own JSON: a list of tasks, whose boxes are percentages of the picture's sides."""

import cmath
import re
from collections.abc import Sequence
from math import radians
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from core.data.annotations import BAD_FILE, BAD_PATH, Annotations, Format, ReportProblem
from core.data.files import FolderFiles, is_image_name
from core.data.formats.building import Picture, add_object, build_annotations, read_each
from core.data.formats.json_files import decode_json, read_json, sniff_json
from core.data.formats.notes import Notes
from core.data.formats.outlines import Box, bound_ellipse, bound_points, bound_size, read_numbers, read_points
from core.data.formats.values import parse_number
from core.data.untrusted import MAX_ADDRESS

SHAPES = ("rectanglelabels", "polygonlabels", "ellipselabels")
SUFFIX = "labels"  # a shape without it has its label in another result of the same id
LISTS = ("annotations", "completions", "predictions")  # completions: of versions before 1
_UPLOAD = re.compile(r"[0-9a-f]{8}-")  # in front of the names of files that were uploaded


class _Result(msgspec.Struct):
    id: Any = None
    type: Any = None
    value: Any = None
    original_width: Any = None
    original_height: Any = None


class _Annotation(msgspec.Struct):
    result: list[_Result]
    was_cancelled: Any = None
    ground_truth: Any = None


class _Task(msgspec.Struct):
    data: dict[str, Any]
    annotations: list[_Annotation] = []
    completions: list[_Annotation] = []
    predictions: list[msgspec.Raw] = []


def find_label_studio(files: FolderFiles) -> Sequence[Path]:
    """Returns the JSON files with tasks and their annotations."""
    return [path for path in files.find(".json") if _has_tasks(sniff_json(path).keys)]


def read_label_studio(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the tasks of a data set that are annotated.

    Raises:
        DataError: There is no object.
    """
    notes = Notes()
    names = {PurePosixPath(name).name for name in files.images}
    pictures: list[Picture] = []
    for path, entries in read_each(paths, lambda path: read_json(path, list[msgspec.Raw]), report):
        for number, content in enumerate(entries, start=1):
            picture = _read_task(path, f"{path} task {number}", content, names, report, notes)
            if picture:
                pictures.append(picture)
    return build_annotations(pictures, notes, root=files.root, report=report)


def _has_tasks(keys: frozenset[str]) -> bool:
    return "[].data" in keys and any(f"[].{name}" in keys for name in LISTS)


def _read_task(
    path: Path, where: str, content: msgspec.Raw, names: set[str], report: ReportProblem, notes: Notes
) -> Picture | None:
    """Returns the picture of a task, or reports that it has none; None if it has not been annotated."""
    try:
        task = decode_json(content, _Task)
    except ValueError:
        report(BAD_FILE, f"{where} has no data with annotations: export it again.")
        return None
    name = _find_name(task.data, names)
    if name is None:
        report(BAD_PATH, f"{where} names no picture: correct or remove it.")
        return None
    annotation = _choose_annotation(task, path, notes)
    if annotation is None:
        return None
    picture = Picture(name, path, relative=True)
    for number, result in enumerate(_join_labels(annotation.result), start=1):
        if result.type not in SHAPES:
            notes.count("Results other than rectangles, polygons and ellipses, which were left out", path)
            continue
        value = result.value if isinstance(result.value, dict) else {}
        labels = value.get(str(result.type))
        label = labels[0] if isinstance(labels, list) and len(labels) == 1 else None
        picture.size = picture.size or notes.read_size(result.original_width, result.original_height, path)
        add_object(picture, label, _read_box(result, value, path, notes), f"{where} result {number}", report)
    return picture


def _choose_annotation(task: _Task, path: Path, notes: Notes) -> _Annotation | None:
    """Returns the annotation of a task: the ground truth, or the first with results; None if it has none."""
    finished = [each for each in (*task.annotations, *task.completions) if not each.was_cancelled]
    if not finished:
        kind = "with predictions only" if task.predictions else "without an annotation"
        notes.count(f"Tasks {kind}, which were left out", path)
        return None
    chosen = min(finished, key=lambda each: (not each.ground_truth, not each.result))
    if len(finished) > 1:
        which = "first" if chosen is finished[0] else "ground truth or the first with results"
        notes.count(f"Tasks with several annotations, of which the {which} was used", path)
    return chosen


def _join_labels(results: Sequence[_Result]) -> list[_Result]:
    """Returns the results with labels in their shapes, which some projects keep apart under the same id."""
    valid = [result for result in results if isinstance(result.id, str) and isinstance(result.value, dict)]
    labels = {result.id: result.value.get(SUFFIX) for result in valid if result.type == SUFFIX}
    used = set()
    for result in valid:
        kind = f"{result.type}{SUFFIX}"
        if kind in SHAPES and result.id in labels:
            result.type, result.value = kind, {**result.value, kind: labels[result.id]}
            used.add(result.id)
    spent = {id(result) for result in valid if result.type == SUFFIX and result.id in used}
    return [result for result in results if id(result) not in spent]


def _find_name(data: dict[str, Any], names: set[str]) -> str | None:
    """Returns the picture's name in a task's data: a path, the address of an upload, or that of a local file."""
    for value in (data.get("image"), *data.values()):
        if not isinstance(value, str) or len(value) > MAX_ADDRESS:
            continue
        try:
            address = urlsplit(value)
        except ValueError:
            continue
        path = (parse_qs(address.query).get("d") or [unquote(address.path)])[0]
        if is_image_name(path):
            name = PurePosixPath(path).name
            bare = _UPLOAD.sub("", name, count=1) if _UPLOAD.match(name) else name
            return bare if name not in names and bare in names else path
    return None


def _read_box(result: _Result, value: dict[str, Any], path: Path, notes: Notes) -> Box | None:
    """Returns the bounds of a shape as fractions of the picture's sides; None for what cannot be read."""
    turned = parse_number(value.get("rotation", 0))
    if result.type == "rectanglelabels":
        box = bound_size([value.get(key) for key in ("x", "y", "width", "height")])
        box = _turn(box, turned, result) if box and turned else box
    elif result.type == "polygonlabels":
        box = bound_points(read_points(value.get("points")))
    else:
        box = None if turned else bound_ellipse([value.get(key) for key in ("x", "y", "radiusX", "radiusY")])
    if box is None or turned is None:
        return None
    if turned or result.type != "rectanglelabels":
        notes.count("Turned boxes, polygons and ellipses read as their bounds", path)
    left, top, right, bottom = (side / 100 for side in box)
    return left, top, right, bottom


def _turn(box: Box, degrees: float, result: _Result) -> Box | None:
    """Returns the bounds of a rectangle that is turned about its left top corner, which takes the picture's shape."""
    sides = read_numbers([result.original_width, result.original_height])
    if sides is None or not all(0 < side < float("inf") for side in sides):
        return None
    width, height = sides
    left, top, right, bottom = (value * side for value, side in zip(box, (*sides, *sides), strict=True))
    turn = cmath.rect(1, radians(degrees % 360))
    corners = [complex(x - left, y - top) * turn for x in (left, right) for y in (top, bottom)]
    bounds = bound_points([(left + corner.real, top + corner.imag) for corner in corners])
    return bounds and (bounds[0] / width, bounds[1] / height, bounds[2] / width, bounds[3] / height)


LABEL_STUDIO = Format("label_studio", "Label Studio", "JSON files", find_label_studio, read_label_studio)
