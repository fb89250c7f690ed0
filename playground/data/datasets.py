"""The data sets of the page: uploading, adding folders, splitting, deleting and opening them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from core.analysis.dataset_check import DataCheck
from core.config import Config
from core.data.dataset import FolderData
from core.data.folders import GIVEN, SPLIT_METHODS, open_folder, require_format, split_folder
from core.data.untrusted import DataError, quote
from core.data.zip_import import import_zip
from core.io.paths import hide_folder
from playground.albums.service import ALBUMS
from playground.data.checking import Progress, check_stored, require_trainable
from playground.data.stored.library import Bounds, DataSetLibrary, in_use_error
from playground.data.stored.records import StoredDataSet, compute_stamp
from playground.data.stored.split_history import SplitHistory, read_lists
from playground.support.cache import Cache
from playground.support.trash import Deleted
from playground.support.visitors import VISITORS

SPLIT_CHOICES = (GIVEN, *SPLIT_METHODS)


class DataSets:
    """The data sets of the page.

    Args:
        folder: Where uploaded data sets are stored.
        bounds: Limits on their number and size, None for the defaults.
    """

    def __init__(self, folder: Path, bounds: Bounds | None = None) -> None:
        self.library = DataSetLibrary(folder, bounds or Bounds())
        self._allowed: Path | None = None  # visitors may use the folders in it; None forbids that
        self._changing = Lock()  # one import, split or deletion at a time; reading does not wait for it
        self._splits = Cache()
        self._history = SplitHistory()

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
        with self._changing:
            name = self.library.choose_name(title)
            folder = self.library.folder / name
            self.library.make_folder()

            def accept(unpacked: Path) -> tuple[DataCheck, int]:
                check = require_trainable(unpacked, config, progress, title, format)
                return check, self._make_room_for(unpacked, title)

            try:
                check, size = import_zip(archive, folder, accept, self.library.bounds.zip, format=format)
            except DataError as error:
                message = hide_folder(hide_folder(str(error), folder, name), archive, title)
                error.args = (message.replace(archive.name, title),)
                raise
            stamp = compute_stamp(folder, uploaded=True)
            return self.library.put(StoredDataSet(name, folder, True, size, stamp, check, owner, format))

    def _make_room_for(self, unpacked: Path, title: str) -> int:
        """Makes room for a data set in the library, and returns its size in bytes."""
        size = sum(path.stat().st_size for path in unpacked.rglob("*") if path.is_file())
        self.library.make_room(size, title)
        return size

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
        folder = self._require_allowed(text)
        if ALBUMS.contains(folder) or ALBUMS.folder.is_relative_to(folder):
            raise DataError(f"{quote(text)} holds pictures of visitors, which are private: name another folder.")
        with self._changing:
            try:
                require_format(folder, format)
                check = require_trainable(folder, config, progress, folder.name, format)
            except DataError as error:
                error.args = (hide_folder(str(error), folder, quote(text)),)
                raise
            stamp = compute_stamp(folder, uploaded=False)
            if known := self.library.find_folder(folder):
                return self.library.put(known._replace(check=check, stamp=stamp, format=format))
            self.library.make_room(0, folder.name)
            self.library.make_folder()
            name = self.library.choose_name(folder.name)
            return self.library.put(StoredDataSet(name, folder, False, 0, stamp, check, owner, format))

    def _require_allowed(self, text: str) -> Path:
        if self._allowed is None:
            raise DataError("Folders on the server cannot be used here: upload a zip.")
        try:
            folder = (self._allowed / text.strip()).resolve()
            inside = folder.is_relative_to(self._allowed) and folder.is_dir()
        except (OSError, ValueError, RuntimeError):  # characters that no file system allows, or a loop of links
            inside = False
        if not inside or not text.strip():
            raise DataError(
                f"{quote(text)} is not a folder inside the one that the operator allows: name one inside it."
            )
        return folder

    def split(self, name: str, by: str, shares: Sequence[float], config: Config, *, visitor: str = "") -> StoredDataSet:
        """Splits a data set again, or restores its own splits, and checks it again.

        Args:
            name: The name of the data set.
            by: One of `SPLIT_CHOICES`.
            shares: The shares of train, val and test; they add up to 1.
            config: The anchors and image sizes to check the data set against, and the seed.
            visitor: The visitor who splits it.

        Raises:
            NotYoursError: Another visitor added it.
            DataError: There is no such data set, it is in use, or the split is not possible.
        """
        if by not in SPLIT_CHOICES:
            raise DataError(f"{quote(by)} is not a way to split a data set: choose one of {', '.join(SPLIT_CHOICES)}.")
        with self._changing:
            data_set = self._require_free(name, visitor)
            before = read_lists(data_set.folder)
            try:
                split_folder(data_set.folder, by, shares, config.training.seed, format=data_set.format)
            except DataError as error:
                raise DataError(hide_folder(str(error), data_set.folder, name)) from None
            self._history.keep(name, before)
            return self._check_again(data_set, config)

    def last_split(self, visitor: str = "") -> str:
        """Returns the data set whose last split a visitor can undo, "" if there is none."""
        known = [name for name in self._history.names() if name in self.library.names()]
        mine = (name for name in known if VISITORS.may_change(self.library.get(name).owner, visitor))
        return next(mine, "")

    def undo_split(self, config: Config, *, visitor: str = "") -> StoredDataSet:
        """Restores the splits that the data set of `last_split` had before, and checks it again.

        Raises:
            DataError: There is none, or the data set is in use.
        """
        with self._changing:
            name = self.last_split(visitor)
            if not name:
                raise DataError("There is no split of yours to undo any more: split the data set again.")
            data_set = self._require_free(name, visitor)
            self._history.restore(name, data_set.folder)
            return self._check_again(data_set, config)

    def _require_free(self, name: str, visitor: str) -> StoredDataSet:
        """Returns a data set whose splits a visitor may change; raises as `split`."""
        data_set = self.library.get(name)
        VISITORS.require(data_set.owner, visitor, f"The data set {name}")
        if self.library.is_in_use(data_set):
            raise in_use_error(name)
        return data_set

    def _check_again(self, data_set: StoredDataSet, config: Config) -> StoredDataSet:
        """Checks a data set whose splits have changed, and stores the result."""
        check = check_stored(data_set.folder, config, format=data_set.format)
        stamp = compute_stamp(data_set.folder, uploaded=data_set.uploaded)
        return self.library.put(data_set._replace(check=check, stamp=stamp))

    def delete(self, name: str, *, visitor: str = "") -> Deleted:
        """Deletes a data set; `restore` undoes that.

        Raises:
            NotYoursError: Another visitor added it.
            DataError: There is no such data set, it is in use, or it cannot be deleted.
        """
        with self._changing:
            VISITORS.require(self.library.get(name).owner, visitor, f"The data set {name}")
            self._history.drop(name)
            return self.library.delete(name)

    def last_deleted(self, visitor: str = "") -> Deleted | None:
        """Returns the data set that a visitor deleted last and can restore, None if there is none."""
        mine = (each for each in self.library.list_deleted() if VISITORS.may_change(each.owner, visitor))
        return next(mine, None)

    def restore(self, visitor: str = "") -> StoredDataSet:
        """Restores the data set that `last_deleted` returns.

        Raises:
            UserError: There is none, another file has taken its place, or there is no room.
        """
        with self._changing:
            deleted = self.last_deleted(visitor)
            if deleted is None:
                raise DataError("There is no deleted data set of yours to restore any more: upload it again.")
            return self.library.restore(deleted.key)


def _open_split(data_set: StoredDataSet, split: str) -> FolderData:
    try:
        return open_folder(data_set.folder, split, format=data_set.format)
    except DataError as error:
        raise DataError(hide_folder(str(error), data_set.folder, data_set.name)) from None


def hide_data_set(message: str, name: str) -> str:
    """Returns a message without the path of a data set on the server; there may be no data set of that name."""
    known = name in DATA.library.names()
    return hide_folder(message, DATA.library.get(name).folder, name) if message and known else message


DATA = DataSets(Path("data"))  # in the folder in which the page was started
