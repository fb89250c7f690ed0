"""Folders that several processes change, one at a time, the things in them that some use while others would change
them, and what to say when a disk does not take a change.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock

from core.errors import UserError
from core.io.atomic import mark_used
from core.io.locks import RETRY_SECONDS, FileLock
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


class Uses:
    """The locks of the things in a folder: users share the lock of a thing, and a change holds it alone.

    The modification time of a lock is that of the last use.

    Args:
        folder: Where the locks lie. It is created when the first one is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dropped: set[str] = set()

    def share(self, name: str) -> FileLock | None:
        """Returns a lock that keeps others from changing a thing, None while one of them does."""
        try:
            return self._acquire(name, shared=True)
        except OSError:  # a folder that cannot be changed holds what is only read
            return FileLock(-1)

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Yields True and keeps others from using a thing; yields False if somebody uses it.

        Raises:
            OSError: The lock cannot be created.
        """
        lock = self._acquire(name, shared=False)
        if lock is None:
            yield False
            return
        with lock:
            yield True
            if name in self._dropped:
                self._dropped.remove(name)
                lock.remove(self._file(name))

    def mark(self, name: str) -> None:
        """Marks a thing as used now; does nothing in a folder that cannot be changed."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file(name).touch()
            mark_used(self._file(name))

    def last(self, name: str) -> int:
        """Returns when a thing was last used, in nanoseconds; 0 if it never was."""
        return modified_at(self._file(name))

    def drop(self, name: str) -> None:
        """Removes the lock of a thing that is gone, as soon as its caller, who uses it alone, has ended that."""
        self._dropped.add(name)

    def names(self) -> list[str]:
        """Returns the names of all things that have a lock."""
        return [path.name for path in self._folder.glob("*") if not path.name.startswith(".")]

    def _acquire(self, name: str, *, shared: bool) -> FileLock | None:
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            lock = FileLock.try_acquire(self._file(name), shared=shared, timeout=RETRY_SECONDS if shared else 0)
            if lock is None or lock.is_on(self._file(name)):
                return lock
            lock.close()  # removed between being opened and being locked

    def _file(self, name: str) -> Path:
        return self._folder / name


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
