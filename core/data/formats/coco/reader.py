"""Reads COCO's format: a JSON file with images, annotations and categories, one for each split or one for all."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

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
    Picture,
    has_objects,
    join_categories,
    read_content,
    read_id,
)
from core.data.formats.coco.outlines import bound_outline
from core.data.formats.json_files import JsonShape, sniff_json
from core.data.formats.notes import Notes, number_classes
from core.data.formats.outlines import Box
from core.data.formats.values import parse_flag, parse_number
from core.data.untrusted import MAX_ADDRESS, quote

# COCO's own archives have the same pictures in several files; only the instances are boxes of every class.
OTHER_TASKS = ("person_keypoints_", "stuff_", "panoptic_", "captions_")


def find_coco(files: FolderFiles) -> Sequence[Path]:
    """Returns the JSON files with images, annotations and categories."""
    found = [path for path in files.find(".json") if _is_coco(path, sniff_json(path))]
    return [path for path in found if not _is_other_task(path, found)]


def read_coco(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the annotation files of a data set, whose categories must not contradict each other.

    Raises:
        DataError: A file is unreadable or not in COCO's format, or two contradict each other.
    """
    notes = Notes()
    _note_unread(files, paths, notes)
    contents = [read_content(path) for path in paths]
    categories = join_categories(contents, notes)
    labels = {category_id: label for label, category_id in enumerate(categories)}
    images = [image for content in contents for image in _read_images(content, labels, report, notes)]
    ids = tuple(each for each in categories if isinstance(each, int))
    if len(ids) < len(categories):
        notes.add("The categories have no numbers as ids: they are numbered from 1.")
        ids = number_classes(list(categories.values()))
    return Annotations(tuple(categories.values()), ids, images, notes.sentences())


def _is_coco(path: Path, shape: JsonShape) -> bool:
    if shape.damaged:
        return "images" in shape.keys and "shapes" not in shape.keys
    first = {key for key in shape.keys if key.startswith("annotations[].")}
    fields = {"annotations[].bbox", "annotations[].segmentation", "annotations[].category_id"}
    if not shape.keys.issuperset(LISTS) or "annotations[].segments_info" in first:
        return False
    return not first or bool(first & fields) or has_objects(path)


def _is_other_task(path: Path, found: Sequence[Path]) -> bool:
    """True for `person_keypoints_val2017.json` and the like beside `instances_val2017.json`."""
    prefix = next((prefix for prefix in OTHER_TASKS if path.name.startswith(prefix)), None)
    return prefix is not None and path.with_name("instances_" + path.name.removeprefix(prefix)) in found


def _note_unread(files: FolderFiles, paths: Sequence[Path], notes: Notes) -> None:
    """Notes the files with pictures in COCO's format that are not read, and why."""
    for path in sorted(set(files.find(".json")).difference(paths)):
        name = path.relative_to(files.root).as_posix()
        keys = sniff_json(path).keys
        missing = next((key for key in LISTS if key not in keys), None)
        if _is_other_task(path, paths):
            notes.add(f"{name} was not read, as the instances of the same pictures lie beside it.")
        elif "images[].id" in keys:
            reason = f"it has no list {missing!r}" if missing else "its annotations are not boxes with classes"
            notes.add(f"{name} was not read, as {reason}.")


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
        name = _read_name(entry)
        if name is None:
            report(BAD_PATH, f"{content.path}, image {number + 1} (id {quote(entry.id)}) has no file_name: add it.")
            continue
        size = notes.read_size(entry.width, entry.height, content.path)
        image_id = entry.id if isinstance(entry.id, int) else None
        images.append(
            AnnotatedImage(name, content.path, boxes[part], classes[part], crowd[part], size, image_id, None, False)
        )
    return images


def _read_name(picture: Picture) -> str | None:
    """Returns a picture's name, or the path of its address, which LVIS gives instead; None if there is neither."""
    if isinstance(picture.file_name, str):
        return picture.file_name.replace("\\", "/")
    if not isinstance(picture.coco_url, str) or len(picture.coco_url) > MAX_ADDRESS:
        return None
    try:
        return unquote(urlsplit(picture.coco_url).path).lstrip("/") or None
    except ValueError:
        return None


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
            if entry.category_id is None and entry.bbox is None:
                raise _EntryError(BAD_OBJECT, "has neither a category_id nor a bbox")
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


def _read_box(number: int, content: Content, notes: Notes) -> Box:
    """Returns the box as xyxy: from x, y, width and height, or the bounds of the outline if there is no bbox."""
    outline = content.outlines.get(number)
    bounds = None if outline is None else bound_outline(outline)
    if bounds:
        notes.count(f"{bounds.kind} without a box, read as their bounds", content.path)
        return bounds.box
    bbox = content.annotations[number].bbox
    values = bbox if isinstance(bbox, list) and len(bbox) == 4 else [None] * 4
    x, y, width, height = [value if type(value) is float else parse_number(value) for value in values]
    if x is None or y is None or width is None or height is None:
        raise _EntryError(BAD_OBJECT, "has no bbox of four numbers")
    if width < 0 or height < 0:
        notes.count("Boxes with a negative width or height, read as between their corners", content.path)
        return min(x, x + width), min(y, y + height), max(x, x + width), max(y, y + height)
    return x, y, x + width, y + height


COCO = Format("coco", "COCO", "JSON files", find_coco, read_coco)
