"""Reads data sets in YOLO format: one text file per image, one object per line, boxes relative to the image's sides."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from core.data.annotations import BAD_PATH, ORPHAN_LABELS, ReportProblem, raise_problem
from core.data.dataset import SPLITS, FolderData, RawData, RawImage, require_split
from core.data.splits import split_by_name
from core.data.untrusted import IMAGE_SUFFIXES, DataError, join_inside, quote, read_bounded
from core.data.yolo_labels import read_labels
from core.io.text import is_text

MAX_YAML_BYTES = 2**16
MAX_LIST_BYTES = 64 * 2**20
FOLDERS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
CLASS_FILES = ("classes.txt", "labels/classes.txt", "obj.names")


class YoloData(FolderData):
    """A split of a folder in YOLO format, with `data.yaml` (or a single other YAML file) or `classes.txt`.

    Images are where the YAML file says, in a folder or a list of files; otherwise in `images/<split>/`,
    `<split>/images/`, or `images/`, which is split by file name (`core.data.splits.split_by_name`). Labels are in the
    same location with `labels` in place of `images`; an image without a label file has no objects. A line holds the
    class and a box (centre, width and height), or the class and the corners of a polygon, which becomes its bounding
    box.

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.

    Raises:
        DataError: A file is missing, unreadable or inconsistent.
    """

    def __init__(self, folder: str | Path, split: str) -> None:
        super().__init__(read_yolo(Path(folder), split))


class _ImageSource(NamedTuple):
    """The images of a split: a folder, in which every label file must have an image, or a list of files."""

    path: Path
    names: list[str] | None  # the images in the folder that belong to the split; None for all


def read_yolo(folder: Path, split: str, report: ReportProblem = raise_problem) -> RawData:
    """Reads the labels of a split; the arguments are those of `core.data.coco.read_coco`.

    Raises:
        DataError: The split does not exist, or there are no class names.
    """
    require_split(split)
    settings = _read_settings(folder)
    class_names = _read_class_names(folder, settings)
    sources = _find_sources(folder, split, settings)
    if not sources:
        raise DataError(
            f"The data set {folder} has no split {split}: put its pictures into images/{split}/ or {split}/images/, or "
            "name their folder in data.yaml."
        )
    paths = [path for source in sources for path in _list_images(folder, source, report)]
    if not paths:
        raise DataError(f"The data set {folder} has no picture in its split {split}: put some into {sources[0].path}.")
    images = []
    for number, path in enumerate(paths):
        labels = get_label_path(path, folder)
        objects = read_labels(labels, len(class_names), report) if labels.is_file() else []
        images.append(RawImage(path, labels, None, number, objects, relative=True))
    return RawData(class_names, tuple(range(1, len(class_names) + 1)), images)


def find_yolo_splits(folder: Path) -> tuple[str, ...]:
    """Returns the splits for which a folder has images in YOLO format; none if it is in another format.

    Raises:
        DataError: Its YAML file cannot be used.
    """
    classes = any((folder / name).is_file() for name in CLASS_FILES)
    if not _find_yaml_file(folder) and not (classes and (folder / "images").is_dir()):
        return ()
    settings = _read_settings(folder)
    return tuple(split for split in SPLITS if _find_sources(folder, split, settings))


def get_label_path(image: Path, folder: Path) -> Path:
    """Returns the path of an image's label file: the last `images` in its path becomes `labels`, the suffix `.txt`."""
    parts = list(image.relative_to(folder).with_suffix(".txt").parts)
    for number in reversed(range(len(parts) - 1)):
        if parts[number] == "images":
            parts[number] = "labels"
            break
    return folder.joinpath(*parts)


def _find_yaml_file(folder: Path) -> Path | None:
    if (folder / "data.yaml").is_file():
        return folder / "data.yaml"
    found = [path for pattern in ("*.yaml", "*.yml") for path in folder.glob(pattern)]
    return found[0] if len(found) == 1 else None


def _read_settings(folder: Path) -> dict[str, Any]:
    """Reads the YAML file as nested strings, lists and dictionaries; {} if there is none.

    Uses the pure Python loader, because libyaml crashes on deep nesting.
    """
    path = _find_yaml_file(folder)
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


