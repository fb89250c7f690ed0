"""Locks on data sets in use, across processes: users share the lock of a data set, and a change holds it alone."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.io.locks import RETRY_SECONDS, FileLock
from playground.support.shared_folder import modified_at


class Uses:
    """The locks of data sets; the modification time of each is that of the last use.

    Args:
        folder: Where the locks lie. It is created when the first one is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def share(self, name: str) -> FileLock | None:
        """Returns a lock that keeps others from changing a data set, None while one of them does."""
        try:
            return self._acquire(name, shared=True)
        except OSError:  # a folder that cannot be changed holds what is only read
            return FileLock(-1)

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Yields True and keeps others from using a data set; yields False if somebody uses it.

        Raises:
            OSError: The lock cannot be created.
        """
        lock = self._acquire(name, shared=False)
        if lock is None:
            yield False
            return
        with lock:
            yield True

    def mark(self, name: str) -> None:
        """Marks a data set as used now; does nothing in a folder that cannot be changed."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file(name).touch()

    def last(self, name: str) -> int:
        """Returns when a data set was last used, in nanoseconds; 0 if it never was."""
        return modified_at(self._file(name))

    def drop(self, name: str) -> None:
        """Removes the lock of a data set that is gone; its caller uses it alone."""
        self._file(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Returns the names of all data sets that have a lock."""
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
