"""Data sets in YOLO format: a text file a picture, a line an object, boxes as shares of the picture's sides."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from core.data.dataset import (
    BAD_PATH,
    LOST_LABELS,
    SPLITS,
    FolderData,
    Problem,
    RawData,
    RawPicture,
    refuse,
    require_split,
)
from core.data.splits import by_name
from core.data.untrusted import PICTURES, DataError, inside, read_bounded, shown
from core.data.yolo_labels import read_labels

MAX_YAML_BYTES = 2**16
MAX_LIST_BYTES = 64 * 2**20
FOLDERS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
CLASS_FILES = ("classes.txt", "labels/classes.txt", "obj.names")


class YoloData(FolderData):
    """A split of a folder in YOLO format, with `data.yaml` (or the only YAML file there) or `classes.txt`.

    Pictures are where the YAML file says, a folder or a list of files; else in `images/<split>/`, `<split>/images/` or
    `images/`, of which a split is made from the names (`core.data.splits.by_name`). Labels lie in the same place with
    `labels` for `images`; a picture without a file of labels has no objects. A line holds the class and centre, width
    and height, or the class and the corners of a polygon, whose box is taken.

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.

    Raises:
        DataError: A file is missing, unreadable or contradicts itself.
    """

    def __init__(self, folder: str | Path, split: str) -> None:
        super().__init__(read_yolo(Path(folder), split))


class _Place(NamedTuple):
    """Where pictures of a split are: a folder, whose labels must all have a picture, or a list of files."""

    path: Path
    names: list[str] | None  # of the pictures in the folder that belong to the split; None for all


def read_yolo(folder: Path, split: str, problem: Problem = refuse) -> RawData:
    """Reads the labels of a split; arguments as `core.data.coco.read_coco`.

    Raises:
        DataError: There is no such split, or no names of classes.
    """
    require_split(split)
    settings = _settings(folder)
    class_names = _class_names(folder, settings)
    places = _places(folder, split, settings)
    if not places:
        raise DataError(
            f"The data set {folder} has no split {split}: put its pictures into images/{split}/ or {split}/images/, or "
            "say in data.yaml where they are."
        )
    paths = [path for place in places for path in _pictures(folder, place, problem)]
    if not paths:
        raise DataError(f"The data set {folder} has no picture in its split {split}: put some into {places[0].path}.")
    pictures = []
    for number, path in enumerate(paths):
        labels = labels_of(path, folder)
        objects = read_labels(labels, len(class_names), problem) if labels.is_file() else []
        pictures.append(RawPicture(path, labels, None, number, objects, relative=True))
    return RawData(class_names, tuple(range(1, len(class_names) + 1)), pictures)


def yolo_splits(folder: Path) -> tuple[str, ...]:
    """Returns the splits of which a folder holds pictures in YOLO format; none if it is in another format.

    Raises:
        DataError: Its YAML file cannot be used.
    """
    classes = any((folder / name).is_file() for name in CLASS_FILES)
    if not _yaml_file(folder) and not (classes and (folder / "images").is_dir()):
        return ()
    settings = _settings(folder)
    return tuple(split for split in SPLITS if _places(folder, split, settings))


def labels_of(picture: Path, folder: Path) -> Path:
    """Returns where a picture's labels are: beside it, with the last folder `images` of its path called `labels`."""
    parts = list(picture.relative_to(folder).with_suffix(".txt").parts)
    for place in reversed(range(len(parts) - 1)):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return folder.joinpath(*parts)


def _yaml_file(folder: Path) -> Path | None:
    if (folder / "data.yaml").is_file():
        return folder / "data.yaml"
    found = [path for pattern in ("*.yaml", "*.yml") for path in folder.glob(pattern)]
    return found[0] if len(found) == 1 else None


def _settings(folder: Path) -> dict[str, Any]:
    """Reads the YAML file as nested text, which makes nothing but strings, lists and dictionaries; {} without one.

    In Python, since libyaml crashes on deep nesting.
    """
    path = _yaml_file(folder)
    if not path:
        return {}
    content = read_bounded(path, MAX_YAML_BYTES)
    try:
        values = yaml.load(content, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path} cannot be used because it is not YAML ({reason}): correct it.") from None
    if not isinstance(values, dict):
        raise DataError(f"{path} cannot be used because it has no keys such as train and names: correct it.")
    return values


