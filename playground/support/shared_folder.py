"""Folders that several processes change, one at a time, and what to say when a disk does not take a change."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from core.errors import UserError
from core.io.locks import FileLock
from core.io.troubles import FORBIDDEN, FULL

WAIT_SECONDS = 60.0  # changes take milliseconds, unless gigabytes are removed


class FolderLock:
    """Lets one thread of one process at a time change a folder; a thread that holds it can take it again.

    Args:
        file: The file to lock. It is created, with the folder around it, when a change begins.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._threads = RLock()
        self._depth = 0

    @contextmanager
    def hold(self, seconds: float = WAIT_SECONDS) -> Iterator[None]:
        """Keeps everybody else from changing the folder.

        Args:
            seconds: For how long to wait until another process has made its change.

        Raises:
            OSError: The lock cannot be created.
            UserError: The other process takes longer.
        """
        with self._threads:
            lock = None if self._depth else self._acquire(seconds)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if lock:
                    lock.close()

    def _acquire(self, seconds: float) -> FileLock:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock.try_acquire(self._file, timeout=seconds)
        if lock is None:
            raise UserError("Another process of the server is changing the same things: try again in a minute.")
        return lock


def modified_at(path: Path) -> int:
    """Returns when a file was last modified, in nanoseconds; 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def explain_disk(error: OSError) -> str:
    """Returns why a disk does not take a change and what to do, as the end of a sentence without its full stop."""
    if error.errno in FULL:
        return "its disk is full: delete what you no longer need, or ask its operator to make room"
    if error.errno in FORBIDDEN:
        return "it may not write to its folder: ask its operator to allow that"
    return f"{error.strerror or 'its disk reports an error'}: ask its operator to correct that"