def _read_class_names(folder: Path, settings: dict[str, Any]) -> tuple[str, ...]:
    """Returns the class names of labels 0 … K−1.

    Raises:
        DataError: There are none, or they are not distinct text.
    """
    lists = [folder / name for name in CLASS_FILES if (folder / name).is_file()]
    names, source = settings.get("names"), _find_yaml_file(folder)
    if names is None and lists:
        source = lists[0]
        lines = read_bounded(source, MAX_YAML_BYTES).decode("utf-8", errors="replace").splitlines()
        names = [line.strip() for line in lines if line.strip()]
    if isinstance(names, dict):  # 0: cat, 1: dog
        keys = [str(number) for number in range(len(names))]
        names = [names[key] for key in keys] if set(keys) == set(names) else None
    if not isinstance(names, list) or not names or not all(is_text(name) and name for name in names):
        raise DataError(f"{source} needs the class names, numbered from 0 without a gap: correct 'names'.")
    if len(set(names)) < len(names):
        raise DataError(f"{source} gives two classes the same name: use distinct names in 'names'.")
    return tuple(names)


def _find_sources(folder: Path, split: str, settings: dict[str, Any]) -> list[_ImageSource]:
    """Returns where the images of a split are; an empty list if the folder has no such split."""
    given = settings.get(split)
    if given:
        names = given if isinstance(given, list) else [given]
        return [_ImageSource(_resolve_source(folder, split, name, settings.get("path")), None) for name in names]
    if any(settings.get(each) for each in SPLITS):  # the YAML file names other splits only
        return []
    usual = {
        each: [path for name in FOLDERS[each] for path in (folder / "images" / name, folder / name / "images")]
        for each in SPLITS
    }
    if any(path.is_dir() for paths in usual.values() for path in paths):
        return [_ImageSource(path, None) for path in usual[split] if path.is_dir()]
    flat = folder / "images"
    names = split_by_name(path.name for path in _find_image_files(flat))[split] if flat.is_dir() else []
    return [_ImageSource(flat, names)] if names else []


def _resolve_source(folder: Path, split: str, name: object, base: object) -> Path:
    """Returns the folder or list that a YAML file names, inside the data set.

    Exports often set `path` to a folder of the machine that wrote them, or name `../train/images` for a folder beside
    the YAML file. The name is therefore tried relative to `path`, relative to the folder, and relative to the folder
    without leading `../`.

    Raises:
        DataError: None of them exists inside the data set.
    """
    root = folder.resolve()
    if isinstance(name, str):
        prefix = base if isinstance(base, str) else ""
        for candidate in (f"{prefix}/{name}" if prefix else name, name, name.removeprefix("./").replace("../", "")):
            try:
                path = join_inside(folder, candidate, root=root, source=folder)
            except DataError:
                continue
            if path.is_dir() or (path.suffix == ".txt" and path.is_file()):
                return path
    raise DataError(
        f"{_find_yaml_file(folder)} says that {split} is at {quote(name)}, which is not a folder or list of pictures "
        f"inside {folder}: give a path relative to the data set, such as images/train."
    )


def _list_images(folder: Path, source: _ImageSource, report: ReportProblem) -> list[Path]:
    if not source.path.is_dir():
        return list(_read_list(folder, source.path, report))
    files = _find_image_files(source.path)
    _report_orphan_labels(folder, source.path, files, report)
    names = None if source.names is None else set(source.names)
    return [path for path in files if (names is None or path.name in names) and _is_inside(path, folder, report)]


def _is_inside(path: Path, folder: Path, report: ReportProblem) -> bool:
    """Checks that an image and its labels are inside the data set after following links; reports if not."""
    try:
        for each in (path, get_label_path(path, folder)):
            join_inside(folder, str(each.relative_to(folder)), root=folder.resolve(), source=path.parent)
    except DataError as error:
        report(BAD_PATH, str(error))
        return False
    return True


def _find_image_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def _read_list(folder: Path, path: Path, report: ReportProblem) -> Iterator[Path]:
    """Yields the images of a list of files; its paths are relative to the list's folder or to the data set's."""
    root, seen = folder.resolve(), set()
    for line in read_bounded(path, MAX_LIST_BYTES).decode("utf-8", errors="replace").splitlines():
        name = line.strip()
        if not name:
            continue
        try:
            from_list, from_root = (join_inside(start, name, root=root, source=path) for start in (path.parent, folder))
        except DataError as error:
            report(BAD_PATH, str(error))
            continue
        image = from_list if from_list.is_file() else from_root
        if image in seen:
            report(BAD_PATH, f"{path} lists {quote(name)} twice: remove the repeated lines.")
            continue
        seen.add(image)
        yield image


def _report_orphan_labels(folder: Path, images: Path, files: list[Path], report: ReportProblem) -> None:
    """Reports label files without an image."""
    labels = get_label_path(images / "x", folder).parent
    if labels == images or not labels.is_dir():
        return
    known = {get_label_path(path, folder) for path in files}
    for path in sorted(labels.rglob("*.txt")):
        if path not in known and path.name != "classes.txt":
            report(ORPHAN_LABELS, f"{path} has no picture in {images}: add the picture or remove the labels.")
