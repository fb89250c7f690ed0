"""Reads data sets in COCO format: one JSON file per split, with images, annotations and categories."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from core.data.annotations import BAD_OBJECT, BAD_PATH, UNKNOWN_CLASS, UNKNOWN_PICTURE, ReportProblem, raise_problem
from core.data.dataset import SPLITS, FolderData, RawData, RawImage, RawObject, require_split
from core.data.untrusted import DataError, join_inside, quote, read_bounded
from core.io.text import is_text

MAX_JSON_BYTES = 512 * 2**20  # COCO's own instances_train2017.json has 448 MB


class CocoFiles(NamedTuple):
    """The files of a split: its annotations, and the folder that image file names are relative to."""

    annotations: Path
    images: Path


class CocoData(FolderData):
    """A split of a folder in COCO format.

    Two layouts are supported: `<split>.json` beside `images/`; or `annotations/instances_<name>.json`, where the name
    begins with the split (train2017), with the images in `<name>/`, `images/<name>/` or `images/`.

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.

    Raises:
        DataError: A file is missing, unreadable or inconsistent.
    """

    def __init__(self, folder: str | Path, split: str) -> None:
        super().__init__(read_coco(Path(folder), split))


def read_coco(folder: Path, split: str, report: ReportProblem = raise_problem) -> RawData:
    """Reads the annotations of a split.

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.
        report: Called for each entry that is left out because it is invalid.

    Raises:
        DataError: The file is missing, unreadable or not in COCO format.
    """
    require_split(split)
    files = find_coco_files(folder, split)
    content = _Content(files.annotations, report)
    categories = sorted(content.entries_by_id("categories").items())
    category_ids = tuple(category_id for category_id, _ in categories)
    class_names = _read_class_names(categories, files.annotations)
    objects = _read_objects(content, {category_id: label for label, category_id in enumerate(category_ids)})
    images = _read_images(content, files, folder.resolve(), objects)
    if not images:
        raise content.error("it lists no pictures", f"choose another split than {split} or add some")
    return RawData(class_names, category_ids, images)


def find_coco_splits(folder: Path) -> tuple[str, ...]:
    """Returns the splits for which a folder has COCO annotations."""
    return tuple(split for split in SPLITS if _find_annotation_files(folder, split))


def find_coco_files(folder: Path, split: str) -> CocoFiles:
    """Finds a split's files.

    Raises:
        DataError: There are none, or more than one candidate.
    """
    found = _find_annotation_files(folder, split)
    if not found:
        raise DataError(
            f"The data set {folder} has no split {split}: neither {split}.json nor "
            f"annotations/instances_{split}*.json exists; add one of them."
        )
    if len(found) > 1:
        raise DataError(
            f"The data set {folder} has several files for the split {split} "
            f"({', '.join(str(path.relative_to(folder)) for path in found)}): keep one of them."
        )
    name = found[0].stem.removeprefix("instances_")
    usual = [folder / "images"]
    if found[0].parent != folder:
        usual = [folder / name, folder / "images" / name, folder / "images"]
    for images in usual:
        if images.is_dir():
            return CocoFiles(found[0], images)
    raise DataError(f"The pictures of {found[0]} are missing: put them into {usual[0]}.")


def _find_annotation_files(folder: Path, split: str) -> list[Path]:
    plain = folder / f"{split}.json"
    return [plain] if plain.is_file() else sorted((folder / "annotations").glob(f"instances_{split}*.json"))


class _Content:
    """The parsed content of an annotation file, with the checks that all readers rely on."""

    def __init__(self, path: Path, report: ReportProblem) -> None:
        self.path = path
        self.report = report
        try:
            self.values = json.loads(read_bounded(path, MAX_JSON_BYTES))
        except (ValueError, RecursionError) as error:
            raise self.error(f"it is not JSON ({error})", "export it again") from None
        if not isinstance(self.values, dict):
            raise self.error("it is not a JSON object", "export it again in COCO format")

    def error(self, reason: str, remedy: str) -> DataError:
        """Builds an error that names this file, the reason and the remedy."""
        return DataError(f"{self.path} cannot be used because {reason}: {remedy}.")

    def entries(self, key: str) -> list[dict[str, Any]]:
        """Returns the list of JSON objects under a key; raises `DataError` if it is anything else."""
        entries = self.values.get(key)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self.error(f"it has no list {key!r} of objects", "export it again in COCO format")
        return entries

    def entries_by_id(self, key: str) -> dict[int, dict[str, Any]]:
        """Returns the entries under a key by id; raises `DataError` for a missing or repeated id."""
        entries = self.entries(key)
        for entry in entries:
            if type(entry.get("id")) is not int:  # not isinstance: bool is a subclass of int
                raise self.error(
                    f"the id {quote(entry.get('id'))} in {key!r} is not a whole number", "number the entries"
                )
        result = {entry["id"]: entry for entry in entries}
        if len(result) < len(entries):
            repeated = Counter(entry["id"] for entry in entries).most_common(1)[0][0]
            raise self.error(f"the id {quote(repeated)} is used twice in {key!r}", "give each entry its own id")
        return result


def _read_class_names(categories: list[tuple[int, dict[str, Any]]], path: Path) -> tuple[str, ...]:
    names = [category.get("name") for _, category in categories]
    valid = [name for name in names if is_text(name) and name]
    if not names or len(set(valid)) < len(names):
        raise DataError(f"{path} needs categories with distinct names: correct 'categories'.")
    return tuple(valid)


def _read_images(
    content: _Content, files: CocoFiles, root: Path, objects: dict[int, list[RawObject]]
) -> list[RawImage]:
    """Returns the images; reports and leaves out those without a file name inside the data set."""
    images = []
    for image_id, entry in content.entries_by_id("images").items():
        name = entry.get("file_name")
        if not isinstance(name, str):
            content.report(BAD_PATH, str(content.error(f"image {quote(image_id)} has no file_name", "add it")))
            continue
        try:
            path = join_inside(files.images, name, root=root, source=files.annotations)
        except DataError as error:
            content.report(BAD_PATH, str(error))
            continue
        images.append(RawImage(path, files.annotations, _read_size(entry), image_id, objects[image_id]))
    return images


def _read_objects(content: _Content, labels: dict[int, int]) -> dict[int, list[RawObject]]:
    """Returns the objects by image id; reports and leaves out those that are invalid."""
    known = content.entries_by_id("images")
    objects: dict[int, list[RawObject]] = defaultdict(list)
    for annotation_id, entry in content.entries_by_id("annotations").items():
        try:
            item = _read_object(entry, known, labels)
        except _EntryError as error:
            message = content.error(f"annotation {quote(annotation_id)} {error}", "correct or remove it")
            content.report(error.kind, str(message))
        else:
            objects[entry["image_id"]].append(item)
    return objects


class _EntryError(Exception):
    """An annotation that cannot be used."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _read_object(entry: dict[str, Any], known: dict[int, dict[str, Any]], labels: dict[int, int]) -> RawObject:
    for key, allowed, kind in (("image_id", known, UNKNOWN_PICTURE), ("category_id", labels, UNKNOWN_CLASS)):
        value = entry.get(key)
        if type(value) is not int or value not in allowed:
            raise _EntryError(kind, f"has the unknown {key} {quote(value)}")
    box = _to_xyxy(entry.get("bbox"))
    if box is None:
        raise _EntryError(BAD_OBJECT, "has no bbox of four numbers")
    return RawObject(box, labels[entry["category_id"]], entry.get("iscrowd") in (1, True))


def _to_xyxy(bbox: object) -> tuple[float, float, float, float] | None:
    """Converts COCO's x, y, width, height to xyxy; None for anything but four numbers."""
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(type(value) in (int, float) for value in bbox):
        return None
    try:
        x, y, width, height = map(float, bbox)
    except OverflowError:  # an integer too large for a float: dropped later, with the other non-finite boxes
        infinity = float("inf")
        return infinity, infinity, infinity, infinity
    return x, y, x + width, y + height


def _read_size(entry: dict[str, Any]) -> tuple[int, int] | None:
    width, height = entry.get("width"), entry.get("height")
    if type(width) is not int or type(height) is not int:
        return None
    return (width, height) if 0 < width < 10**9 and 0 < height < 10**9 else None
