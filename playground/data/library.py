"""What is kept of the data sets that visitors bring: a folder and a record of each, bounded, the least used go first.

Beside the folder of each uploaded data set lies its record, NAME.json: what the check found, and the folder on the
server's disk where it was named instead of uploaded.
"""

import json
import os
import re
import shutil
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock
from typing import NamedTuple

from core.analysis.dataset_check import DataCheck
from core.data.splits import SPLITS_FILE
from core.data.untrusted import DataError, quote
from core.data.zip_import import Limits
from core.io.atomic import write_text
from playground.data.image_ref import SCENES
from playground.support.trash import Deleted, Trash

MAX_NAME = 40  # characters
MOST_DELETED = 3  # data sets that can still be put back


class Bounds(NamedTuple):
    """How much is kept for all visitors together, and what one zip may hold."""

    sets: int = 12
    size: int = 8 * 2**30
    zip: Limits = Limits(size=4 * 2**30, files=100_000)


class StoredDataSet(NamedTuple):
    """A data set that is kept.

    Attributes:
        name: Under which it is asked for.
        folder: Where it lies.
        uploaded: Whether the folder is the library's own.
        size: Bytes of that folder, 0 for one that was named.
        stamp: Changes when its pictures or splits do.
        check: What a look through it found.
        owner: Who brought it, see `playground.support.visitors`; "" for nobody.
    """

    name: str
    folder: Path
    uploaded: bool
    size: int
    stamp: int
    check: DataCheck
    owner: str = ""

    @property
    def splits(self) -> dict[str, int]:
        """Pictures of each split."""
        return {name: split.pictures for name, split in self.check.splits.items()}


