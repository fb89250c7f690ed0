"""Reads Pascal VOC's lists of splits, `ImageSets/Main/train.txt` and the like."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from core.data.annotations import BAD_FILE, ReportProblem
from core.data.files import FolderFiles, is_image_name
from core.data.formats.name_index import NameIndex
from core.data.formats.notes import Notes
from core.data.formats.texts import read_lines
from core.data.reading.split_words import SPLIT_NAME, UNIONS
from core.data.untrusted import MAX_NAME, DataError, quote

FOLDER = "imagesets"
MAX_COLUMNS = 5  # of numbers after a name: VOC's lists of a class have one, others number the classes
_NUMBER = re.compile(r"-?\d{1,9}")


def read_split_lists(files: FolderFiles, paths: Sequence[Path], report: ReportProblem, notes: Notes) -> dict[Path, str]:
    """Returns the splits of annotation files, by the names of the lists that have them.

    Raises:
        DataError: A list has a name twice, or two lists have the same.
    """
    splits: dict[Path, str] = {}
    origin: dict[Path, Path] = {}
    names: dict[Path, _Names] = {}  # by data set
    for path in sorted(_find_lists(files, notes), key=lambda path: not _is_union(path)):  # others replace unions
        base = _find_base(files, path)
        names[base] = names.get(base) or _Names(base, paths)
        for annotation in _read_list(path, names[base], report, notes):
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


class _Names:
    """The annotation files of one data set by their names.

    Args:
        base: The data set's folder, which may be one of several.
        paths: The annotation files.
    """

    def __init__(self, base: Path, paths: Sequence[Path]) -> None:
        inside = [each for each in paths if each.is_relative_to(base)]
        self._paths = {each.relative_to(base).with_suffix("").as_posix(): each for each in inside}
        self._index = NameIndex(self._paths)

    def find(self, line: str) -> list[Path]:
        """Returns the annotation files that a line of a list may mean: those in the fewest folders, if several fit."""
        found = next((found for name in _readings(line) if (found := self._index.find(name))), [])
        folders = min((name.count("/") for name in found), default=0)
        return [self._paths[name] for name in found if name.count("/") == folders]


def _find_base(files: FolderFiles, path: Path) -> Path:
    """Returns the folder of the data set that a list belongs to: the one with `ImageSets`, or all of them."""
    depth = next((number for number, part in enumerate(reversed(path.parts)) if part.lower() == FOLDER), None)
    return files.root if depth is None else path.parents[depth]


def _read_list(path: Path, known: _Names, report: ReportProblem, notes: Notes) -> list[Path]:
    """Returns the annotation files that a list names; reports names that have none."""
    lines = [line for line in read_lines(path) if line]
    found = [known.find(line) for line in lines]
    if f"/{FOLDER}/" not in path.as_posix().lower() and sum(map(bool, found)) * 2 <= len(lines):
        notes.add(f"The list {path.name} was not used, as it is not of these pictures.")
        return []
    result: dict[Path, None] = {}
    for line, annotations in zip(lines, found, strict=True):
        if len(annotations) != 1:
            fit = "has no usable XML file" if not annotations else f"fits {len(annotations)} XML files"
            report(BAD_FILE, f"{path} lists {quote(line)}, which {fit}: add its annotations or remove the line.")
        elif annotations[0] in result:
            raise DataError(f"{path} lists {quote(line)} twice: remove the repeated lines.")
        else:
            result[annotations[0]] = None
    return list(result)


def _readings(line: str) -> Iterator[str]:
    """Yields what a line may name, the likeliest first: names may hold spaces, and dots."""
    if len(line) > MAX_NAME:
        return
    for text in (line, *_shorten(line)):
        yield text
        if is_image_name(text) or text.lower().endswith(".xml"):
            yield text.rsplit(".", 1)[0]


def _shorten(line: str) -> Iterator[str]:
    """Yields a line without the numbers at its end, and the annotation file that stands after a picture."""
    text = line
    for _ in range(MAX_COLUMNS):
        words = text.rsplit(maxsplit=1)
        if len(words) < 2 or not _NUMBER.fullmatch(words[1]):
            break
        text = words[0]
        yield text
    last = line.rsplit(maxsplit=1)[-1]
    if last != line and last.lower().endswith(".xml"):
        yield last
