"""What runs have recorded, read again only as far as it has grown; kept for all visitors."""

from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from core.experiments.comparison import VariantRun
from core.experiments.presets import PRESETS, Variant
from core.io.jsonl import JsonLines
from core.runs.folder import About, RunFolder, split_records
from core.runs.snapshots import Snapshot, read_snapshot_image, snapshot_from_record
from playground.data.picture import Picture
from playground.runs.labels import FILE, Label, read_label

KEPT = 64  # files in memory


class RunRecords(NamedTuple):
    """What one training has recorded so far; of a comparison, that of one arm.

    Attributes:
        part: Its arm, without a name for a run by itself, and its folder.
        steps: Records of its steps.
        evaluations: Records of its evaluations.
    """

    part: VariantRun
    steps: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]


class Reader:
    """Reads the folders of runs."""

    def __init__(self) -> None:
        self._files: OrderedDict[Path, JsonLines] = OrderedDict()
        self._lock = Lock()

    def curve(self, folder: RunFolder) -> RunRecords:
        """Returns what a run has recorded so far."""
        return RunRecords(VariantRun(_variant(about_of(folder)), 0, folder), *split_records(self._read(folder.metrics)))

    def frames(self, folder: RunFolder) -> int:
        """Returns how many frames the film of a run has so far."""
        return len(self._read(folder.snapshots))

    def frame(self, folder: RunFolder, number: int) -> Snapshot | None:
        """Returns a frame of a run's film, counted from 1, the last one for what is beyond; None if there is none."""
        records = self._read(folder.snapshots)
        return snapshot_from_record(records[min(number, len(records)) - 1]) if records else None

    def _read(self, path: Path) -> tuple[dict[str, Any], ...]:
        with self._lock:
            file = self._files.setdefault(path, JsonLines(path))
            self._files.move_to_end(path)
            while len(self._files) > KEPT:
                self._files.popitem(last=False)
            return file.read()


def about_of(folder: RunFolder) -> About:
    """Returns what was asked for of a run."""
    return _about(folder.path, changed(folder.about))


def label_of(folder: RunFolder) -> Label:
    """Returns what people call a run."""
    return _label(folder.path, changed(folder.path / FILE))


def picture_of(folder: RunFolder) -> Picture | None:
    """Returns the picture of a run's film, None if there is none yet."""
    return _picture(folder.path, changed(folder.snapshot_image))


def changed(path: Path) -> tuple[int, int]:
    """Returns a stamp of a file that differs when it has changed."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=1024)
def _about(path: Path, stamp: tuple[int, int]) -> About:
    return RunFolder(path).read_about()


@lru_cache(maxsize=1024)
def _label(path: Path, stamp: tuple[int, int]) -> Label:
    return read_label(path)


@lru_cache(maxsize=8)
def _picture(path: Path, stamp: tuple[int, int]) -> Picture | None:
    scene, key = read_snapshot_image(RunFolder(path)), f"{path} {stamp}"
    return scene and Picture("a held-out picture", scene.sample, scene.class_names, key, key)


def _variant(about: About) -> Variant:
    variants = PRESETS[about.preset].variants if about.preset in PRESETS else ()
    return next((each for each in variants if each.name == about.variant), Variant(about.variant, {}))
