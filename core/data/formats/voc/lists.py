"""Reads Pascal VOC's lists of splits, `ImageSets/Main/train.txt` and the like."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from core.data.annotations import BAD_FILE, ReportProblem
from core.data.files import FolderFiles, is_image_name
from core.data.formats.name_index import NameIndex
from core.data.formats.notes import Notes
from core.data.formats.texts import SPLIT_NAME, read_lines
from core.data.untrusted import DataError, quote

FOLDER = "imagesets"
# Lists of the union of others, which give way to these.
UNIONS = ("trainval", "default")
_COLUMNS = re.compile(r"(.*?\S)(\s+-?\d+)+")  # of VOC's lists of a class, and of others that number the classes
_PAIR = re.compile(r".*\s(\S+)\.xml", re.IGNORECASE)  # a picture and its annotation file


def read_split_lists(files: FolderFiles, paths: Sequence[Path], report: ReportProblem, notes: Notes) -> dict[Path, str]:
    """Returns the splits of annotation files, by the names of the lists that have them.

    Raises:
        DataError: A list has a name twice, or two lists have the same.
    """
    splits: dict[Path, str] = {}
    origin: dict[Path, Path] = {}
    for path in sorted(_find_lists(files, notes), key=lambda path: not _is_union(path)):  # others replace unions
        for annotation in _read_list(files, path, paths, report, notes):
            before = origin.get(annotation)
            if before and not _is_union(before):
                raise DataError(f"{before} and {path} both list {quote(annotation.stem)}: remove it from one of them.")
            splits[annotation], origin[annotation] = path.stem, path
    return splits


def _find_lists(files: FolderFiles, notes: Notes) -> list[Path]:
    """Returns the lists of splits: those in `ImageSets/Main`, or else in `ImageSets`, or else anywhere."""
    texts = [PurePosixPath(name) for name in files.others if name.lower().endswith(".txt")]
    inside = [name for name in texts if f"/{FOLDER}/" in f"/{name.as_posix().lower()}"]
    inside = [name for name in inside if name.parent.name.lower() == "main"] or inside
    lists = [name for name in inside or texts if SPLIT_NAME.fullmatch(name.stem)]
    splits = tuple(f"_{name.stem.lower()}" for name in lists)
    for name in inside:
        if name not in lists and not name.stem.lower().endswith(splits):  # not a list of a class
            notes.add(f"The list {name} was not used, as its name is not that of a split.")
    return [files.root / name for name in lists]


def _is_union(path: Path) -> bool:
    return path.stem.lower().startswith(UNIONS)


def _read_list(
    files: FolderFiles, path: Path, paths: Sequence[Path], report: ReportProblem, notes: Notes
) -> list[Path]:
    """Returns the annotation files that a list names; reports names that have none."""
    depth = next((number for number, part in enumerate(reversed(path.parts)) if part.lower() == FOLDER), None)
    base = files.root if depth is None else path.parents[depth]  # the data set's folder, which may be one of several
    inside = {each.relative_to(base).with_suffix("").as_posix(): each for each in paths if each.is_relative_to(base)}
    index = NameIndex(inside)
    lines = [line for line in read_lines(path) if line]
    found = [next((found for name in _readings(line) if (found := index.find(name))), []) for line in lines]
    if depth is None and sum(map(bool, found)) * 2 <= len(lines):
        notes.add(f"The list {path.relative_to(files.root).as_posix()} was not used, as it is not of these pictures.")
        return []
    result: dict[Path, None] = {}
    for line, names in zip(lines, found, strict=True):
        if len(names) != 1:
            fit = "has no usable XML file" if not names else f"fits {len(names)} XML files"
            report(BAD_FILE, f"{path} lists {quote(line)}, which {fit}: add its annotations or remove the line.")
        elif inside[names[0]] in result:
            raise DataError(f"{path} lists {quote(line)} twice: remove the repeated lines.")
        else:
            result[inside[names[0]]] = None
    return list(result)


def _readings(line: str) -> Iterator[str]:
    """Yields what a line may name, the likeliest first: names may hold spaces, and dots."""
    shorter = [match[1] for pattern in (_COLUMNS, _PAIR) if (match := pattern.fullmatch(line))]
    for text in (line, *shorter):
        yield text
        if is_image_name(text) or text.lower().endswith(".xml"):
            yield text.rsplit(".", 1)[0]
