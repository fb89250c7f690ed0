"""Says how a data set was read: "Pascal VOC, 200 XML files in annotations/, pictures in images/; …"."""

import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import MappingProxyType

from core.data.annotations import Format
from core.data.files import FolderFiles
from core.data.reading.assignment import ANNOTATIONS, LISTS, MADE, NAMES, Assignment
from core.data.reading.pictures import get_relative
from core.data.splits import SPLITS_FILE
from core.io.text import count_noun

MAX_FOLDERS = 3  # to name
_ORIGINS = MappingProxyType(
    {
        LISTS: f"splits from {SPLITS_FILE}",
        ANNOTATIONS: "splits given by the annotations",
        NAMES: "splits by file and folder names",
    }
)


def describe_reading(
    files: FolderFiles,
    format: Format,
    paths: Sequence[Path],
    pictures: Sequence[str],
    assignment: Assignment,
    notes: Sequence[str],
) -> str:
    """Returns how a data set was read, as sentences for people.

    Args:
        files: The data set's files.
        format: Its format.
        paths: The annotation files.
        pictures: The paths of the pictures relative to the root.
        assignment: Their splits.
        notes: What the reader assumed, one sentence each.
    """
    sources = [get_relative(files.root, path) for path in paths]
    if unused := len(files.images) - len(set(pictures)):
        notes = (*notes, f"Pictures without annotations, which are not used: {unused:,}.")
    if files.linked_folders:
        notes = (*notes, f"Links to other folders were not followed: {', '.join(files.linked_folders[:MAX_FOLDERS])}.")
    parts = [format.name, _describe_files(sources, format.unit)]
    if not pictures:
        return " ".join((f"{', '.join(parts)}; none of their pictures were found.", *notes))
    parts.append(_describe_pictures(sources, pictures))
    return " ".join((f"{', '.join(parts)}; {_describe_splits(assignment)}.", *notes))


def _describe_files(sources: Sequence[str], unit: str) -> str:
    if len(sources) == 1:
        return sources[0]
    where = _name_folders(sources)
    return f"{count_noun(len(sources), unit.removesuffix('s'), unit)}{f' in {where}' if where else ''}"


def _describe_pictures(sources: Sequence[str], pictures: Sequence[str]) -> str:
    where = _name_folders(pictures)
    if {posixpath.dirname(each) for each in sources} >= {posixpath.dirname(each) for each in pictures}:
        return "pictures beside " + ("it" if len(sources) == 1 else "them")
    return f"pictures in {where or 'the folder itself'}"


def _name_folders(paths: Iterable[str]) -> str:
    """Returns the folders of files, or the one that holds them all if they are many; "" for the root."""
    folders = sorted({posixpath.dirname(path) for path in paths})
    if len(folders) > MAX_FOLDERS:
        common = posixpath.commonpath(folders)
        return f"{len(folders)} folders" + (f" in {common}/" if common else "")
    if folders == [""]:
        return ""
    return " and ".join(f"{folder}/" if folder else "the folder itself" for folder in folders)


def _describe_splits(assignment: Assignment) -> str:
    counts = " / ".join(f"{len(numbers):,}" for numbers in assignment.splits.values())
    if assignment.origins == (MADE,):
        return f"{assignment.divided}: {counts} made by name"
    how = " and ".join(_ORIGINS[origin] for origin in assignment.origins)
    made = f", {assignment.divided}" if assignment.divided else ""
    lost = ""
    if count := len(assignment.unlisted):
        lost = f"; {count_noun(count, 'picture')} in no split {'is' if count == 1 else 'are'} not used"
    return f"{how}{made}: {counts}{lost}"
