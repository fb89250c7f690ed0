"""Experiment trackers (TensorBoard, Weights & Biases, Trackio) through Accelerate; only the main process logs."""

import importlib.util
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from core.config import Config, format_value
from core.errors import UserError
from core.runs.folder import RunFolder
from core.runs.metrics import SHARES
from core.training.distributed import is_true_anywhere, make_accelerator
from core.training.records import EvaluationProgress, EvaluationRecord, Record

PROJECT = "retinanet"


class TrackingError(UserError):
    """A tracker is not installed or does not start; the message says what to do."""


class RunTracker:
    """Logs runs to a tracker, one after another; each run is opened with its first record.

    Args:
        tracker: One of `core.cli.flags.TRACKERS`, or None to log nothing.

    Raises:
        TrackingError: The tracker is not installed.
    """

    def __init__(self, tracker: str | None) -> None:
        if tracker:
            require_installed(tracker)
        self._tracker = tracker
        self._folder: Path | None = None
        self._accelerator: Accelerator | None = None

    def log(self, folder: RunFolder, record: Record) -> None:
        """Logs a record of the run in a folder; raises `TrackingError` if the tracker does not start."""
        if self._tracker is None or isinstance(record, EvaluationProgress):
            return
        if self._accelerator is None or folder.path != self._folder:
            self.finish()
            self._accelerator = self._start(folder)
            self._folder = folder.path
        self._accelerator.log(record_values(record), step=record.step)

    def finish(self) -> None:
        """Closes the open run. Accelerate's `end_training` would also end the process group."""
        for tracker in self._accelerator.trackers if self._accelerator else ():
            tracker.finish()
        self._folder = self._accelerator = None

    def _start(self, folder: RunFolder) -> Accelerator:
        accelerator = make_accelerator(log_with=self._tracker, project_dir=folder.path)
        settings = {path: _to_plain(value) for path, value in Config.from_file(folder.config).to_flat().items()}
        name = folder.path.resolve().name
        options = {"wandb": {"name": name, "dir": str(folder.path)}, "trackio": {"name": name}}
        reason = ""
        try:
            accelerator.init_trackers(PROJECT, settings, {key: options[key] for key in options if key == self._tracker})
        except Exception as error:  # trackers that are not set up raise exceptions of many types
            reason = " ".join(str(error).split()) or type(error).__name__
        if is_true_anywhere(accelerator, bool(reason)):  # only the main process starts the tracker, but all must stop
            raise TrackingError(f"{self._tracker} does not start ({reason}): set it up, or omit --track.")
        return accelerator


@contextmanager
def open_tracker(tracker: str | None) -> Iterator[RunTracker]:
    """Provides a `RunTracker` and closes its run at the end."""
    opened = RunTracker(tracker)
    try:
        yield opened
    finally:
        opened.finish()


def record_values(record: Record) -> dict[str, Any]:
    """Returns the values of a step or an evaluation to log, by name; metrics that are undefined are omitted."""
    if isinstance(record, EvaluationRecord):
        metrics = record.metrics.to_dict()
        losses = {f"{name}_loss": value for name, value in record.losses._asdict().items() if math.isfinite(value)}
        rare = {"rare_ap": record.rare_ap} if math.isfinite(record.rare_ap) else {}
        values = {**metrics, **losses, **rare}
        return {f"evaluation/{name}": each for name, each in values.items() if isinstance(each, float)}
    return {f"training/{name}": value for name, value in record._asdict().items() if name not in ("step", SHARES)}


def require_installed(tracker: str) -> None:
    """Raises `TrackingError` if the tracker's package is not installed."""
    if importlib.util.find_spec(tracker) is None:
        raise TrackingError(f"{tracker} is not installed: pip install -r requirements-trackers.txt.")


def _to_plain(value: Any) -> bool | int | float | str:
    return format_value(value) if isinstance(value, tuple) else value