def _class_names(folder: Path, settings: dict[str, Any]) -> tuple[str, ...]:
    """Returns the names of label 0 … K−1.

    Raises:
        DataError: There are none, or they are no names.
    """
    lists = [folder / name for name in CLASS_FILES if (folder / name).is_file()]
    names, source = settings.get("names"), _yaml_file(folder)
    if names is None and lists:
        source = lists[0]
        lines = read_bounded(source, MAX_YAML_BYTES).decode("utf-8", errors="replace").splitlines()
        names = [line.strip() for line in lines if line.strip()]
    if isinstance(names, dict):  # 0: cat, 1: dog
        keys = [str(number) for number in range(len(names))]
        names = [names[key] for key in keys] if set(keys) == set(names) else None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise DataError(f"{source} needs the names of the classes, counted from 0 without a gap: correct 'names'.")
    if len(set(names)) < len(names):
        raise DataError(f"{source} gives two classes the same name: tell them apart in 'names'.")
    return tuple(names)


def _places(folder: Path, split: str, settings: dict[str, Any]) -> list[_Place]:
    """Returns where a split's pictures are; nowhere if the folder has no such split."""
    given = settings.get(split)
    if given:
        parts = given if isinstance(given, list) else [given]
        return [_Place(_found(folder, split, part, settings.get("path")), None) for part in parts]
    if any(settings.get(each) for each in SPLITS):  # the YAML file has others
        return []
    usual = {
        each: [path for name in FOLDERS[each] for path in (folder / "images" / name, folder / name / "images")]
        for each in SPLITS
    }
    if any(path.is_dir() for paths in usual.values() for path in paths):
        return [_Place(path, None) for path in usual[split] if path.is_dir()]
    flat = folder / "images"
    names = by_name(path.name for path in _files(flat))[split] if flat.is_dir() else []
    return [_Place(flat, names)] if names else []


def _found(folder: Path, split: str, part: Any, base: Any) -> Path:
    """Returns the folder or list that a YAML file names, inside the data set.

    Exports often give a path of the machine they were made on as `path`, or `../train/images` for a folder beside the
    file; so what is named is looked for below `path`, below the folder, and there without leading `../`.
    """
    source, root = _yaml_file(folder), folder.resolve()
    if isinstance(part, str):
        below = base if isinstance(base, str) else ""
        for name in (f"{below}/{part}" if below else part, part, part.removeprefix("./").replace("../", "")):
            try:
                path = inside(folder, name, root=root, source=source)
            except DataError:
                continue
            if path.is_dir() or (path.suffix == ".txt" and path.is_file()):
                return path
    raise DataError(
        f"{source} says that {split} is at {shown(part)}, which is no folder or list of pictures inside {folder}: "
        "give the path from the folder, as in images/train."
    )


def _pictures(folder: Path, place: _Place, problem: Problem) -> list[Path]:
    if not place.path.is_dir():
        return list(_listed(folder, place.path, problem))
    files = _files(place.path)
    _find_lost(folder, place, files, problem)
    names = None if place.names is None else set(place.names)
    return [path for path in files if (names is None or path.name in names) and _stays(path, folder, problem)]


def _stays(path: Path, folder: Path, problem: Problem) -> bool:
    """Tells whether a picture and its labels are inside the data set, links followed."""
    try:
        for each in (path, labels_of(path, folder)):
            inside(folder, str(each.relative_to(folder)), root=folder.resolve(), source=path.parent)
    except DataError as error:
        problem(BAD_PATH, str(error))
        return False
    return True


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)


def _listed(folder: Path, path: Path, problem: Problem) -> Iterable[Path]:
    """Yields the pictures of a list of files, whose paths start from the list's folder or from the data set's."""
    root, seen = folder.resolve(), set()
    for line in read_bounded(path, MAX_LIST_BYTES).decode("utf-8", errors="replace").splitlines():
        name = line.strip()
        if not name:
            continue
        try:
            near, far = (inside(start, name, root=root, source=path) for start in (path.parent, folder))
        except DataError as error:
            problem(BAD_PATH, str(error))
            continue
        picture = near if near.is_file() else far
        if picture in seen:
            problem(BAD_PATH, f"{path} lists {shown(name)} twice: remove the repeated lines.")
            continue
        seen.add(picture)
        yield picture


def _find_lost(folder: Path, place: _Place, files: list[Path], problem: Problem) -> None:
    """Complains of files of labels that have no picture."""
    labels = labels_of(place.path / "x", folder).parent
    if labels == place.path or not labels.is_dir():
        return
    known = {labels_of(path, folder) for path in files}
    for path in sorted(labels.rglob("*.txt")):
        if path not in known and path.name != "classes.txt":
            problem(LOST_LABELS, f"{path} has no picture in {place.path}: put it there or remove the labels.")
