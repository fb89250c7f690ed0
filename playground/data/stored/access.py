"""Read access to the data sets in a folder, which several processes may share, and the locks that keep them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.data.untrusted import DataError, quote
from core.errors import UserError
from core.io.locks import FileLock
from playground.data.stored.listing import Listing
from playground.data.stored.records import StoredDataSet
from playground.data.stored.split_history import SplitHistory
from playground.data.stored.sweep import sweep_library
from playground.support.shared_folder import FolderLock, Uses, explain_disk
from playground.support.trash import Trash

MAX_DELETED = 3  # data sets that can be restored
LOCKS, WHOLE = ".locks", ".library"  # the folder of all locks, and that of the library in it
SPLITS = ".splits"  # the folder of notes on splits
SWEEP_SECONDS = 1.0  # for which the first look at the library waits to sweep it


class LibraryAccess:
    """The data sets in a folder, to look at.

    Args:
        folder: The folder; there may be none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.splits = SplitHistory(self.folder / SPLITS)
        self._listing, self._uses = Listing(self.folder), Uses(self.folder / LOCKS)
        self._whole = FolderLock(self.folder / LOCKS / WHOLE)
        self._trash = Trash(self.folder, MAX_DELETED)
        self._swept = False

    def names(self) -> tuple[str, ...]:
        """Returns the names of all data sets."""
        return tuple(sorted(self.by_name()))

    def by_name(self) -> dict[str, StoredDataSet]:
        """Returns the data sets by name; the first call also sweeps the folder, unless another process is at work."""
        if not self._swept:
            self._swept = True
            with suppress(UserError):
                self.sweep(SWEEP_SECONDS)
        return self._listing.read()

    def list_unread(self) -> list[str]:
        """Returns the names of the data sets that cannot be read; nobody can tell what they are, nor whose."""
        return self._listing.list_unread()

    def get(self, name: str) -> StoredDataSet:
        """Returns a data set by name.

        Raises:
            DataError: There is no such data set, or it cannot be read.
        """
        data_set = self.by_name().get(name)
        if data_set is None and name in self.list_unread():
            raise DataError(
                f"The data set {quote(name)} cannot be read, because its record is damaged: delete it, and upload it "
                "again."
            )
        if not self._listing.is_readable():
            raise DataError("The server cannot read its folder of data sets: ask its operator to allow that.")
        if data_set is None or not os.path.isdir(data_set.folder):
            raise DataError(
                f"There is no data set {quote(name)} here: upload it again, or choose another one above the picture."
            )
        return data_set

    def find_folder(self, folder: Path) -> StoredDataSet | None:
        """Returns the data set in a folder on the server's disk, None if it has not been added."""
        known = (each for each in self.by_name().values() if not each.uploaded and each.folder == folder)
        return next(known, None)

    def touch(self, name: str) -> None:
        """Marks a data set as the most recently used one."""
        if name in self.by_name():
            self._uses.mark(name)

    def hold(self, name: str) -> FileLock:
        """Returns a lock that keeps a data set as it is, for every process, until it is closed.

        Raises:
            DataError: There is no such data set, or it is being changed.
        """
        self.get(name)  # before a lock is made for it
        lock = self._uses.share(name)
        if lock is None:
            raise DataError(f"The data set {name} is being split or deleted: try again in a minute.")
        try:
            self.get(name)
        except DataError:
            lock.close()
            raise
        return lock

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keeps all other threads and processes from adding and removing data sets.

        Raises:
            DataError: The disk does not take the changes.
        """
        with explaining("store"), self._whole.hold():
            yield

    def sweep(self, seconds: float) -> None:
        """Removes what killed processes left, and completes or takes back what they had begun.

        Args:
            seconds: For how long to wait until another process has made its change.

        Raises:
            UserError: It takes longer, or the disk does not take the changes.
        """
        if not self.folder.is_dir():
            return
        with explaining("store"), self._whole.hold(seconds):
            self._trash.entries()  # which it sweeps
            sweep_library(self.folder, self._listing, self._uses, self.splits)


@contextmanager
def explaining(change: str) -> Iterator[None]:
    """Turns an error of the disk into a `DataError`."""
    try:
        yield
    except OSError as error:
        raise DataError(f"The server cannot {change} data sets, because {explain_disk(error)}.") from None
