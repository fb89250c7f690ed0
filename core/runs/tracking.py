"""Steps and evaluations of a run for the trackers people use, through Accelerate; only the main process writes."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from core.config import Config, format_value
from core.errors import UserError
from core.runs.folder import RunFolder
from core.training.distributed import is_true_anywhere, make_accelerator
from core.training.records import EvaluationProgress, EvaluationRecord, Record

PROJECT = "retinanet"


class Tracking:
    """Tells a tracker of one run after the other; a run is opened with its first record.

    Args:
        tracker: One of `core.cli.parser.TRACKERS`, or None to tell nobody.

    Raises:
        TrackingError: It is not installed.
    """

    def __init__(self, tracker: str | None) -> None:
        if tracker:
            require_installed(tracker)
        self._tracker = tracker
        self._folder: Path | None = None
        self._accelerator: Accelerator | None = None

    def log(self, folder: RunFolder, record: Record) -> None:
        """Tells of a record of the run in a folder; raises `TrackingError` if the tracker does not start."""
        if self._tracker is None or isinstance(record, EvaluationProgress):
            return
        if folder.path != self._folder:
            self.finish()
            self._start(folder)
        self._accelerator.log(values_of(record), step=record.step)

    def finish(self) -> None:
        """Closes the run that is open; Accelerate's `end_training` would also part the processes."""
        for tracker in self._accelerator.trackers if self._accelerator else ():
            tracker.finish()
        self._folder = self._accelerator = None

    def _start(self, folder: RunFolder) -> None:
        accelerator = make_accelerator(log_with=self._tracker, project_dir=folder.path)
        settings = {path: _plain(value) for path, value in Config.from_file(folder.config).to_flat().items()}
        name = folder.path.resolve().name
        own = {"wandb": {"name": name, "dir": str(folder.path)}, "trackio": {"name": name}}
        reason = ""
        try:
            accelerator.init_trackers(PROJECT, settings, {key: own[key] for key in own if key == self._tracker})
        except Exception as error:  # whatever a tracker raises that is not set up
            reason = " ".join(str(error).split()) or type(error).__name__
        if is_true_anywhere(accelerator, bool(reason)):  # only the main process starts it, but all would wait for it
            raise TrackingError(f"{self._tracker} does not start ({reason}): set it up, or leave --track out.")
        self._folder, self._accelerator = folder.path, accelerator


@contextmanager
def tracking(tracker: str | None) -> Iterator[Tracking]:
    """Gives a `Tracking` and closes its run at the end."""
    told = Tracking(tracker)
    try:
        yield told
    finally:
        told.finish()


def values_of(record: Record) -> dict[str, Any]:
    """Returns what trackers are told of a step or an evaluation, by name; figures that there are not stay out."""
    if isinstance(record, EvaluationRecord):
        figures = record.metrics.to_dict()
        return {f"evaluation/{name}": value for name, value in figures.items() if isinstance(value, float)}
    return {f"training/{name}": value for name, value in record._asdict().items() if name != "step"}


def _plain(value: Any) -> bool | int | float | str:
    return format_value(value) if isinstance(value, tuple) else value


class TrackingError(UserError):
    """A tracker that is not installed or does not start; the message says what to do."""


def require_installed(tracker: str) -> None:
    """Raises `TrackingError` where the tracker's package is missing."""
    if importlib.util.find_spec(tracker) is None:
        raise TrackingError(f"{tracker} is not installed: pip install -r requirements-trackers.txt.")
