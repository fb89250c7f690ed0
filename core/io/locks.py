"""Locks on files (flock): held while a process lives and gone with it, however it ends."""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

RETRY_SECONDS, PAUSE_SECONDS = 0.5, 0.01  # whoever looks at a lock (`is_held`) holds it for a moment


class FileLock:
    """A lock that is held until `close`, or until the process ends.

    A forked child shares it: it stays held until both have closed it or ended.

    Args:
        file: Descriptor of the locked file.
    """

    def __init__(self, file: int) -> None:
        self._file = file

    @classmethod
    def take(cls, path: Path, *, shared: bool = False, patience: float = RETRY_SECONDS) -> Self | None:
        """Returns the lock on a file, which is made if need be; None if somebody else holds it for `patience`."""
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        deadline = time.monotonic() + patience
        while not _locked(file, kind):
            if time.monotonic() > deadline:
                os.close(file)
                return None
            time.sleep(PAUSE_SECONDS)
        return cls(file)

    @classmethod
    def wait(cls, path: Path) -> Self:
        """Returns the lock on a file once nobody else holds it."""
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(file, fcntl.LOCK_EX)
        return cls(file)

    def close(self) -> None:
        """Lets go of the lock, unless a forked process holds it, too."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def is_held(path: Path, *, shared: bool = False) -> bool:
    """Tells whether somebody holds the lock on a file; a file that is not there is not locked.

    Args:
        path: The file.
        shared: Whether locks that several can hold at a time count, too.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _locked(file, fcntl.LOCK_EX if shared else fcntl.LOCK_SH)
    finally:
        os.close(file)


def _locked(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
