"""Data sets in COCO format: one JSON file a split, with pictures, objects and categories."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from core.data.dataset import (
    BAD_OBJECT,
    BAD_PATH,
    SPLITS,
    UNKNOWN_CLASS,
    UNKNOWN_PICTURE,
    FolderData,
    Problem,
    RawData,
    RawObject,
    RawPicture,
    refuse,
    require_split,
)
from core.data.untrusted import DataError, inside, read_bounded, shown

MAX_JSON_BYTES = 512 * 2**20  # COCO's own instances_train2017.json has 448 MB


class CocoFiles(NamedTuple):
    """Where a split lies: its annotations, and the folder its file names start from."""

    annotations: Path
    images: Path


class CocoData(FolderData):
    """A split of a folder in COCO format.

    Looked for are `<split>.json` beside `images/`, or `annotations/instances_<name>.json` whose name begins with the
    split (train2017), with the pictures in `<name>/`, `images/<name>/` or `images/`.

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.

    Raises:
        DataError: A file is missing, unreadable or contradicts itself.
    """

    def __init__(self, folder: str | Path, split: str) -> None:
        super().__init__(read_coco(Path(folder), split))


def read_coco(folder: Path, split: str, problem: Problem = refuse) -> RawData:
    """Reads the annotations of a split.

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.
        problem: Is called for each entry that has to be left out.

    Raises:
        DataError: The file is missing, unreadable or no COCO file.
    """
    require_split(split)
    files = find_coco(folder, split)
    content = _Content(files.annotations, problem)
    categories = sorted(content.by_id("categories").items())
    category_ids = tuple(identity for identity, _ in categories)
    class_names = _class_names(categories, files.annotations)
    objects = _objects(content, {identity: label for label, identity in enumerate(category_ids)})
    root = folder.resolve()
    pictures = []
    for identity, image in content.by_id("images").items():
        name = image.get("file_name")
        if not isinstance(name, str):
            problem(BAD_PATH, str(content.error(f"image {shown(identity)} has no file_name", "add it")))
            continue
        try:
            path = inside(files.images, name, root=root, source=files.annotations)
        except DataError as error:
            problem(BAD_PATH, str(error))
            continue
        pictures.append(RawPicture(path, files.annotations, _size(image), identity, objects[identity]))
    if not pictures:
        raise content.error("it lists no pictures", f"choose another split than {split} or add some")
    return RawData(class_names, category_ids, pictures)


def coco_splits(folder: Path) -> tuple[str, ...]:
    """Returns the splits of which a folder holds COCO annotations."""
    return tuple(split for split in SPLITS if _annotation_files(folder, split))


def find_coco(folder: Path, split: str) -> CocoFiles:
    """Finds a split's files.

    Raises:
        DataError: There are none, or two that could be meant.
    """
    found = _annotation_files(folder, split)
    if not found:
        raise DataError(
            f"The data set {folder} has no split {split}: neither {split}.json nor "
            f"annotations/instances_{split}*.json is there; add one of them."
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
    raise DataError(f"The pictures of {found[0]} are not there: put them into {usual[0]}.")


def _annotation_files(folder: Path, split: str) -> list[Path]:
    plain = folder / f"{split}.json"
    return [plain] if plain.is_file() else sorted((folder / "annotations").glob(f"instances_{split}*.json"))


class _Content:
    """The parts of an annotation file, checked for what everything else relies on."""

    def __init__(self, path: Path, problem: Problem) -> None:
        self.path = path
        self.problem = problem
        try:
            self.values = json.loads(read_bounded(path, MAX_JSON_BYTES))
        except (ValueError, RecursionError) as error:
            raise self.error(f"it is not JSON ({error})", "export it again") from None
        if not isinstance(self.values, dict):
            raise self.error("it is not a JSON object", "export it again in COCO format")

    def error(self, what: str, remedy: str) -> DataError:
        """Returns the error that says what is wrong in this file and what to do."""
        return DataError(f"{self.path} cannot be used because {what}: {remedy}.")

    def entries(self, part: str) -> list[dict[str, Any]]:
        """Returns a list of objects; raises `DataError` if it is anything else."""
        entries = self.values.get(part)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self.error(f"it has no list {part!r} of objects", "export it again in COCO format")
        return entries

    def by_id(self, part: str) -> dict[int, dict[str, Any]]:
        """Returns the entries by id; raises `DataError` for an id that is missing or used twice."""
        entries = self.entries(part)
        for entry in entries:
            if type(entry.get("id")) is not int:  # not isinstance: true is an int, too
                raise self.error(
                    f"the id {shown(entry.get('id'))} in {part!r} is not a whole number", "number the entries"
                )
        result = {entry["id"]: entry for entry in entries}
        if len(result) < len(entries):
            twice = Counter(entry["id"] for entry in entries).most_common(1)[0][0]
            raise self.error(f"the id {shown(twice)} is used twice in {part!r}", "number the entries differently")
        return result


def _class_names(categories: list[tuple[int, dict[str, Any]]], path: Path) -> tuple[str, ...]:
    names = [category.get("name") for _, category in categories]
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise DataError(f"{path} needs categories that each have a name of their own: correct 'categories'.")
    return tuple(names)


def _objects(content: _Content, labels: dict[int, int]) -> dict[int, list[RawObject]]:
    """Returns the objects by picture, those of unknown pictures and categories left out."""
    known = content.by_id("images")
    objects: dict[int, list[RawObject]] = defaultdict(list)
    for identity, entry in content.by_id("annotations").items():
        wrong = _wrong(entry, known, labels)
        if wrong:
            kind, what = wrong
            content.problem(kind, str(content.error(f"annotation {shown(identity)} {what}", "correct or remove it")))
            continue
        label, crowd = labels[entry["category_id"]], entry.get("iscrowd") in (1, True)
        objects[entry["image_id"]].append(RawObject(_xyxy(entry["bbox"]), label, crowd))
    return objects


def _wrong(entry: dict[str, Any], known: dict[int, Any], labels: dict[int, int]) -> tuple[str, str] | None:
    """Returns what an annotation lacks, as kind and words; None if it can be used."""
    for key, allowed, kind in (("image_id", known, UNKNOWN_PICTURE), ("category_id", labels, UNKNOWN_CLASS)):
        value = entry.get(key)
        if type(value) is not int or value not in allowed:
            return kind, f"has the unknown {key} {shown(value)}"
    if _xyxy(entry.get("bbox")) is None:
        return BAD_OBJECT, "has no bbox of four numbers"
    return None


def _xyxy(bbox: Any) -> tuple[float, float, float, float] | None:
    """Turns COCO's x, y, width, height into corners; None for anything but four numbers."""
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(type(value) in (int, float) for value in bbox):
        return None
    try:
        x, y, width, height = map(float, bbox)
    except OverflowError:  # a whole number beyond floats: dropped with the other boxes that are not finite
        return (float("inf"),) * 4
    return x, y, x + width, y + height


def _size(image: dict[str, Any]) -> tuple[int, int] | None:
    size = (image.get("width"), image.get("height"))
    return size if all(type(side) is int and 0 < side < 10**9 for side in size) else None
