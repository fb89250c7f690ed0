"""The data sets of the page: uploading, adding folders, splitting, deleting and opening them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from core.config import Config
from core.data.dataset import FolderData
from core.data.folders import open_folder
from core.data.untrusted import DataError, quote
from core.io.paths import hide_folder
from playground.data import adding, splitting
from playground.data.checking import Progress
from playground.data.stored.bounds import Bounds
from playground.data.stored.library import DataSetLibrary
from playground.data.stored.records import StoredDataSet
from playground.support import starting
from playground.support.cache import Cache
from playground.support.trash import Deleted
from playground.support.visitors import VISITORS
from playground.support.wording import hide_server


class DataSets:
    """The data sets of the page.

    Args:
        folder: Where uploaded data sets are stored.
        bounds: Limits on their number and size, None for the defaults.
    """

    def __init__(self, folder: Path, bounds: Bounds | None = None) -> None:
        self.library = DataSetLibrary(folder, bounds or Bounds())
        self._allowed: Path | None = None  # visitors may use the folders in it; None forbids that
        self._splits = Cache()

    @property
    def allows_folders(self) -> bool:
        """True if visitors may use data sets on the server's disk."""
        return self._allowed is not None

    def allow_folder(self, folder: Path | None) -> None:
        """Allows visitors to use the data sets in a folder on the server's disk; None allows uploads only."""
        self._allowed = folder and folder.resolve()

    def use_folder(self, folder: Path) -> None:
        """Switches to the data sets stored in another folder."""
        self.library = DataSetLibrary(folder, self.library.bounds, self.library.needed_by)

    def protect(self, *needed_by: Callable[[StoredDataSet], bool]) -> None:
        """Protects data sets: one for which a function returns True is not split, deleted or removed."""
        self.library.needed_by = needed_by

    def open_split(self, name: str, split: str) -> FolderData:
        """Opens a split of a data set, and marks the data set as used.

        Raises:
            DataError: There is no such data set or split, or it cannot be read.
        """
        data_set = self.library.get(name)
        self.library.touch(name)
        if split not in data_set.splits:
            raise DataError(f"The data set {name} has no pictures for {split}: split it in the Picture step.")
        data: FolderData = self._splits.get((name, data_set.stamp, split), lambda: _open_split(data_set, split))
        return data

    def add_zip(
        self,
        archive: Path,
        title: str,
        config: Config,
        progress: Progress = lambda done, total: None,
        *,
        owner: str = "",
        format: str | None = None,
    ) -> StoredDataSet:
        """Unpacks and checks an uploaded data set. One with an issue that prevents training is removed again.

        Args:
            archive: The zip; its contents are not trusted.
            title: The name of the uploaded file.
            config: The anchors and image sizes to check the data set against.
            progress: Called with the number of pictures checked and their total.
            owner: The visitor who uploads it, see `playground.support.visitors`.
            format: The key of its annotation format; None to detect it.

        Raises:
            AmbiguousFormatError: It can be read in several formats.
            RefusedError: An issue prevents training.
            DataError: The archive is damaged, too large or contains no data set, or there is no room for it.
        """
        return adding.add_zip(self.library, archive, title, config, progress, owner=owner, format=format)

    def add_folder(
        self,
        text: str,
        config: Config,
        progress: Progress = lambda done, total: None,
        *,
        owner: str = "",
        format: str | None = None,
    ) -> StoredDataSet:
        """Adds a data set in a folder on the server's disk, which stays there. Adding it again only checks it again.

        Args:
            text: The path that a visitor typed, relative to the allowed folder.
            config: The anchors and image sizes to check the data set against.
            progress: Called with the number of pictures checked and their total.
            owner: The visitor who adds it, see `playground.support.visitors`.
            format: The key of its annotation format; None to detect it.

        Raises:
            AmbiguousFormatError: It can be read in several formats.
            RefusedError: An issue prevents training.
            DataError: The operator does not allow the folder, it contains no data set, or there is no room for it.
        """
        folder = adding.find_allowed(self._allowed, text)
        return adding.add_folder(self.library, folder, text, config, progress, owner=owner, format=format)

    def split(self, name: str, by: str, shares: Sequence[float], config: Config, *, visitor: str = "") -> StoredDataSet:
        """Splits a data set again, or restores its own splits, and checks it again.

        Args:
            name: The name of the data set.
            by: One of `splitting.SPLIT_CHOICES`.
            shares: The shares of train, val and test; they add up to 1.
            config: The anchors and image sizes to check the data set against, and the seed.
            visitor: The visitor who splits it.

        Raises:
            NotYoursError: Another visitor added it.
            DataError: There is no such data set, it is in use, or the split is not possible.
        """
        self._require_owner(name, visitor)
        return splitting.split(self.library, name, by, shares, config)

    def last_split(self, visitor: str = "") -> str:
        """Returns the data set whose last split a visitor can undo, "" if there is none."""
        mine = (each for each in self.library.by_name().values() if VISITORS.may_change(each.owner, visitor))
        return self.library.splits.last(mine)

    def undo_split(self, config: Config, *, visitor: str = "") -> StoredDataSet:
        """Restores the splits that the data set of `last_split` had before, and checks it again.

        Raises:
            DataError: There is none, or the data set is in use.
        """
        name = self.last_split(visitor)
        if not name:
            raise DataError("There is no split of yours to undo any more: split the data set again.")
        return splitting.undo_split(self.library, name, config)

    def delete(self, name: str, *, visitor: str = "") -> Deleted:
        """Deletes a data set; `restore` undoes that.

        Raises:
            NotYoursError: Another visitor added it.
            DataError: There is no such data set, it is in use, or it cannot be deleted.
        """
        self._require_owner(name, visitor)
        return self.library.delete(name)

    def list_unread(self) -> list[str]:
        """Returns the names of the data sets that cannot be read and that any visitor may delete."""
        return [] if VISITORS.apart else self.library.list_unread()

    def delete_unread(self, name: str) -> Deleted:
        """Deletes a data set that cannot be read; `restore` undoes that.

        Raises:
            DataError: There is no such data set, visitors are kept apart, it is in use, or it cannot be deleted.
        """
        if VISITORS.apart:
            raise DataError(
                f"The data set {quote(name)} cannot be read: only the operator of the server can delete it."
            )
        return self.library.delete_unread(name)

    def last_deleted(self, visitor: str = "") -> Deleted | None:
        """Returns the data set that a visitor deleted last and can restore, None if there is none."""
        mine = (each for each in self.library.list_deleted() if VISITORS.may_change(each.owner, visitor))
        return next(mine, None)

    def restore(self, visitor: str = "") -> StoredDataSet:
        """Restores the data set that `last_deleted` returns.

        Raises:
            UserError: There is none, another file has taken its place, or there is no room.
        """
        deleted = self.last_deleted(visitor)
        if deleted is None:
            raise DataError("There is no deleted data set of yours to restore any more: upload it again.")
        return self.library.restore(deleted.key)

    def _require_owner(self, name: str, visitor: str) -> None:
        """Raises `NotYoursError` if another visitor added a data set, `DataError` if there is none."""
        VISITORS.require(self.library.get(name).owner, visitor, f"The data set {name}")


def _open_split(data_set: StoredDataSet, split: str) -> FolderData:
    try:
        return open_folder(data_set.folder, split, format=data_set.format)
    except DataError as error:
        raise DataError(hide_folder(str(error), data_set.folder, data_set.name)) from None


def hide_data_set(message: str, name: str) -> str:
    """Returns a message without the path of a data set on the server; there may be no data set of that name."""
    known = name in DATA.library.names()
    return hide_server(hide_folder(message, DATA.library.get(name).folder, name) if message and known else message)


DATA = DataSets(starting.DATA)
