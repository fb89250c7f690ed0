"""The runs in a folder: their status, records, owners and labels, read from their folders."""

import math
import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from core.errors import quote
from core.experiments.presets import PRESETS
from core.io.locks import FileLock
from core.io.paths import is_file_name
from core.runs.about import About
from core.runs.folder import QUEUED, RunError, RunFolder, RunStatus
from core.scheduler.daemon import ensure_server
from core.scheduler.lock_files import PAGES_LOCK
from core.scheduler.queue import Queue
from playground.runs.labels import Label
from playground.runs.privacy import may_see
from playground.runs.progress import ACTIVE, TRAINING, RunProgress, combine_statuses
from playground.runs.reader import Reader, file_stamp, hide_paths, read_about, read_label

STARTING_SECONDS = 10  # that a server has to show that it runs


class RunCatalogue:
    """The runs in a folder, and the process that trains those that wait.

    Args:
        root: The folder. It is created when the first run is added.
    """

    def __init__(self, root: Path) -> None:
        self.reader = Reader()
        self._lock = threading.Lock()
        self._queue = Queue(root.resolve())  # absolute: the processes of the runs work in another folder
        self._page: FileLock | None = None  # shows the server that a page is open
        self._servers: list[subprocess.Popen[bytes]] = []  # those that this page started and that have not ended
        self._started = -math.inf  # when it started the last one

    @property
    def root(self) -> Path:
        """The folder that holds the runs."""
        return self._queue.root

    def use_folder(self, root: Path) -> None:
        """Switches to the runs of another folder. No process is started until `open` or `start`."""
        self.close()
        self._queue, self._started = Queue(root.resolve()), -math.inf

    def open(self, delay: float = 0.0) -> None:
        """Starts the server process in the background; queued runs are trained one after another.

        Args:
            delay: Seconds after which that process takes processor time, unless a run waits or is added.
        """
        with self._lock:
            self.root.mkdir(parents=True, exist_ok=True)
            if self._page is None:
                self._page = FileLock.try_acquire(self.root / PAGES_LOCK, shared=True)
                self._queue.sweep()
            self._ensure_server(delay and (0.0 if self._queue.waiting() else delay))

    def _ensure_server(self, delay: float) -> None:
        self._servers = [each for each in self._servers if each.poll() is None]
        if self._servers and time.monotonic() - self._started < STARTING_SECONDS:
            return  # it may not have come to show that it runs
        if server := ensure_server(self.root, delay):
            self._servers.append(server)
            self._started = time.monotonic()

    def close(self) -> None:
        """Allows the server process to end once the queue is empty."""
        if self._page:
            self._page.close()
            self._page = None

    def names(self) -> list[str]:
        """Returns the names of all runs, newest first."""
        return [folder.path.name for folder in self._queue.runs()]

    def statuses(self) -> dict[str, RunStatus]:
        """Returns the status of each run by name, newest first."""
        statuses = self._queue.statuses()
        if any(each.state == QUEUED for each in statuses.values()):
            with suppress(OSError):  # a full disk must not hide the runs
                self.open()  # the server may have died, or ended with an earlier page
        return {name: self._hide_paths(name, each) for name, each in statuses.items()}

    def _hide_paths(self, name: str, status: RunStatus) -> RunStatus:
        return status._replace(message=hide_paths(status.message, RunFolder(self.root / name)))

    def has(self, name: object) -> bool:
        """True if there is a run of that name, which can be anything."""
        return is_file_name(name) and RunFolder(self.root / name).is_run

    def folder(self, name: str) -> RunFolder:
        """Returns the folder of a run.

        Raises:
            RunError: There is no such run.
        """
        if not self.has(name):
            raise RunError(f"There is no run {quote(name)} here: choose one from the list.")
        return RunFolder(self.root / name)

    def about(self, name: str) -> About:
        """Returns the description of a run; raises as `folder`."""
        return read_about(self.folder(name))

    def label(self, name: str) -> Label:
        """Returns the name and tags that visitors gave a run; raises as `folder`."""
        return read_label(self.folder(name))

    def find_weights(self, name: str) -> RunFolder | None:
        """Returns the folder of a run that has saved weights, None if it has none yet; raises as `folder`."""
        folder = self.folder(name)
        return folder if os.path.isfile(folder.weights) else None

    def members(self, name: str) -> list[RunFolder]:
        """Returns the folders of the comparison that a run belongs to, oldest first; raises as `folder`.

        For a single run, this is its own folder.
        """
        folder = self.folder(name)
        group = read_about(folder).group
        if not group:
            return [folder]
        return [each for each in reversed(self._queue.runs()) if read_about(each).group == group]

    def may_see(self, name: str, visitor: str) -> bool:
        """True if there is a run of that name that a visitor may see."""
        return self.has(name) and may_see(RunFolder(self.root / name), visitor)

    def current(self, visitor: str = "") -> str:
        """Returns the name of the run that is training, else of the next one in the queue, "" if there is none.

        Runs that the visitor may not see are left out.
        """
        statuses = {name: each for name, each in self.statuses().items() if self.may_see(name, visitor)}
        training = [name for name, each in statuses.items() if each.state in TRAINING]
        waiting = sorted((each.queue_position, name) for name, each in statuses.items() if each.state == QUEUED)
        return next(iter((*training, *(name for _, name in waiting))), "")

    def is_using(self, source: str) -> bool:
        """True if a run that is queued or training uses the source."""
        active = (name for name, each in self.statuses().items() if each.state in ACTIVE)
        return any(read_about(RunFolder(self.root / name)).source == source for name in active)

    def refers_to(self, source: str) -> bool:
        """True if a run was trained on the source or will be."""
        return any(read_about(folder).source == source for folder in self._queue.runs())

    def read_progress(self, name: str) -> RunProgress:
        """Returns the status and the records of a run, or of its comparison; raises as `folder`."""
        members, statuses = self.members(name), self.statuses()
        records = {each.path.name: self.reader.read_records(each) for each in members}
        status = combine_statuses([statuses[member] for member in records if member in statuses])
        preset = PRESETS.get(read_about(RunFolder(self.root / name)).preset)
        own = records[name]
        begun = tuple(each for each in records.values() if each.steps)
        return RunProgress(status, preset, begun, own if own.steps else None, own.lost)

    def stamp(self, name: str) -> tuple[object, ...]:
        """Returns a value that changes whenever a run or the list of runs has to be shown again."""
        statuses = self.statuses()
        folders = self.members(name) if name in statuses else []
        files = [file_stamp(path) for each in folders for path in (each.metrics, each.snapshots, each.step_changes)]
        labels = tuple(read_label(RunFolder(self.root / each)) for each in statuses)
        return name, tuple(statuses.items()), labels, tuple(files)
