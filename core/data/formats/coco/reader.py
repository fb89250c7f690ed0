"""Reads COCO's format: a JSON file with images, annotations and categories, one for each split or one for all."""

from array import array
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from core.data.annotations import (
    BAD_OBJECT,
    BAD_PATH,
    UNKNOWN_CLASS,
    UNKNOWN_PICTURE,
    AnnotatedImage,
    Annotations,
    Format,
    ReportProblem,
)
from core.data.files import FolderFiles
from core.data.formats.coco.content import (
    LISTS,
    Content,
    Id,
    join_categories,
    read_content,
    read_id,
)
from core.data.formats.json_files import JsonShape, decode_json, sniff_json
from core.data.formats.notes import Notes, number_classes
from core.data.formats.values import parse_flag, parse_number
from core.data.untrusted import quote

# COCO's own archives have the same pictures in several files; only the instances are boxes of every class.
OTHER_TASKS = ("person_keypoints_", "stuff_", "panoptic_", "captions_")


def find_coco(files: FolderFiles) -> Sequence[Path]:
    """Returns the JSON files with images, annotations and categories."""
    found = [path for path in files.find(".json") if _is_coco(sniff_json(path))]
    return [path for path in found if not _is_other_task(path, found)]


def read_coco(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the annotation files of a data set, which must have the same categories.

    Raises:
        DataError: A file is unreadable or not in COCO's format, or two name different categories.
    """
    notes = Notes()
    _note_other_tasks(files, paths, notes)
    contents = [read_content(path) for path in paths]
    categories = join_categories(contents, notes)
    labels = {category_id: label for label, category_id in enumerate(categories)}
    images = [image for content in contents for image in _read_images(content, labels, report, notes)]
    ids = tuple(each for each in categories if isinstance(each, int))
    if len(ids) < len(categories):
        notes.add("The categories have no numbers as ids: they are numbered from 1.")
        ids = number_classes(list(categories.values()))
    return Annotations(tuple(categories.values()), ids, images, notes.sentences())


def _is_coco(shape: JsonShape) -> bool:
    if shape.damaged:
        return "images" in shape.keys and "shapes" not in shape.keys
    first = {key for key in shape.keys if key.startswith("annotations[].")}
    fields = {"annotations[].bbox", "annotations[].segmentation", "annotations[].category_id"}
    return shape.keys.issuperset(LISTS) and (not first or bool(first & fields))


def _is_other_task(path: Path, found: Sequence[Path]) -> bool:
    """True for `person_keypoints_val2017.json` and the like beside `instances_val2017.json`."""
    prefix = next((prefix for prefix in OTHER_TASKS if path.name.startswith(prefix)), None)
    return prefix is not None and path.with_name("instances_" + path.name.removeprefix(prefix)) in found


def _note_other_tasks(files: FolderFiles, paths: Sequence[Path], notes: Notes) -> None:
    for path in files.find(".json"):
        if path not in paths and _is_other_task(path, paths):
            notes.add(f"{path.name} was not read, as the instances of the same pictures lie beside it.")


def _read_images(content: Content, labels: dict[Id, int], report: ReportProblem, notes: Notes) -> list[AnnotatedImage]:
    """Returns the images with their objects; reports and leaves out those without a file name."""
    numbers = {entry.id: number for number, entry in enumerate(content.images)}
    owners, boxes, classes, crowd = _read_objects(content, numbers, labels, report, notes)
    order = np.argsort(owners, kind="stable")
    boxes, classes, crowd = boxes[order], classes[order], crowd[order]
    ends = np.searchsorted(owners[order], np.arange(len(content.images) + 1)).tolist()
    images = []
    for number, entry in enumerate(content.images):
        part = slice(ends[number], ends[number + 1])
        if not isinstance(entry.file_name, str):
            report(BAD_PATH, f"{content.path}, image {number + 1} (id {quote(entry.id)}) has no file_name: add it.")
            continue
        size = notes.read_size(entry.width, entry.height, content.path)
        image_id = entry.id if isinstance(entry.id, int) else None
        name = entry.file_name.replace("\\", "/")
        images.append(
            AnnotatedImage(name, content.path, boxes[part], classes[part], crowd[part], size, image_id, None, False)
        )
    return images


class _EntryError(Exception):
    """An annotation that cannot be used."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _read_objects(
    content: Content, numbers: dict[Id, int], labels: dict[Id, int], report: ReportProblem, notes: Notes
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns the objects' images, boxes, labels and crowd flags; reports and leaves out those that are invalid."""
    owners, boxes, classes, crowd = array("q"), array("d"), array("q"), array("b")
    for number, entry in enumerate(content.annotations):
        try:
            owner = _look_up("image_id", entry.image_id, numbers, UNKNOWN_PICTURE)
            label = _look_up("category_id", entry.category_id, labels, UNKNOWN_CLASS)
            flag = parse_flag(entry.iscrowd)
            if flag is None:
                raise _EntryError(BAD_OBJECT, f"has the iscrowd {quote(entry.iscrowd)}, neither 0 nor 1")
            boxes.extend(_read_box(number, content, notes))
        except _EntryError as error:
            where = f"{content.path}, annotation {number + 1}{_name_id(entry.id)}"
            report(error.kind, f"{where} {error}: correct or remove it.")
            continue
        owners.append(owner)
        classes.append(label)
        crowd.append(flag)
    corners = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return np.array(owners, np.int64), corners, np.array(classes, np.int64), np.array(crowd, bool)


def _look_up(key: str, value: object, known: dict[Id, int], kind: str) -> int:
    number = known.get(value) if type(value) is int else None
    if number is None:
        found = read_id(value)
        number = None if found is None else known.get(found)
    if number is None:
        raise _EntryError(kind, f"has the unknown {key} {quote(value)}")
    return number


def _name_id(value: object) -> str:
    return "" if value is None else f" (id {quote(value)})"


def _read_box(number: int, content: Content, notes: Notes) -> tuple[float, float, float, float]:
    """Returns the box as xyxy: from x, y, width and height, or the bounds of the polygons if there is no bbox."""
    entry = content.annotations[number]
    if not isinstance(entry.bbox, list) or len(entry.bbox) != 4:
        box = None if entry.bbox else _bound_polygons(content.outlines[number])
        if box is None:
            raise _EntryError(BAD_OBJECT, "has no bbox of four numbers")
        notes.count("Polygons without a box, read as their bounds", content.path)
        return box
    x, y, width, height = [value if type(value) is float else parse_number(value) for value in entry.bbox]
    if x is None or y is None or width is None or height is None:
        raise _EntryError(BAD_OBJECT, "has no bbox of four numbers")
    return x, y, x + width, y + height


def _bound_polygons(segmentation: msgspec.Raw) -> tuple[float, float, float, float] | None:
    """Returns the bounds of lists of coordinates x, y, x, y, …; None for anything else."""
    try:
        polygons = decode_json(segmentation, list[list[float]])
    except ValueError:
        return None
    if not polygons or any(len(polygon) < 6 or len(polygon) % 2 for polygon in polygons):
        return None
    xs = [x for polygon in polygons for x in polygon[::2]]
    ys = [y for polygon in polygons for y in polygon[1::2]]
    return min(xs), min(ys), max(xs), max(ys)


COCO = Format("coco", "COCO", "JSON files", find_coco, read_coco)
