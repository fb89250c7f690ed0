"""Reads the folders of runs. Files are read again only as far as they have grown; all visitors share the results."""

from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from core.experiments.comparison import VariantRun
from core.experiments.presets import PRESETS, Variant
from core.io.jsonl import JsonLines
from core.io.paths import hide_folder
from core.io.text import count_noun
from core.runs.about import About
from core.runs.folder import RunFolder
from core.runs.metrics import split_records
from core.runs.snapshots import Snapshot, read_snapshot_image, snapshot_from_record
from playground.albums.album import MINE
from playground.albums.service import ALBUMS
from playground.data.picture import Picture
from playground.runs import labels
from playground.runs.labels import Label
from playground.runs.progress import RunRecords
from playground.support.wording import name_knobs

MAX_FILES = 64  # files in memory
UNREADABLE = "Its records cannot be read."


class Reader:
    """Reads the records and the snapshots of runs."""

    def __init__(self) -> None:
        self._files: OrderedDict[Path, JsonLines] = OrderedDict()  # least recently used first
        self._lock = Lock()

    def read_records(self, folder: RunFolder) -> RunRecords:
        """Returns the records of a run so far."""
        file, records = self._read(folder.metrics)
        steps, evaluations = split_records(records)
        lost = file.lost + len(records) - len(steps) - len(evaluations)
        variant = VariantRun(_find_variant(read_about(folder)), 0, folder)
        return RunRecords(variant, steps, evaluations, _describe_lost(lost) if file.is_readable else UNREADABLE)

    def count_snapshots(self, folder: RunFolder) -> int:
        """Returns the number of snapshots of a run so far."""
        return len(self._read(folder.snapshots)[1])

    def read_snapshot(self, folder: RunFolder, number: int) -> Snapshot | None:
        """Returns a snapshot of a run.

        Args:
            folder: The folder of the run.
            number: From 1; a number beyond the end returns the last snapshot.

        Returns:
            The snapshot, None if there is none yet.
        """
        _, records = self._read(folder.snapshots)
        return snapshot_from_record(records[min(number, len(records)) - 1]) if records else None

    def read_snapshot_before(self, folder: RunFolder, number: int) -> Snapshot | None:
        """Returns the snapshot before the one that `read_snapshot` returns, None if there is none."""
        _, records = self._read(folder.snapshots)
        before = min(number, len(records)) - 2
        return snapshot_from_record(records[before]) if before >= 0 else None

    def _read(self, path: Path) -> tuple[JsonLines, tuple[dict[str, Any], ...]]:
        with self._lock:
            file = self._files.setdefault(path, JsonLines(path))
            self._files.move_to_end(path)
            while len(self._files) > MAX_FILES:
                self._files.popitem(last=False)
            return file, file.read()


def read_about(folder: RunFolder) -> About:
    """Returns the description of a run."""
    return _read_about(folder.path, file_stamp(folder.about))


def find_fault(folder: RunFolder) -> str:
    """Returns the name of the file for which a run cannot be read, see `RunFolder.find_fault`."""
    return _find_fault(folder.path, (file_stamp(folder.about), file_stamp(folder.config)))


def hide_paths(message: str, folder: RunFolder) -> str:
    """Returns a message about a run without paths of the server, and with the names that knobs have on the page."""
    if not message:
        return ""
    return name_knobs(hide_source(hide_folder(message, folder.path, folder.path.name), read_about(folder)))


def hide_source(message: str, about: About) -> str:
    """Returns a message about a run without the path of its data set on the server."""
    name = MINE if ALBUMS.contains(about.source) else Path(about.source).name
    return hide_folder(message, about.source, name)


def read_label(folder: RunFolder) -> Label:
    """Returns the name and tags that visitors gave a run."""
    return _read_label(folder.path, file_stamp(folder.path / labels.FILE))


def read_picture(folder: RunFolder) -> Picture | None:
    """Returns the picture of the snapshots of a run, None if there is none yet."""
    return _read_picture(folder.path, file_stamp(folder.snapshot_image))


def file_stamp(path: Path) -> tuple[int, ...]:
    """Returns numbers that change with a file and with who may read it; zeros if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode


@lru_cache(maxsize=1024)
def _find_fault(path: Path, stamps: tuple[tuple[int, ...], ...]) -> str:
    return RunFolder(path).find_fault()


@lru_cache(maxsize=1024)
def _read_about(path: Path, stamp: tuple[int, ...]) -> About:
    return RunFolder(path).read_about()


@lru_cache(maxsize=1024)
def _read_label(path: Path, stamp: tuple[int, ...]) -> Label:
    return labels.read_label(path)


@lru_cache(maxsize=8)
def _read_picture(path: Path, stamp: tuple[int, ...]) -> Picture | None:
    scene, key = read_snapshot_image(RunFolder(path)), f"{path} {stamp}"
    return scene and Picture("a held-out picture", scene.sample, scene.class_names, key, key)


def _describe_lost(count: int) -> str:
    are = "is" if count == 1 else "are"
    return f"{count_noun(count, 'line')} of its records cannot be read and {are} left out." if count else ""


def _find_variant(about: About) -> Variant:
    variants = PRESETS[about.preset].variants if about.preset in PRESETS else ()
    return next((each for each in variants if each.name == about.variant), Variant(about.variant, {}))
