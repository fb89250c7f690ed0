"""The data sets that visitors brought, in a folder of limited size; the least recently used ones are removed first.

Each data set has a record, NAME.json, with the result of its check. An uploaded data set is stored in the folder NAME
beside its record. For a data set on the server's disk the record names the folder.
"""

import os
import re
import shutil
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock
from typing import NamedTuple

from core.data.untrusted import DataError, quote
from core.data.zip_import import Limits
from playground.albums.album import is_album_key
from playground.data.image_ref import PHOTOGRAPHS, SCENES, UPLOAD
from playground.data.stored.records import StoredDataSet, read_record, write_record
from playground.support.trash import Deleted, Trash

RESERVED = (SCENES, PHOTOGRAPHS, UPLOAD)  # sources that are no data sets
MAX_NAME = 40  # characters
MAX_DELETED = 3  # data sets that can be restored


class Bounds(NamedTuple):
    """Limits of the library, which all visitors share.

    Attributes:
        sets: The number of data sets.
        size: Bytes of all uploaded data sets together.
        zip: Limits of one zip archive.
    """

    sets: int = 12
    size: int = 8 * 2**30
    zip: Limits = Limits(size=4 * 2**30, files=100_000)


class DataSetLibrary:
    """The data sets in a folder.

    Args:
        folder: The folder. It is created when the first data set is added.
        bounds: Limits on the number and size of the data sets.
        needed_by: Return True for a data set that must stay as it is, such as one that a run trains on.
    """

    def __init__(self, folder: Path, bounds: Bounds, needed_by: Sequence[Callable[[StoredDataSet], bool]] = ()) -> None:
        self.folder, self.bounds, self.needed_by = folder.resolve(), bounds, needed_by
        self._trash = Trash(self.folder, MAX_DELETED)
        self._lock = RLock()
        self._data_sets: OrderedDict[str, StoredDataSet] | None = None  # least recently used first

    def names(self) -> tuple[str, ...]:
        """Returns the names of all data sets."""
        with self._lock:
            return tuple(sorted(self._load()))

    def get(self, name: str) -> StoredDataSet:
        """Returns a data set by name.

        Raises:
            DataError: There is no such data set.
        """
        with self._lock:
            data_set = self._load().get(name)
        if data_set is None or not data_set.folder.is_dir():
            raise DataError(
                f"There is no data set {quote(name)} here: upload it again, or choose another one above the picture."
            )
        return data_set

    def find_folder(self, folder: Path) -> StoredDataSet | None:
        """Returns the data set in a folder on the server's disk, None if it has not been added."""
        with self._lock:
            return next((each for each in self._load().values() if not each.uploaded and each.folder == folder), None)

    def touch(self, name: str) -> None:
        """Marks a data set as the most recently used one."""
        with self._lock:
            if name in self._load():
                self._load().move_to_end(name)
                os.utime(self._record(name))

    def is_in_use(self, data_set: StoredDataSet) -> bool:
        """True if a data set must stay as it is."""
        return any(is_needed(data_set) for is_needed in self.needed_by)

    def put(self, data_set: StoredDataSet) -> StoredDataSet:
        """Adds a data set, or replaces the record of one."""
        with self._lock:
            write_record(self._record(data_set.name), data_set)
            self._load()[data_set.name] = data_set
            self._load().move_to_end(data_set.name)
        return data_set

    def make_folder(self) -> None:
        """Creates the folder of the library.

        Raises:
            DataError: It cannot be created.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"The server cannot store data sets ({error.strerror}): ask its operator to correct that."
            ) from None

    def make_room(self, size: int, title: str) -> None:
        """Removes deleted data sets, then the least recently used ones, until another one fits.

        Args:
            size: Bytes of the new data set.
            title: Its name, for the message.

        Raises:
            DataError: It does not fit even then; in this case nothing but deleted data sets is removed.
        """
        with self._lock:
            data_sets = self._load()
            removable = [each for each in data_sets.values() if not self.is_in_use(each)]
            total, count = size + sum(each.size for each in data_sets.values()), len(data_sets) + 1
            self._shrink_trash(self.bounds.size - total)
            removed = []
            while (full := total > self.bounds.size or count > self.bounds.sets) and removable:
                removed.append(removable.pop(0))
                total, count = total - removed[-1].size, count - 1
            if full:
                raise DataError(
                    f"There is no room for {title}: at most {self.bounds.sets} data sets of "
                    f"{self.bounds.size / 2**30:g} GB in total are stored, and the present ones are in use. "
                    "Use a smaller one, or try again later."
                )
            for each in removed:
                self._remove(each)

    def delete(self, name: str) -> Deleted:
        """Moves a data set into the trash. A folder on the server's disk stays; only its record is moved.

        Raises:
            DataError: There is no such data set, it is in use, or it cannot be moved.
        """
        with self._lock:
            data_set = self.get(name)
            if self.is_in_use(data_set):
                raise in_use_error(name)
            names = [self._record(name).name, *([name] if data_set.uploaded else [])]
            try:
                deleted = self._trash.put(names, name, data_set.owner, data_set.size)
            except OSError as error:
                raise DataError(f"The data set {name} cannot be deleted: {error.strerror}.") from None
            del self._load()[name]
        return deleted

    def list_deleted(self) -> list[Deleted]:
        """Returns the data sets that can be restored, the latest first."""
        return self._trash.entries()

    def restore(self, key: str) -> StoredDataSet:
        """Moves a deleted data set back into the library.

        Raises:
            UserError: It is no longer in the trash, another file has taken its place, or there is no room.
        """
        with self._lock:
            deleted = self._trash.get(key)
            if len(self._load()) >= self.bounds.sets:
                raise DataError(
                    f"There is no room for {deleted.title}: at most {self.bounds.sets} data sets are stored. Delete "
                    "another one first."
                )
            self._trash.put_back(key)
            data_set = read_record(self._record(deleted.title))
            if data_set is None:
                raise DataError(f"The data set {deleted.title} cannot be read any more: upload it again.")
            self._load()[data_set.name] = data_set
        return data_set

    def choose_name(self, title: str) -> str:
        """Returns an unused name for a data set, which is a plain file name that resembles its title."""
        stem = re.sub(r"\.zip$", "", title, flags=re.IGNORECASE)
        safe = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:MAX_NAME] or "data"
        files = self.folder.iterdir() if self.folder.is_dir() else ()
        taken = {*RESERVED, *(name.lower() for name in self.names()), *(path.name.lower() for path in files)}
        taken |= {each.title.lower() for each in self.list_deleted()}  # these can be restored
        names = (safe if number == 1 else f"{safe}-{number}" for number in range(1, len(taken) + 3))
        return next(name for name in names if name.lower() not in taken and not is_album_key(name.lower()))

    def _shrink_trash(self, room: int) -> None:
        """Removes deleted data sets for good, the oldest first, until the rest takes at most `room` bytes."""
        for each in self._trash.entries():
            room -= each.size
            if room < 0:
                self._trash.remove(each.key)

    def _remove(self, data_set: StoredDataSet) -> None:
        self._record(data_set.name).unlink(missing_ok=True)  # first, so that a half-removed folder is not found again
        if data_set.uploaded:
            shutil.rmtree(data_set.folder, ignore_errors=True)
        del self._load()[data_set.name]

    def _load(self) -> OrderedDict[str, StoredDataSet]:
        """Returns the data sets by name; the first call reads them from the disk."""
        if self._data_sets is None:
            for partial in self.folder.glob(".*.part"):  # left by an interrupted import
                shutil.rmtree(partial, ignore_errors=True)
            records = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
            data_sets = (read_record(record) for record in records)
            self._data_sets = OrderedDict((each.name, each) for each in data_sets if each)
        return self._data_sets

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def in_use_error(name: str) -> DataError:
    """Returns the error for a data set that must stay as it is."""
    return DataError(f"The data set {name} is in use by a run or an evaluation: wait until it has ended.")
