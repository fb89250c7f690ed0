"""The data sets that visitors brought, in a folder of limited size.

For another one, those of its owner that were used least recently make room, and go into the trash. Nobody's data set
makes room for that of another visitor.

Each data set has a record, NAME.json, with the result of its check. An uploaded data set is stored in the folder NAME
beside its record. For a data set on the server's disk the record names the folder.

Several processes may share the folder. Each reads the list again when it has changed, and changes it alone. A kill at
any instant leaves the old or the new data sets: an uploaded one is there if its record and its folder are, which come
and go one after the other, and `sweep` removes what is left of one that has only a record.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from core.data.untrusted import DataError, quote
from core.io.moving import remove, rename
from playground.data.stored.access import LibraryAccess, explaining
from playground.data.stored.bounds import Bounds
from playground.data.stored.listing import SUFFIX
from playground.data.stored.naming import choose_name
from playground.data.stored.records import StoredDataSet, stand_in, write_record
from playground.support.shared_folder import modified_at
from playground.support.trash import Deleted


class DataSetLibrary(LibraryAccess):
    """The data sets in a folder, to look at and to change.

    Args:
        folder: The folder. It is created when the first data set is added.
        bounds: Limits on the number and size of the data sets.
        needed_by: Return True for a data set that must stay as it is, such as one that a run trains on.
    """

    def __init__(self, folder: Path, bounds: Bounds, needed_by: Sequence[Callable[[StoredDataSet], bool]] = ()) -> None:
        super().__init__(folder)
        self.bounds, self.needed_by = bounds, needed_by

    @contextmanager
    def alone(self, name: str) -> Iterator[StoredDataSet]:
        """Yields a data set, which nobody else can use or change meanwhile.

        Raises:
            DataError: There is no such data set, or it is in use.
        """
        with explaining("change"), self._uses.alone(name) as free:
            data_set = self.get(name)
            if not free or self._is_needed(data_set):
                raise DataError(
                    f"The data set {name} is in use by a run or an evaluation, or is being changed: wait until that "
                    "has ended."
                )
            yield data_set

    def put(self, data_set: StoredDataSet) -> StoredDataSet:
        """Replaces the record of a data set, and returns it as it is stored.

        Raises:
            DataError: It cannot be written.
        """
        with self.changing():
            write_record(self._record(data_set.name), data_set)
        self._uses.mark(data_set.name)
        return self.get(data_set.name)

    def prepare(self) -> None:
        """Creates the folder, and sweeps it, before a data set is unpacked there.

        Raises:
            DataError: It cannot be created.
            UserError: Another process makes a change for too long.
        """
        with self.changing():
            self.sweep(0)

    def add(
        self, title: str, size: int, owner: str, make: Callable[[str], StoredDataSet], unpacked: Path | None
    ) -> StoredDataSet:
        """Adds a data set, and moves those that must make room for it into the trash.

        Args:
            title: Its name for people, which the one in the library resembles.
            size: Bytes of it, 0 for a folder of the server.
            owner: The visitor who brings it.
            make: Returns the data set, from its name in the library.
            unpacked: Its folder, which is moved into the library; None for a folder of the server.

        Raises:
            DataError: It does not fit, or cannot be stored; nothing is changed then.
        """
        with self.changing(), ExitStack() as held:
            removed = self._choose_removed(size, title, owner, held)
            data_set = make(self._choose_name(title))
            record = self._record(data_set.name)
            write_record(record, data_set)
            try:
                if unpacked:
                    rename(unpacked, data_set.folder)
            except OSError:
                remove(record)
                raise
            self._uses.mark(data_set.name)
            for each in removed:
                with suppress(OSError):  # else it makes room for the next one
                    self._discard(each)
            self._shrink_trash(owner)
        return self.get(data_set.name)

    def delete(self, name: str) -> Deleted:
        """Moves a data set into the trash. A folder on the server's disk stays; only its record is moved.

        Raises:
            DataError: There is no such data set, it is in use, or it cannot be moved.
        """
        with self.changing(), self.alone(name) as data_set:
            return self._discard(data_set)

    def delete_unread(self, name: str) -> Deleted:
        """Moves a data set that cannot be read into the trash.

        Raises:
            DataError: There is no such data set, it is in use, or it cannot be moved.
        """
        with self.changing(), self._uses.alone(name) as free:
            if name not in self.list_unread():
                raise DataError(f"There is no data set {quote(name)} here that cannot be read: reload the page.")
            if not free or self._is_needed(stand_in(self._record(name))):
                raise DataError(f"The data set {name} is in use by a run or an evaluation: wait until that has ended.")
            return self._discard(stand_in(self._record(name)))

    def list_deleted(self) -> list[Deleted]:
        """Returns the data sets that can be restored, the latest first."""
        return self._trash.entries()

    def restore(self, key: str) -> StoredDataSet:
        """Moves a deleted data set back into the library.

        Raises:
            UserError: It is no longer in the trash, another file has taken its place, or there is no room.
        """
        with self.changing():
            deleted = self._trash.get(key)
            self.bounds.require_place(self.by_name().values(), deleted.title, deleted.owner)
            self._trash.put_back(key)
        if deleted.title not in self.by_name():
            raise DataError(f"The data set {deleted.title} is back, but it still cannot be read: upload it again.")
        return self.get(deleted.title)

    def _is_needed(self, data_set: StoredDataSet) -> bool:
        return any(is_needed(data_set) for is_needed in self.needed_by)

    def _choose_name(self, title: str) -> str:
        files = (path.name.removesuffix(SUFFIX) for path in self.folder.iterdir())
        return choose_name(title, {*files, *(each.title for each in self.list_deleted())})  # these can be restored

    def _choose_removed(self, size: int, title: str, owner: str, held: ExitStack) -> Sequence[StoredDataSet]:
        """Returns the data sets to remove for another one; `held` keeps others from using them. Raises as `add`."""

        def may_remove(each: StoredDataSet) -> bool:
            return not self._is_needed(each) and held.enter_context(self._uses.alone(each.name))

        data_sets = sorted(self.by_name().values(), key=self._last_used)
        return self.bounds.choose_removed(data_sets, size, title, owner, may_remove)

    def _last_used(self, data_set: StoredDataSet) -> int:
        return max(self._uses.last(data_set.name), modified_at(self._record(data_set.name)))

    def _shrink_trash(self, owner: str) -> None:
        """Removes deleted data sets for good, a visitor's own first, the oldest first, until all fit the limit."""
        room = self.bounds.size - sum(each.size for each in self.by_name().values())
        for each in sorted(self._trash.entries(), key=lambda each: each.owner == owner):
            room -= each.size
            if room < 0:
                self._trash.remove(each.key)

    def _discard(self, data_set: StoredDataSet) -> Deleted:
        """Moves a data set into the trash; its caller uses it alone."""
        names = [self._record(data_set.name).name, *([data_set.name] if data_set.uploaded else [])]
        deleted = self._trash.put(names, data_set.name, data_set.owner, data_set.size)
        self.splits.drop(data_set.name)
        self._uses.drop(data_set.name)
        return deleted

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"
