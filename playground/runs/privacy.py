"""Runs on the pictures of an album: who may see them, and who may change them.

Whatever a run keeps, such as its film, its weights and the names of its classes, is as private as the album that it was
trained on, or that its initial weights were trained on.
"""

import os
from functools import lru_cache
from pathlib import Path

from core.io.paths import is_path
from core.io.records import is_missing, read_object
from core.reader import is_uploaded
from core.runs.folder import RunError, RunFolder
from playground.albums.service import ALBUMS
from playground.runs.reader import file_stamp, find_fault, read_about
from playground.support.visitors import VISITORS

PRIVATE = "a private run"  # in place of everything else about it


def may_see(folder: RunFolder, visitor: str) -> bool:
    """True if a visitor may look at a run and use its weights; False if it cannot be read, so that nobody can tell."""
    lineage = find_lineage(folder)
    return not any(map(find_fault, lineage)) and all(ALBUMS.may_see(each, visitor) for each in _albums_of(lineage))


def may_see_file(path: str | Path, visitor: str) -> bool:
    """True if a visitor may use a file, such as weights; False if it belongs to a run that the visitor may not see."""
    return all(may_see(folder, visitor) for folder in _find_holders(Path(path)))


def require_visible(folder: RunFolder, visitor: str) -> None:
    """Raises `RunError` if a visitor may not see a run, or if it cannot be read."""
    if fault := describe_fault(folder):
        raise RunError(fault)
    if not may_see(folder, visitor):
        raise RunError("This run was trained on private pictures: only the browser that made them can share them.")


def may_change(folder: RunFolder, visitor: str) -> bool:
    """True if a visitor may stop, change or delete a run; one on an album belongs to somebody in any case."""
    if describe_fault(folder):
        return not VISITORS.apart  # nobody can tell whose it is, so that it can be deleted where everything can
    albums = find_albums(folder)
    if not may_see(folder, visitor):
        return False
    if visitor and any(ALBUMS.owner_of(each) == visitor for each in albums):
        return True
    return VISITORS.may_change(read_about(folder).owner, visitor, always=bool(albums))


def require_changeable(folder: RunFolder, visitor: str, thing: str) -> None:
    """Refuses a change by a visitor who may not make it.

    Args:
        folder: The run.
        visitor: Who wants to change it.
        thing: Its name, with which the message begins.

    Raises:
        RunError: The visitor may not even see it.
        NotYoursError: It belongs to another visitor.
    """
    if not may_change(folder, visitor):
        require_visible(folder, visitor)
        VISITORS.require(read_about(folder).owner, visitor, thing, always=True)


def find_albums(folder: RunFolder) -> frozenset[Path]:
    """Returns the folders inside albums that a run was trained on, or that its initial weights were trained on."""
    return _albums_of(find_lineage(folder))


def describe_fault(folder: RunFolder) -> str:
    """Returns why a run cannot be read, as a sentence for people; "" if it can."""
    faults = ((run, fault) for run in find_lineage(folder) if (fault := find_fault(run)))
    run, fault = next(faults, (folder, ""))
    return f"The run {run.path.name} cannot be read, because its file {fault} is damaged: delete it." if fault else ""


def _albums_of(lineage: list[RunFolder]) -> frozenset[Path]:
    sources = (Path(read_about(run).source) for run in lineage)
    return frozenset(source for source in sources if ALBUMS.contains(source))


def find_lineage(folder: RunFolder) -> list[RunFolder]:
    """Returns a run, the run that its initial weights come from, and so on."""
    found, waiting = {folder.path: folder}, [folder]
    while waiting:
        run = waiting.pop()
        before = find_runs(Path(_read_weights(run.path, file_stamp(run.config))))
        waiting += [each for each in before if each.path not in found]
        found |= {each.path: each for each in before}
    return list(found.values())


def find_runs(path: Path) -> list[RunFolder]:
    """Returns the runs that have made a file, such as weights; none of what was uploaded, or is not a file."""
    place = Path(os.path.realpath(path)) if is_path(str(path)) else path
    return [run for run in _find_holders(path) if not is_uploaded(place.relative_to(run.path))]


def _find_holders(path: Path) -> list[RunFolder]:
    """Returns the runs whose folders hold a file; none for weights that are not a file."""
    if len(path.parts) < 2 or not is_path(str(path)):
        return []
    folders = map(RunFolder, Path(os.path.realpath(path)).parents)  # realpath allows loops of links
    return [folder for folder in folders if not is_missing(folder.about)]


@lru_cache(maxsize=1024)
def _read_weights(path: Path, stamp: tuple[int, ...]) -> str:
    """Returns the name of the initial weights of a run, "" if they cannot be read."""
    try:
        return str((read_object(RunFolder(path).config) or {})["model"]["weights"])
    except (KeyError, TypeError):
        return ""
