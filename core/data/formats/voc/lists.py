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
_PRESENCE = re.compile(r"(.*\S)\s+-?[01]")  # the second column of VOC's lists of a class


def read_split_lists(files: FolderFiles, paths: Sequence[Path], report: ReportProblem, notes: Notes) -> dict[Path, str]:
    """Returns the splits of annotation files, by the names of the lists that have them.

    Raises:
        DataError: A list has a name twice, or two lists have the same.
    """
    splits: dict[Path, str] = {}
    origin: dict[Path, Path] = {}
    lists = list(_find_lists(files, notes))
    for path in sorted(lists, key=lambda path: not _is_union(path)):  # the others replace what unions say
        for annotation in _read_list(files, path, paths, report):
            before = origin.get(annotation)
            if before and not _is_union(before):
                raise DataError(f"{before} and {path} both list {quote(annotation.stem)}: remove it from one of them.")
            splits[annotation], origin[annotation] = path.stem, path
    return splits


def _find_lists(files: FolderFiles, notes: Notes) -> Iterator[Path]:
    """Yields the lists of splits: those in `Main` if there is such a folder."""
    found = [PurePosixPath(name) for name in files.others if f"/{FOLDER}/" in f"/{name.lower()}"]
    found = [name for name in found if name.suffix.lower() == ".txt"]
    main = [name for name in found if name.parent.name.lower() == "main"]
    names = {name.stem.lower() for name in main or found}
    for name in main or found:
        if SPLIT_NAME.fullmatch(name.stem):
            yield files.root / name
        elif not any(name.stem.lower().endswith(f"_{split}") for split in names):  # not a list of a class
            notes.add(f"The list {name} was not used, as its name is not that of a split.")


def _is_union(path: Path) -> bool:
    return path.stem.lower().startswith(UNIONS)


def _read_list(files: FolderFiles, path: Path, paths: Sequence[Path], report: ReportProblem) -> list[Path]:
    """Returns the annotation files that a list names; reports names that have none."""
    depth = next(number for number, part in enumerate(reversed(path.parts)) if part.lower() == FOLDER)
    base = path.parents[depth]  # the data set's folder, which may be one of several
    inside = {each.relative_to(base).with_suffix("").as_posix(): each for each in paths if each.is_relative_to(base)}
    index = NameIndex(inside)
    result: dict[Path, None] = {}
    for line in filter(None, read_lines(path)):
        found = next((found for name in _readings(line) if (found := index.find(name))), [])
        if len(found) != 1:
            fit = "has no usable XML file" if not found else f"fits {len(found)} XML files"
            report(BAD_FILE, f"{path} lists {quote(line)}, which {fit}: add its annotations or remove the line.")
            continue
        annotation = inside[found[0]]
        if annotation in result:
            raise DataError(f"{path} lists {quote(line)} twice: remove the repeated lines.")
        result[annotation] = None
    return list(result)


def _readings(line: str) -> Iterator[str]:
    """Yields what a line may name, the likeliest first: names may hold spaces, and dots."""
    for text in (line, *_PRESENCE.findall(line)):
        yield text
        if is_image_name(text):
            yield text.rsplit(".", 1)[0]
