"""Locks on files (flock): released when their process ends, however it ends."""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

RETRY_SECONDS, PAUSE_SECONDS = 0.5, 0.01  # `is_held` itself holds the lock for a moment, so attempts are repeated


class FileLock:
    """A lock that is held until `close`, or until the process ends.

    A forked child shares the lock: it is held until both processes have closed it or ended.

    Args:
        file: Descriptor of the locked file.
    """

    def __init__(self, file: int) -> None:
        self._file = file

    @classmethod
    def try_acquire(cls, path: Path, *, shared: bool = False, timeout: float = RETRY_SECONDS) -> Self | None:
        """Acquires the lock on a file, or returns None if another process still holds it after `timeout` seconds.

        Args:
            path: The file, created if it does not exist, or a folder.
            shared: Whether other processes may hold the lock at the same time, if theirs is shared, too.
            timeout: Seconds of repeated attempts; 0 for a single one.
        """
        file = _open(path)
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        deadline = time.monotonic() + timeout
        while not _try_lock(file, kind):
            if time.monotonic() > deadline:
                os.close(file)
                return None
            time.sleep(PAUSE_SECONDS)
        return cls(file)

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Waits for the lock on a file, created if it does not exist, and acquires it."""
        file = _open(path)
        fcntl.flock(file, fcntl.LOCK_EX)
        return cls(file)

    def is_on(self, path: Path) -> bool:
        """True if the path still names the locked file, which another process may have moved or removed meanwhile."""
        try:
            return self._file >= 0 and os.path.samestat(os.fstat(self._file), path.stat())
        except OSError:
            return False

    def close(self) -> None:
        """Releases the lock, unless a forked process also holds it; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def is_held(path: Path, *, shared: bool = False) -> bool:
    """Returns True while a process holds the lock on a file; a file that does not exist is not locked.

    One that another user made and alone may read counts as locked: nobody can tell.

    Args:
        path: The file.
        shared: Whether shared locks count, too.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # which opens a pipe at once, too
    except PermissionError:
        return True
    except OSError:
        return False
    try:
        return not _try_lock(file, fcntl.LOCK_EX if shared else fcntl.LOCK_SH)
    finally:
        os.close(file)


def _open(path: Path) -> int:
    if os.path.isdir(path):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
