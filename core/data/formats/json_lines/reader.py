"""Finds and reads JSON lines, and the same objects in a JSON list or by the names of pictures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.data.annotations import BAD_FILE, BAD_OBJECT, BAD_PATH, Annotations, Format, ReportProblem
from core.data.files import FolderFiles, is_image_name
from core.data.formats.building import Picture, add_object, build_annotations, name_numbers, read_crowd, read_each
from core.data.formats.class_lists import read_class_names
from core.data.formats.json_count import count_json
from core.data.formats.json_files import MAX_BUILT, MAX_JSON_BYTES, MIN_COUNTED, decode_json, read_json, sniff_json
from core.data.formats.json_lines.dialects import LISTS, NAMES, Line, read_line
from core.data.formats.name_index import resolve_name
from core.data.formats.notes import Notes
from core.data.formats.texts import read_head, read_text
from core.data.untrusted import DataError

SUFFIXES = (".jsonl", ".ndjson", ".manifest")
HEAD_BYTES = 2**20  # a line may have many objects
HEAD_LINES = 20  # the first pictures may have none
# Keys of the first entry of a JSON list, or of the frames of an object, which need a closer look.
LIST_KEYS = frozenset(f"[].{name}" for name in (*NAMES, "name"))
FRAME_KEYS = frozenset(("frames[].name", "frames[].labels"))

Entry = tuple[str, bytes | msgspec.Raw]  # where it stands, for messages, and its JSON


class _Frames(msgspec.Struct):
    frames: list[msgspec.Raw]


def find_lines(files: FolderFiles) -> Sequence[Path]:
    """Returns the files of JSON lines, and of JSON lists, that describe pictures with objects."""
    lines = [path for path in files.find(*SUFFIXES) if _describes_objects(path)]
    return lines + [path for path in files.find(".json") if _lists_objects(path) or _has_lines(path)]


def read_lines(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the lines of a data set.

    Raises:
        DataError: No line has an object.
    """
    notes = Notes()
    pictures: list[Picture] = []
    for path, entries in read_each(paths, lambda path: (_read_lines if _has_lines(path) else _read_list)(path), report):
        pictures += _read_entries(files, path, entries, report, notes)
    names = name_numbers(pictures, lambda: read_class_names(files, paths, notes), notes)
    return build_annotations(pictures, notes, root=files.root, class_names=names, report=report)


def _has_lines(path: Path) -> bool:
    """True for a file of JSON lines, whatever it is called."""
    return path.suffix.lower() != ".json" or (sniff_json(path).damaged and _describes_objects(path))


def _describes_objects(path: Path) -> bool:
    lines = read_head(path, HEAD_BYTES).removeprefix("\ufeff").split("\n")[:HEAD_LINES]
    return any(_parse(line.encode()) for line in lines if line.strip())


def _lists_objects(path: Path) -> bool:
    keys = sniff_json(path).keys
    if not keys & LIST_KEYS and not keys >= FRAME_KEYS and not _names_pictures(keys):
        return False
    try:
        return any(_parse(content) for _, content in _read_list(path)[:HEAD_LINES])
    except DataError:  # damaged: to be reported if its beginning is of this format
        return bool(keys & {f"[].{name}" for name in LISTS})


def _names_pictures(keys: frozenset[str]) -> bool:
    """True if the keys of an object are the names of pictures."""
    names = [key for key in keys if "[]." not in key and not key.startswith("{}.")]
    return bool(names) and all(is_image_name(key) for key in names)


def _read_lines(path: Path) -> list[Entry]:
    lines = enumerate(read_text(path, MAX_JSON_BYTES).split("\n"), start=1)
    return [(f"{path} line {number}", line.encode()) for number, line in lines if line.strip()]


def _read_list(path: Path) -> list[Entry]:
    """Returns the entries of a JSON list, the frames of an object, or the objects of each picture."""
    keys = sniff_json(path).keys
    entries: Sequence[bytes | msgspec.Raw]
    if keys >= FRAME_KEYS:
        entries = read_json(path, _Frames).frames
    elif _names_pictures(keys):
        entries = [
            b'{"%s": %s, "%s": %s}' % (NAMES[0].encode(), json.dumps(name).encode(), LISTS[0].encode(), bytes(objects))
            for name, objects in read_json(path, dict[str, msgspec.Raw]).items()
        ]
    else:
        entries = read_json(path, list[msgspec.Raw])
    return [(f"{path} entry {number}", content) for number, content in enumerate(entries, start=1)]


def _parse(content: bytes | msgspec.Raw) -> Line | None:
    try:
        if memoryview(content).nbytes > MIN_COUNTED and count_json(bytes(content)).values > MAX_BUILT:
            return None
        return read_line(decode_json(content, dict[str, Any]))
    except ValueError:
        return None


def _read_entries(
    files: FolderFiles, path: Path, entries: Sequence[Entry], report: ReportProblem, notes: Notes
) -> list[Picture]:
    pictures: list[Picture] = []
    singles: dict[str, Picture] = {}  # of which each line has one object
    for where, content in entries:
        line = _parse(content)
        if line is None:
            report(BAD_FILE, f"{where} is no JSON object with a picture and its objects: correct or remove it.")
            continue
        picture = _read_picture(files, path, line, where, report, notes)
        if picture and line.single and picture.name in singles:
            singles[picture.name].objects += picture.objects
        elif picture:
            pictures.append(picture)
            if line.single:
                singles[picture.name] = picture
    return pictures


def _read_picture(
    files: FolderFiles, path: Path, line: Line, where: str, report: ReportProblem, notes: Notes
) -> Picture | None:
    if not isinstance(line.name, str) or not line.name:
        report(BAD_PATH, f"{where} names no picture: correct or remove it.")
        return None
    split = line.split if isinstance(line.split, str) and line.split else None
    size = notes.read_size(*line.size, path)
    picture = Picture(resolve_name(line.name, path, files.root), path, size, split=split, relative=line.relative)
    for number, item in enumerate(line.items, start=1):
        object_ = f"{where} object {number}"
        crowd = read_crowd(item.crowd, object_, report)
        if item.fault:
            report(BAD_OBJECT, f"{object_} {item.fault}.")
        elif crowd is not None:
            add_object(picture, item.label, item.box, object_, report, crowd=crowd)
    for _ in range(line.skipped):
        notes.count("Lines and areas without a box, which were left out", path)
    for _ in range(line.earlier):
        notes.count("Labels of earlier labelling jobs, which the last job of their line replaces", path)
    if line.sides:
        notes.add(f"The boxes of {path.name} were read as left, top, width and height, as in COCO.")
    return picture


JSON_LINES = Format("jsonl", "JSON lines", "files", find_lines, read_lines)
