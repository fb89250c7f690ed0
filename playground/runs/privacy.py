"""Runs on the pictures of an album: who may see them, and who may change them.

Whatever a run keeps, such as its film, its weights and the names of its classes, is as private as the album that it was
trained on, or that its initial weights were trained on.
"""

import json
from functools import lru_cache
from pathlib import Path

from core.runs.folder import RunError, RunFolder
from playground.albums.service import ALBUMS
from playground.runs.reader import file_stamp, read_about
from playground.support.visitors import VISITORS

PRIVATE = "a private run"  # in place of everything else about it


def may_see(folder: RunFolder, visitor: str) -> bool:
    """True if a visitor may look at a run and use its weights."""
    return all(ALBUMS.may_see(each, visitor) for each in find_albums(folder))


def may_see_file(path: str | Path, visitor: str) -> bool:
    """True if a visitor may use a file, such as weights; False if it belongs to a run that the visitor may not see."""
    return all(may_see(folder, visitor) for folder in find_runs(Path(path)))


def require_visible(folder: RunFolder, visitor: str) -> None:
    """Raises `RunError` if a visitor may not see a run."""
    if not may_see(folder, visitor):
        raise RunError("This run was trained on private pictures: only the browser that made them can share them.")


def may_change(folder: RunFolder, visitor: str) -> bool:
    """True if a visitor may stop, change or delete a run; one on an album belongs to somebody in any case."""
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
    require_visible(folder, visitor)
    if not may_change(folder, visitor):
        VISITORS.require(read_about(folder).owner, visitor, thing, always=True)


def find_albums(folder: RunFolder) -> frozenset[Path]:
    """Returns the folders inside albums that a run was trained on, or that its initial weights were trained on."""
    sources = (Path(read_about(run).source) for run in find_lineage(folder))
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
    """Returns the runs whose folders hold a file; none for weights that are not a file."""
    if len(path.parts) < 2 or not str(path).isprintable():
        return []
    try:
        return [run for each in path.resolve().parents if (run := RunFolder(each)).about.is_file()]
    except (OSError, RuntimeError):  # a name that no file system allows, or a loop of links: there is no such file
        return []


@lru_cache(maxsize=1024)
def _read_weights(path: Path, stamp: tuple[int, ...]) -> str:
    """Returns the name of the initial weights of a run, "" if they cannot be read."""
    try:
        return str(json.loads(RunFolder(path).config.read_text("utf-8"))["model"]["weights"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
