"""The folder of a training run.

`about.json` describes the run, `config.json` has its settings, `status.json` its status, `metrics.jsonl` a line per
step and evaluation. The training process holds a lock on the file `lock`, which distinguishes an active run from one
whose process has died. Through `control.json` other processes pause or stop it, see `core.runs.control`.
"""

import json
import math
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import UserError
from core.io.atomic import write_text
from core.io.jsonl import JsonLines, append_json_line
from core.io.locks import FileLock, is_held
from core.io.parts import sweep_parts
from core.io.records import is_missing, read_object
from core.io.text import is_text
from core.io.troubles import explain
from core.runs.about import About
from core.runs.control import list_control_files
from core.runs.divergence import read_divergence
from core.runs.metrics import is_number, record_to_dict, split_records
from core.training.records import DivergedError, EvaluationRecord, StepRecord

QUEUED, STARTING, RUNNING, PAUSED = "queued", "starting", "running", "paused"
FINISHED, STOPPED, INTERRUPTED = "finished", "stopped", "interrupted"
FAILED, DIVERGED = "failed", "diverged"  # a diverged run is a result, a failed one an accident
ENDED = (FINISHED, DIVERGED, FAILED)  # states of a run that would end in the same way again
RESUMABLE = (STOPPED, INTERRUPTED, FAILED, DIVERGED)
ACTIVE = (STARTING, RUNNING, PAUSED)  # states of a run whose process holds the lock, or has died
STOPPING = "stopping"  # never stored: running or paused, and requested to stop
STATES = (QUEUED, *ACTIVE, FINISHED, STOPPED, FAILED, DIVERGED, INTERRUPTED)
MAX_MESSAGE = 2000  # characters


class RunError(UserError):
    """A run's folder cannot be used; the message says why and what to do."""


class RunStatus(NamedTuple):
    """The status of a run.

    Attributes:
        state: One of `STATES`, or `STOPPING`.
        message: The reason, if the run failed or diverged, or how it ended if not as planned.
        since: Unix time in seconds at which the state was written.
        order: Of queued runs the one with the lowest number starts first, whatever the clock says; 0 for all queued by
            earlier versions.
        queue_position: Position in the queue, from 1; 0 for a run that is not queued.
    """

    state: str
    message: str = ""
    since: float = 0.0
    order: int = 0
    queue_position: int = 0


