"""The folder of a training run: all that is known of it, for whoever reads it later.

`about.json` says what was asked for, `config.json` the settings, `status.json` where the run stands, `metrics.jsonl`
what each step and evaluation gave. A process that trains holds a lock on `lock`, so that a run that goes on can be told
from one whose process died. `control.json` is what others ask of that process, see `core.runs.control`.
"""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import UserError
from core.io.atomic import write_text
from core.io.jsonl import JsonLines
from core.io.locks import FileLock, is_held
from core.training.records import EvaluationRecord, StepRecord

QUEUED, STARTING, RUNNING, PAUSED = "queued", "starting", "running", "paused"
FINISHED, STOPPED, FAILED, INTERRUPTED = "finished", "stopped", "failed", "interrupted"
LIVING = (STARTING, RUNNING, PAUSED)  # states in which a process holds the run's lock, or died
STOPPING = "stopping"  # never on the disk: running or paused, and asked to stop
STATES = (QUEUED, *LIVING, FINISHED, STOPPED, FAILED, INTERRUPTED)
MAX_MESSAGE = 2000  # characters


class RunError(UserError):
    """A run's folder cannot be used; the message says why and what to do."""


class RunStatus(NamedTuple):
    """The status of a run.

    Attributes:
        state: One of `STATES`, or `STOPPING`.
        message: Why, if it failed.
        since: When the state was noted, Unix time in seconds.
        queue_position: From 1; 0 for a run that does not wait.
    """

    state: str
    message: str = ""
    since: float = 0.0
    queue_position: int = 0


class About(NamedTuple):
    """What was asked for, beside the settings.

    Attributes:
        source: "scenes", or the folder of a data set.
        created: Unix time, seconds.
        group: Runs that are compared share it, "" for a run by itself.
        preset: Key of `core.experiments.presets.PRESETS` that the group compares.
        arm: Name of the arm.
        owner: Who asked, as the page knows its visitors; "" for nobody.
    """

    source: str = "scenes"
    created: float = 0.0
    group: str = ""
    preset: str = ""
    arm: str = ""
    owner: str = ""


class RunFolder:
    """The files of a run; each is written beside and renamed, so that none is ever half there."""

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
        self.film = self.path / "film.jsonl"
        self.picture = self.path / "film.png"
        self.scene = self.path / "film.json"
        self.last_step = self.path / "step.json"

    def require_new(self) -> None:
        """Raises `RunError` if there is already something in the folder's place."""
        if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise RunError(f"The folder {self.path} is not empty: name another, or go on with --resume.")

    def create(self) -> None:
        """Makes the folder.

        Raises:
            RunError: It cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"The folder {self.path} cannot be made: {error.strerror}.") from None

    def take(self) -> FileLock:
        """Returns the lock of whoever trains in this folder.

        Raises:
            RunError: Another process does, or the folder cannot be written to.
        """
        try:
            lock = FileLock.try_acquire(self.lock)
        except OSError as error:
            raise RunError(f"The folder {self.path} cannot be used: {error.strerror}.") from None
        if lock is None:
            raise RunError(f"The run {self.path} is going on in another process: stop it there first.")
        return lock

    def write_about(self, about: About) -> None:
        """Notes what was asked for; what others have noted beside it stays."""
        write_text(self.about, json.dumps({**_json_object(self.about), **about._asdict()}, indent=2) + "\n")

    def read_about(self) -> About:
        """Returns what was asked for; what is not told is as usual."""
        found, usual = _json_object(self.about), About()
        kept = {key: found[key] for key in About._fields if type(found.get(key)) is type(getattr(usual, key))}
        return About(**kept)

    def write_status(self, state: str, message: str = "") -> None:
        """Notes where the run stands, also where the disk has no room for another file."""
        text = json.dumps({"state": state, "message": message[:MAX_MESSAGE], "since": time.time()})
        try:
            write_text(self.status, text)
        except OSError:
            _overwrite(self.status, text)

    def read_status(self) -> RunStatus | None:
        """Returns what was noted last of where the run stands, None before it started; `state` knows of its process."""
        found = _json_object(self.status)
        if not found:
            return RunStatus(RUNNING) if self.status.exists() else None
        state, message, since = (found.get(key) for key in ("state", "message", "since"))
        since = since if isinstance(since, int | float) else 0.0
        return RunStatus(state if state in STATES else RUNNING, str(message or ""), since)

    def is_held(self) -> bool:
        """Tells whether a process trains in this folder."""
        return is_held(self.lock)

    def append(self, record: StepRecord | EvaluationRecord) -> None:
        """Adds a record to the metrics; raises `RunError` if it cannot be written."""
        append_line(self.metrics, record_to_dict(record))

    def read_metrics(self) -> list[dict[str, Any]]:
        """Returns the records so far; a line still being written is left for the next time."""
        return list(JsonLines(self.metrics).read())

    def read_records(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Returns the records of the steps and those of the evaluations so far."""
        return apart(self.read_metrics())

    def cut(self, step: int) -> None:
        """Drops records after a step: a run that goes on from its checkpoint writes them again."""
        for path in (self.metrics, self.film):
            if path.exists():
                lines = [json.dumps(record) + "\n" for record in JsonLines(path).read() if record["step"] <= step]
                write_text(path, "".join(lines))


def append_line(path: Path, record: dict[str, Any]) -> None:
    """Adds a record to a file of JSON lines.

    Raises:
        RunError: It cannot be written.
    """
    try:
        with path.open("a") as file:
            file.write(json.dumps(record) + "\n")
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}. Make room on the disk, then resume.") from None


def apart(records: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns the records of steps and those of evaluations."""
    records = list(records)
    return [each for each in records if "metrics" not in each], [each for each in records if "metrics" in each]


def record_to_dict(record: StepRecord | EvaluationRecord) -> dict[str, Any]:
    """Returns a record as JSON holds it; an evaluation has the key "metrics"."""
    if isinstance(record, EvaluationRecord):
        return {"step": record.step, "metrics": record.metrics.to_dict()}
    return record._asdict()


def _json_object(path: Path) -> dict[str, Any]:
    """Returns a small JSON file's object, {} where there is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _overwrite(path: Path, text: str) -> None:
    """Writes a small file into the place it has on the disk already, which needs no new room."""
    with path.open("r+") as file:
        file.write(text)
        file.truncate()
