"""The runs of a folder and the queue of those that wait, safe for use by several pages and the server at a time."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from core.config import Config
from core.io.atomic import write_text
from core.io.locks import FileLock
from core.io.moving import link_or_copy, rename
from core.io.parts import SUFFIX, make_part, sweep_parts
from core.io.troubles import explain
from core.reader import UPLOADED
from core.runs.about import About
from core.runs.control import STOP, Control, prepare_control, read_control, write_control
from core.runs.folder import (
    ACTIVE,
    INTERRUPTED,
    QUEUED,
    RESUMABLE,
    STOPPED,
    STOPPING,
    RunError,
    RunFolder,
    RunStatus,
    list_folder,
)
from core.scheduler.lock_files import QUEUE_CHANGED, QUEUE_LOCK

MAX_SAME_SECOND = 1000
CANCELLED = "It was removed from the queue."


class Queue:
    """The runs of a folder.

    Args:
        root: An existing folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._statuses: dict[Path, tuple[tuple[int, int], RunStatus | None]] = {}

    def lock(self) -> FileLock:
        """Waits for the lock under which runs are added, started and cancelled, and acquires it."""
        return FileLock.acquire(self.root / QUEUE_LOCK)

    def try_lock(self) -> FileLock | None:
        """Acquires the same lock; returns None if another process, such as a page that hangs, holds it for long."""
        return FileLock.try_acquire(self.root / QUEUE_LOCK)

    def version(self) -> int:
        """Returns a number that changes when a run is added or cancelled."""
        try:
            return (self.root / QUEUE_CHANGED).stat().st_mtime_ns
        except OSError:
            return 0

    def sweep(self) -> None:
        """Removes what killed processes have left half made, here, in the runs and in the folders of the command line.

        Locks tell what living ones make, however old it is. Folders that cannot be read are left out.
        """
        for folder, below, _ in os.walk(self.root):
            sweep_parts(Path(folder))
            is_deepest = len(Path(folder).relative_to(self.root).parts) == 2
            below[:] = [] if is_deepest else [name for name in below if not name.startswith(".")]

    def runs(self) -> list[RunFolder]:
        """Returns the runs, newest first; their names start with the time of their creation.

        Raises:
            RunError: The folder cannot be read.
        """
        paths = [path for path in list_folder(self.root) if not path.name.startswith(".")]
        return [folder for path in sorted(paths, reverse=True) if (folder := RunFolder(path)).is_run]

    def stored_status(self, folder: RunFolder) -> RunStatus | None:
        """Returns the status last written by a run, cached until its file changes."""
        try:
            file = folder.status.stat()
        except OSError:
            return None
        version = file.st_mtime_ns, file.st_ino
        cached = self._statuses.get(folder.path)
        if cached is None or cached[0] != version:
            cached = self._statuses[folder.path] = version, folder.read_status()
        return cached[1]

    def waiting(self) -> list[RunFolder]:
        """Returns the queued runs in the order in which they will start."""
        statuses = [(self.stored_status(folder), folder) for folder in self.runs()]
        queued = [
            (status.order, status.since, folder.path.name, folder)
            for status, folder in statuses
            if status and self._is_queued(folder, status)
        ]
        return [folder for *_, folder in sorted(queued, key=lambda each: each[:3])]

    def statuses(self) -> dict[str, RunStatus]:
        """Returns the current status of each run by name, newest first.

        Unlike the stored one, it takes into account whether the run's process is alive.
        """
        positions = {folder.path.name: position for position, folder in enumerate(self.waiting(), start=1)}
        return {folder.path.name: self._current_status(folder, positions) for folder in self.runs()}

    def status(self, folder: RunFolder) -> RunStatus:
        """Returns the current status of one run."""
        return self.statuses().get(folder.path.name, RunStatus(INTERRUPTED))

    def _current_status(self, folder: RunFolder, positions: dict[str, int]) -> RunStatus:
        status = self.stored_status(folder)
        if status and status.state == QUEUED and not self._is_queued(folder, status):
            return RunStatus(STOPPED, CANCELLED)
        if status and status.state == QUEUED:
            return RunStatus(QUEUED, queue_position=positions.get(folder.path.name, 1))
        if status and status.state in ACTIVE and folder.is_held():
            return RunStatus(STOPPING if read_control(folder.control).command == STOP else status.state)
        status = folder.read_status() if status and status.state in ACTIVE else status  # it may just have ended
        if status is None or status.state in ACTIVE:
            return RunStatus(INTERRUPTED)
        return RunStatus(status.state, status.message)

    def add(self, config: Config, about: About, uploaded: Path | None = None) -> RunFolder:
        """Creates a run, named after the current time, and adds it to the queue; a kill leaves a whole run or none.

        Args:
            config: The settings.
            about: The description.
            uploaded: The initial weights if they are a file that is not kept for long: the run gets its own, which its
                settings name. None for weights that the settings name already.

        Raises:
            RunError: It cannot be created.
        """
        try:
            with make_part(self.root / "run") as part:
                folder = RunFolder(part)
                part.mkdir()
                folder.write_about(about._replace(created=time.time()))
                if uploaded:
                    (part / UPLOADED).mkdir()
                    link_or_copy(uploaded, part / UPLOADED / uploaded.name)
                with self.lock():
                    place = self._find_place()
                    if uploaded:
                        config = config.replace({"model.weights": str(place / UPLOADED / uploaded.name)})
                    write_text(folder.config, config.to_json())
                    self._enqueue(folder)
                    rename(part, place)
                    self._mark_changed()
        except OSError as error:
            raise RunError(f"The run cannot be created: {explain(error)}") from None
        return RunFolder(place)

    def requeue(self, folder: RunFolder) -> None:
        """Adds a run that ended early to the queue again, to be resumed from its checkpoint.

        Raises:
            RunError: It is queued, active or finished, or the disk is full.
        """
        try:
            with self.lock():
                state = self.status(folder).state
                if state not in RESUMABLE:
                    raise RunError(
                        f"The run {folder.path.name} is {state}: only a run that ended early can be resumed."
                    )
                self._enqueue(folder)
                self._mark_changed()
        except OSError as error:
            raise RunError(f"The run {folder.path.name} cannot be resumed: {explain(error)}") from None

    def cancel(self, folder: RunFolder) -> bool:
        """Removes a run from the queue, also on a full disk; returns False if it was not queued.

        Raises:
            OutputError: Nothing can be changed in its folder.
        """
        with self.lock():
            status = folder.read_status()
            if status is None or not self._is_queued(folder, status):
                return False
            try:
                folder.write_status(STOPPED, CANCELLED)
            except OSError:
                write_control(folder.control, Control(STOP))
            self._mark_changed()
            return True

    def discard(self, folder: RunFolder) -> None:
        """Removes a run that still waits for good, with its folder."""
        with self.lock():
            if self._is_queued(folder, folder.read_status()):
                rename(folder.path, self.root / f".{folder.path.name}{SUFFIX}")
                sweep_parts(self.root)
                self._mark_changed()

    def _is_queued(self, folder: RunFolder, status: RunStatus | None) -> bool:
        """True for a run that waits; one with a request to stop was cancelled on a full disk."""
        return status is not None and status.state == QUEUED and read_control(folder.control).command != STOP

    def _find_place(self) -> Path:
        """Returns a path for a new run, which also no file or folder of somebody else has."""
        second = time.strftime("%Y%m%d-%H%M%S")
        for number in range(1, MAX_SAME_SECOND):
            path = self.root / f"{second}-{number:03}"
            if not os.path.lexists(path):
                return path
        raise RunError("Too many runs were started in one second: try again.")

    def _enqueue(self, folder: RunFolder) -> None:
        """Puts a run into the queue, after those of its owner."""
        turns = [
            (each.read_about().owner, status.order)
            for each in self.runs()
            if (status := self.stored_status(each)) and status.state == QUEUED
        ]
        folder.write_status(QUEUED, order=find_turn(folder.read_about().owner, turns))
        prepare_control(folder.control)  # afterwards: on a full disk a run that was cancelled stays so

    def _mark_changed(self) -> None:
        with suppress(OSError):  # servers also look by themselves every second
            (self.root / QUEUE_CHANGED).touch()


def find_turn(owner: str, waiting: Sequence[tuple[str, int]]) -> int:
    """Returns the turn in which a run will start: in each, every owner has one run at most.

    Args:
        owner: Whose run it is.
        waiting: The owners of the runs in the queue, and their turns.
    """
    present = min((turn for _, turn in waiting), default=1)
    return max([present, *(turn + 1 for other, turn in waiting if other == owner)])