class DataSetLibrary:
    """Where data sets are kept.

    Args:
        folder: The folder. It is created when the first data set is added.
        bounds: Limits on the number and size of the data sets.
        needed_by: Return True for a data set that must stay as it is, such as one that a run trains on.
    """

    def __init__(self, folder: Path, bounds: Bounds, needed_by: Sequence[Callable[[StoredDataSet], bool]] = ()) -> None:
        self.folder, self.bounds, self.needed_by = folder.resolve(), bounds, needed_by
        self._trash = Trash(self.folder, MOST_DELETED)
        self._lock = RLock()
        self._kept: OrderedDict[str, StoredDataSet] | None = None  # least recently used first

    def names(self) -> tuple[str, ...]:
        """Returns the names of all that are kept."""
        with self._lock:
            return tuple(sorted(self._all()))

    def get(self, name: str) -> StoredDataSet:
        """Returns a data set by name.

        Raises:
            DataError: It is not kept here.
        """
        with self._lock:
            kept = self._all().get(name)
        if kept is None or not kept.folder.is_dir():
            raise DataError(
                f"The data set {quote(name)} is not kept here: upload it again, or choose another above the picture."
            )
        return kept

    def touch(self, name: str) -> None:
        """Notes that a data set was used."""
        with self._lock:
            if name in self._all():
                self._all().move_to_end(name)
                os.utime(self._record(name))

    def is_in_use(self, kept: StoredDataSet) -> bool:
        """True if a data set must stay as it is."""
        return any(is_needed(kept) for is_needed in self.needed_by)

    def make_folder(self) -> None:
        """Makes the folder of all.

        Raises:
            DataError: It cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"Data sets cannot be kept here ({error.strerror}): tell the operator.") from None

    def make_room(self, size: int, title: str) -> None:
        """Drops what was deleted, then the least recently used, until one more of a size can be kept.

        Raises:
            DataError: There would be no room even so; then none is dropped.
        """
        with self._lock:
            kept = self._all()
            droppable = [each for each in kept.values() if not self.is_in_use(each)]
            total, count = size + sum(each.size for each in kept.values()), len(kept) + 1
            self._empty_trash(self.bounds.size - total)
            dropped = []
            while (full := total > self.bounds.size or count > self.bounds.sets) and droppable:
                dropped.append(droppable.pop(0))
                total, count = total - dropped[-1].size, count - 1
            if full:
                bounds = f"{self.bounds.sets} data sets of {self.bounds.size / 2**30:g} GB in all"
                raise DataError(
                    f"There is no room for {title}: at most {bounds} are kept, and those here are in use. "
                    "Bring a smaller one, or try again later."
                )
            for each in dropped:
                self._drop(each)

    def _empty_trash(self, room: int) -> None:
        """Leaves of what was deleted, latest first, what there is room for."""
        for each in self._trash.entries():
            room -= each.size
            if room < 0:
                self._trash.remove(each.key)

    def delete(self, name: str) -> Deleted:
        """Puts a data set into the trash; what lies in a folder of the server's stays there.

        Raises:
            DataError: It is not kept, is in use, or cannot be moved.
        """
        with self._lock:
            kept = self.get(name)
            if self.is_in_use(kept):
                raise in_use_error(name)
            record = self._record(name).name
            try:
                deleted = self._trash.put([record, *([name] if kept.uploaded else [])], name, kept.owner, kept.size)
            except OSError as error:
                raise DataError(f"The data set {name} cannot be deleted: {error.strerror}.") from None
            del self._all()[name]
        return deleted

    def deleted(self) -> list[Deleted]:
        """Returns what can be put back, the latest first."""
        return self._trash.entries()

    def put_back(self, key: str) -> StoredDataSet:
        """Puts a deleted data set back into the library.

        Raises:
            UserError: It is not in the trash any more, something else is in its place, or there is no room.
        """
        with self._lock:
            deleted = self._trash.get(key)
            if len(self._all()) >= self.bounds.sets:
                raise DataError(
                    f"There is no room for {deleted.title}: {self.bounds.sets} are kept. Delete another first."
                )
            self._trash.put_back(key)
            kept = _read(self._record(deleted.title))
            if kept is None:
                raise DataError(f"The data set {deleted.title} cannot be read any more: upload it again.")
            self._all()[kept.name] = kept
        return kept

    def of_folder(self, folder: Path) -> StoredDataSet | None:
        """Returns the data set that stands for a folder of the server's, None if there is none."""
        with self._lock:
            return next((each for each in self._all().values() if not each.uploaded and each.folder == folder), None)

    def _drop(self, kept: StoredDataSet) -> None:
        self._record(kept.name).unlink(missing_ok=True)  # first, so that no half of it is found again
        if kept.uploaded:
            shutil.rmtree(kept.folder, ignore_errors=True)
        del self._all()[kept.name]

    def keep(self, kept: StoredDataSet) -> StoredDataSet:
        """Puts a data set into the library, or notes what changed about it."""
        folder = None if kept.uploaded else str(kept.folder)
        record = {"folder": folder, "size": kept.size, "check": kept.check.to_dict(), "owner": kept.owner}
        with self._lock:
            write_text(self._record(kept.name), json.dumps(record))
            self._all()[kept.name] = kept
            self._all().move_to_end(kept.name)
        return kept

    def free_name(self, title: str) -> str:
        """Returns a name for a data set that is a plain file name and not taken."""
        stem = re.sub(r"\.zip$", "", title, flags=re.IGNORECASE)
        safe = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:MAX_NAME] or "data"
        there = self.folder.iterdir() if self.folder.is_dir() else ()
        taken = {SCENES, *(name.lower() for name in self.names()), *(path.name.lower() for path in there)}
        taken |= {each.title.lower() for each in self.deleted()}  # they may come back
        names = (safe if number == 1 else f"{safe}-{number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name.lower() not in taken)

    def _all(self) -> OrderedDict[str, StoredDataSet]:
        if self._kept is None:
            for half in self.folder.glob(".*.part"):  # of an import that was killed
                shutil.rmtree(half, ignore_errors=True)
            records = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
            found = (_read(record) for record in records)
            self._kept = OrderedDict((kept.name, kept) for kept in found if kept)
        return self._kept

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def in_use_error(name: str) -> DataError:
    """Returns why a data set must stay as it is."""
    return DataError(f"The data set {name} is in use by a run or an evaluation: wait until it has ended.")


def stamp_of(folder: Path) -> int:
    """Returns a number that changes when a folder or its list of splits does."""
    paths = (folder, folder / SPLITS_FILE)
    return max((path.stat().st_mtime_ns for path in paths if path.exists()), default=time.time_ns())


def _read(record: Path) -> StoredDataSet | None:
    """Returns what a record tells, None where it is broken."""
    try:
        values = json.loads(record.read_text("utf-8"))
        folder = Path(values["folder"]) if values["folder"] else record.with_suffix("")
        check = DataCheck.from_dict(values["check"])
        size, owner = int(values["size"]), str(values.get("owner", ""))
        return StoredDataSet(record.stem, folder, not values["folder"], size, stamp_of(folder), check, owner)
    except (OSError, ValueError, KeyError, TypeError):
        return None