class RunFolder:
    """The files of a run.

    Most are written to a temporary file and renamed, so that no reader sees half of one. Metrics and snapshots grow by
    whole lines, and on a full disk the status is overwritten in place.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.about = self.path / "about.json"
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.jsonl"
        self.status = self.path / "status.json"
        self.control = self.path / "control.json"
        self.lock = self.path / "lock"
        self.log = self.path / "log.txt"
        self.checkpoint = self.path / "checkpoint.safetensors"
        self.weights = self.path / "weights.safetensors"
        self.snapshots = self.path / "film.jsonl"
        self.snapshot_image = self.path / "film.png"
        self.snapshot_truth = self.path / "film.json"
        self.step_changes = self.path / "step.json"

    @property
    def is_run(self) -> bool:
        """True if the folder holds a run: its settings are there."""
        return os.path.isfile(self.config)

    @property
    def was_run(self) -> bool:
        """True if the folder held a run whose settings are gone, or cannot be looked into."""
        return not self.is_run and not all(map(is_missing, (self.config, self.metrics, self.checkpoint)))

    def find_fault(self) -> str:
        """Returns the name of the file that cannot be read although everything else depends on it, "" for none.

        Without its settings and its description nobody can tell whose pictures a run was trained on.
        """
        about = {} if is_missing(self.about) else read_object(self.about)
        if about is None or not all(isinstance(about.get(key, ""), str) for key in ("source", "owner")):
            return self.about.name
        settings = read_object(self.config)
        model = None if settings is None else settings.get("model", {})
        if not isinstance(model, dict) or not isinstance(model.get("weights", ""), str):
            return self.config.name
        return ""

    def require_new(self) -> None:
        """Raises `RunError` unless the folder is missing or empty, or a run was killed there before it began."""
        if os.path.exists(self.path) and not os.path.isdir(self.path):
            raise RunError(f"{self.path} is a file: name a folder for the run.")
        sweep_parts(self.path)
        begun = {self.lock, self.about, *list_control_files(self.control)}  # written before the settings
        if self.path.exists() and not begun.issuperset(self.path.iterdir()):
            raise RunError(
                f"The folder {self.path} is not empty: choose another, or continue the run in it with --resume."
            )

    def create(self) -> None:
        """Creates the folder.

        Raises:
            RunError: It cannot be created.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"The folder {self.path} cannot be created: {explain(error)}") from None

    def acquire_lock(self) -> FileLock:
        """Acquires the lock that the training process holds.

        Raises:
            RunError: Another process holds it, or the folder cannot be written to.
        """
        try:
            lock = FileLock.try_acquire(self.lock)
        except OSError as error:
            raise RunError(f"The folder {self.path} cannot be used: {explain(error)}") from None
        if lock is None:
            raise RunError(f"The run {self.path} is being trained by another process: stop it there first.")
        return lock

    def write_about(self, about: About) -> None:
        """Writes the description; other keys in the file are kept."""
        write_text(self.about, json.dumps({**(read_object(self.about) or {}), **about.to_dict()}, indent=2) + "\n")

    def read_about(self) -> About:
        """Reads the description; missing or invalid values are replaced by their defaults."""
        return About.from_dict(read_object(self.about) or {})

    def write_status(self, state: str, message: str = "", *, order: int = 0) -> None:
        """Writes the status; on a full disk it overwrites the existing file in place.

        Args:
            state: One of `STATES`.
            message: The reason.
            order: Of a queued run, see `RunStatus`.

        Raises:
            OSError: It cannot be written.
        """
        text = json.dumps({"state": state, "message": message[:MAX_MESSAGE], "since": time.time(), "order": order})
        try:
            write_text(self.status, text)
        except OSError:
            _overwrite(self.status, text)

    def note_status(self, state: str, message: str = "") -> None:
        """Writes the status if the disk allows it; the lock tells in any case that a run has ended."""
        with suppress(OSError):
            self.write_status(state, message)

    def read_status(self) -> RunStatus | None:
        """Reads the status as last written, None if there is none; earlier versions wrote that a diverged run failed.

        A run whose process has died may still be "running" here; `core.scheduler.queue.Queue.status` tells.
        """
        found = read_object(self.status)
        if not found:
            return None if is_missing(self.status) else RunStatus(RUNNING)
        state, message, since, order = (found.get(key) for key in ("state", "message", "since", "order"))
        since = float(since) if is_number(since) and math.isfinite(since) else 0.0
        state, message = state if state in STATES else RUNNING, message if is_text(message) else ""
        order = order if type(order) is int else 0
        status = RunStatus(state, message[:MAX_MESSAGE], since, order)
        return status._replace(state=DIVERGED) if state == FAILED and read_divergence(status.message) else status

    def is_held(self) -> bool:
        """True while a process trains in this folder."""
        return is_held(self.lock)

    def append(self, record: StepRecord | EvaluationRecord) -> None:
        """Appends a record to the metrics; raises `RunError` if it cannot be written."""
        append_line(self.metrics, record_to_dict(record))

    def read_metrics(self) -> list[dict[str, Any]]:
        """Reads the records written so far, without an incomplete last line."""
        return list(JsonLines(self.metrics).read())

    def read_records(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Reads the records of the steps and those of the evaluations written so far."""
        return split_records(self.read_metrics())

    def find_evaluated(self, step: int) -> int:
        """Returns the step of the last evaluation that was recorded up to a step; 0 if there is none."""
        return max((each["step"] for each in self.read_records()[1] if each["step"] <= step), default=0)

    def drop_records_after(self, step: int) -> None:
        """Drops the records after a step: a run resumed from its checkpoint writes them again."""
        for path in (self.metrics, self.snapshots):
            if path.exists():
                lines = [json.dumps(record) + "\n" for record in JsonLines(path).read() if record["step"] <= step]
                write_text(path, "".join(lines))


def list_folder(path: Path) -> list[Path]:
    """Returns what is in a folder of runs, in any order; nothing if there is no such folder.

    Raises:
        RunError: It cannot be read.
    """
    try:
        return list(path.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"The folder of runs {path} cannot be read: {explain(error)}") from None


def failure_state(error: BaseException) -> str:
    """Returns the state of a run that ended with an error."""
    return DIVERGED if isinstance(error, DivergedError) else FAILED


def append_line(path: Path, record: dict[str, Any]) -> None:
    """Appends a record to a file of JSON lines.

    Raises:
        RunError: It cannot be written.
    """
    try:
        append_json_line(path, record)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {explain(error)} Then resume the run.") from None


def _overwrite(path: Path, text: str) -> None:
    """Overwrites a small file in place, which needs no more space on the disk."""
    with path.open("r+", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.truncate()
