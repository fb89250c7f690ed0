"""The runs of a folder, and those of them that wait: what several pages and the server do with them at a time."""

import time
from pathlib import Path

from core.config import Config
from core.io.atomic import write_text
from core.io.locks import FileLock
from core.runs.control import STOP, read_control
from core.runs.folder import (
    ACTIVE,
    FAILED,
    INTERRUPTED,
    QUEUED,
    STOPPED,
    STOPPING,
    About,
    RunError,
    RunFolder,
    RunStatus,
)

SERVER, PAGES = ".server", ".pages"  # locked by this process, and by each page

QUEUE, CHANGED = ".queue", ".changed"
MAX_SAME_SECOND = 1000


class Queue:
    """The runs of a folder.

    Args:
        place: The folder, which is there.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._statuses: dict[Path, tuple[tuple[int, int], RunStatus | None]] = {}

    def lock(self) -> FileLock:
        """Returns the lock under which runs are added, taken and cancelled; nobody keeps it for long."""
        return FileLock.acquire(self.place / QUEUE)

    def take_lock(self) -> FileLock | None:
        """Returns the same lock, None if somebody keeps it longer than usual, as a page that hangs does."""
        return FileLock.try_acquire(self.place / QUEUE)

    def stamp(self) -> int:
        """Returns a number that changes when a run is added, or taken out."""
        try:
            return (self.place / CHANGED).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def runs(self) -> list[RunFolder]:
        """Returns the runs, newest first; their names begin with the time."""
        if not self.place.is_dir():
            return []
        paths = [path for path in self.place.iterdir() if not path.name.startswith(".")]
        return [RunFolder(path) for path in sorted(paths, reverse=True) if (path / "config.json").is_file()]

    def noted_status(self, folder: RunFolder) -> RunStatus | None:
        """Returns what a run noted last, from memory if it has not changed."""
        try:
            found = folder.status.stat()
        except OSError:
            return None
        stamp = found.st_mtime_ns, found.st_ino
        kept = self._statuses.get(folder.path)
        if kept is None or kept[0] != stamp:
            kept = self._statuses[folder.path] = stamp, folder.read_status()
        return kept[1]

    def waiting(self) -> list[RunFolder]:
        """Returns the runs that wait, who came first comes first."""
        found = [(self.noted_status(folder), folder) for folder in self.runs()]
        queued = [(status.since, folder.path.name, folder) for status, folder in found if _is(status, QUEUED)]
        return [folder for *_, folder in sorted(queued, key=lambda each: each[:2])]

    def statuses(self) -> dict[str, RunStatus]:
        """Returns by name where each run stands, newest first: a process that died cannot have said so itself."""
        positions = {folder.path.name: position for position, folder in enumerate(self.waiting(), start=1)}
        return {folder.path.name: self._status(folder, positions) for folder in self.runs()}

    def status(self, folder: RunFolder) -> RunStatus:
        """Returns where one run stands."""
        return self.statuses().get(folder.path.name, RunStatus(INTERRUPTED))

    def _status(self, folder: RunFolder, positions: dict[str, int]) -> RunStatus:
        status = self.noted_status(folder)
        if status and status.state == QUEUED:
            return RunStatus(QUEUED, queue_position=positions.get(folder.path.name, 1))
        if status and status.state in ACTIVE and folder.is_held():
            return RunStatus(STOPPING if read_control(folder.control).command == STOP else status.state)
        status = folder.read_status() if status and status.state in ACTIVE else status  # it may have ended just now
        if status is None or status.state in ACTIVE:
            return RunStatus(INTERRUPTED)
        return RunStatus(status.state, status.message)

    def add(self, config: Config, about: About) -> RunFolder:
        """Adds a run and returns its folder, whose name is the present time.

        Raises:
            RunError: It cannot be made.
        """
        with self.lock():
            folder = self._new_folder()
            try:
                write_text(folder.config, config.to_json())
                folder.write_about(about._replace(created=time.time()))
            except OSError as error:
                raise RunError(f"The run {folder.path} cannot be made: {error.strerror}. Make room first.") from None
            self._enqueue(folder)
        return folder

    def again(self, folder: RunFolder) -> None:
        """Adds a run that ended before its time, to go on from its checkpoint.

        Raises:
            RunError: It waits or goes on.
        """
        with self.lock():
            state = self.status(folder).state
            if state not in (INTERRUPTED, STOPPED, FAILED):
                raise RunError(f"The run {folder.path.name} is {state}: only what has ended early can be resumed.")
            self._enqueue(folder)

    def cancel(self, folder: RunFolder) -> bool:
        """Takes a run out of the queue; returns whether it was in it."""
        with self.lock():
            if not _is(folder.read_status(), QUEUED):
                return False
            folder.write_status(STOPPED, "It was taken out of the queue.")
            self._tell()
            return True

    def _new_folder(self) -> RunFolder:
        second = time.strftime("%Y%m%d-%H%M%S")
        for number in range(1, MAX_SAME_SECOND):
            path = self.place / f"{second}-{number:03}"
            try:
                path.mkdir()
                return RunFolder(path)
            except FileExistsError:
                continue
            except OSError as error:
                raise RunError(f"The folder {path} cannot be made: {error.strerror}.") from None
        raise RunError("Too many runs were started in one second: try again.")

    def _enqueue(self, folder: RunFolder) -> None:
        folder.control.unlink(missing_ok=True)
        folder.write_status(QUEUED)
        self._tell()

    def _tell(self) -> None:
        (self.place / CHANGED).touch()


def _is(status: RunStatus | None, state: str) -> bool:
    return status is not None and status.state == state
