"""Locks on files: released when their process ends, however it ends.

On Windows a locked file can be read, written, moved and removed by nobody else, and a folder that holds an open file
cannot be moved. Locks therefore lie on files of their own, or are used through their own descriptor (`FileLock.file`).
"""

import errno
import math
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from portalocker import AlreadyLocked, LockException, LockFlags, lock

from core.io.moving import GUARDS_OPEN_FILES

RETRY_SECONDS, PAUSE_SECONDS = 0.5, 0.01  # `is_held` itself holds the lock for a moment, so attempts are repeated
# No translation of line ends on Windows, and no blocking on a named pipe that nothing else has open.
FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


class FileLock:
    """A lock that is held until `close`, or until the process ends.

    Args:
        file: Descriptor of the locked file.
    """

    def __init__(self, file: int) -> None:
        self.file = file

    @classmethod
    def try_acquire(cls, path: Path, *, shared: bool = False, timeout: float = RETRY_SECONDS) -> Self | None:
        """Acquires the lock on a file, or returns None if another process still holds it after `timeout` seconds.

        Args:
            path: The file, created if it does not exist.
            shared: Whether other processes may hold the lock at the same time, if theirs is shared, too.
            timeout: Seconds of repeated attempts; 0 for a single one.
        """
        made = cls(os.open(path, os.O_RDWR | os.O_CREAT | FLAGS, 0o644))
        deadline = time.monotonic() + timeout
        try:
            while not _try_lock(made.file, shared=shared):
                if time.monotonic() > deadline:
                    made.close()
                    return None
                time.sleep(PAUSE_SECONDS)
        except BaseException:
            made.close()
            raise
        return made

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Waits for the lock on a file, created if it does not exist, and acquires it."""
        made = cls.try_acquire(path, timeout=math.inf)
        assert made is not None
        return made

    def is_on(self, path: Path) -> bool:
        """True if the path still names the locked file, which another process may have moved or removed meanwhile."""
        try:
            return self.file >= 0 and os.path.samestat(os.fstat(self.file), path.stat())
        except OSError:
            return False

    def remove(self, path: Path) -> None:
        """Removes the locked file and releases the lock; `is_on` is False for whoever has opened it meanwhile."""
        if not GUARDS_OPEN_FILES:
            path.unlink(missing_ok=True)
        self.close()
        if GUARDS_OPEN_FILES:
            with suppress(PermissionError):  # another process has opened it
                path.unlink(missing_ok=True)

    def allow_move(self) -> None:
        """Releases the lock where the folder of the locked file cannot be moved before."""
        if GUARDS_OPEN_FILES:
            self.close()

    def close(self) -> None:
        """Releases the lock; a second call does nothing."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1

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
        file = os.open(path, os.O_RDONLY | FLAGS)
    except PermissionError:
        return True
    except OSError:
        return False
    try:
        return not _try_lock(file, shared=not shared)
    finally:
        os.close(file)


def _try_lock(file: int, *, shared: bool) -> bool:
    """Locks an open file unless another process has; raises `OSError` where its file system has no locks."""
    try:
        lock(file, (LockFlags.SHARED if shared else LockFlags.EXCLUSIVE) | LockFlags.NON_BLOCKING)
    except AlreadyLocked:
        return False
    except LockException as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK)) from error
    return True
