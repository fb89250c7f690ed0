"""Data sets that visitors bring: uploaded as a zip or named on the server's disk, looked through, split, opened."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

from core.analysis.dataset_check import DataCheck, check_folder
from core.config import Config
from core.data.dataset import FolderData
from core.data.folders import GIVEN, SPLIT_METHODS, open_folder, require_format, split_folder
from core.data.untrusted import DataError, quote
from core.data.zip_import import import_zip
from playground.data.library import Bounds, DataSetLibrary, StoredDataSet, in_use_error, stamp_of
from playground.support.cache import Cache
from playground.support.trash import Deleted
from playground.support.visitors import VISITORS

SPLIT_WAYS = (GIVEN, *SPLIT_METHODS)
EXAMPLES = 200  # of an issue that are kept
Progress = Callable[[int, int], None]


class RefusedError(DataError):
    """A data set that is not taken because of what is wrong in it; `check` tells it all."""

    def __init__(self, message: str, check: DataCheck) -> None:
        super().__init__(message)
        self.check = check


class DataSets:
    """The data sets of this page.

    Args:
        folder: Where uploaded data sets are stored.
        bounds: Limits on their number and size, None for the defaults.
    """

    def __init__(self, folder: Path, bounds: Bounds | None = None) -> None:
        self.library = DataSetLibrary(folder, bounds or Bounds())
        self._allowed: Path | None = None  # visitors may use the folders in it; None forbids that
        self._bringing = Lock()  # one import or split at a time; those who only look do not wait for it
        self._opened = Cache(8)

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
        """Keeps data sets from being changed, deleted or dropped while any of the functions returns True for them."""
        self.library.needed_by = needed_by

    def open_split(self, name: str, split: str) -> FolderData:
        """Opens a split of a data set; counts as a use.

        Raises:
            DataError: There is none, or it cannot be used.
        """
        kept = self.library.get(name)
        self.library.touch(name)
        if split not in kept.splits:
            raise DataError(f"The data set {name} has no pictures for {split}: split it in the Picture step.")
        return self._opened.get((name, kept.stamp, split), lambda: _open(kept, split))

    def add_zip(
        self,
        archive: Path,
        title: str,
        config: Config,
        progress: Progress = lambda done, total: None,
        *,
        owner: str = "",
    ) -> StoredDataSet:
        """Unpacks an uploaded data set, unless something in it stops training; then nothing of it remains.

        Args:
            archive: The zip; nothing in it is trusted.
            title: What its owner calls it.
            config: Against whose anchors and sizes it is checked.
            progress: Is told pictures looked at and pictures in all.
            owner: Who brings it, see `playground.support.visitors`.

        Raises:
            RefusedError: Something in it stops training.
            DataError: It is damaged, too large or no data set, or there is no room.
        """
        with self._bringing:
            name = self.library.free_name(title)
            folder = self.library.folder / name
            self.library.make_folder()

            def accept(unpacked: Path) -> tuple[DataCheck, int]:
                check = _checked(unpacked, config, progress, title)
                size = sum(path.stat().st_size for path in unpacked.rglob("*") if path.is_file())
                self.library.make_room(size, title)
                return check, size

            try:
                check, size = import_zip(archive, folder, accept, self.library.bounds.zip)
            except RefusedError:
                raise
            except DataError as error:
                said = str(error).replace(str(folder), name).replace(str(archive), title).replace(archive.name, title)
                raise DataError(said) from None
            return self.library.keep(StoredDataSet(name, folder, True, size, stamp_of(folder), check, owner))

    def add_folder(
        self, text: str, config: Config, progress: Progress = lambda done, total: None, *, owner: str = ""
    ) -> StoredDataSet:
        """Takes a data set in a folder on the server's disk; it stays where it is, and is taken once.

        Raises:
            RefusedError: Something in it stops training.
            DataError: The operator does not allow it, or it is no data set; or there is no room.
        """
        folder = self._require_allowed(text)
        with self._bringing:
            try:
                require_format(folder)
            except DataError as error:
                raise DataError(str(error).replace(str(folder), quote(text))) from None
            check = _checked(folder, config, progress, folder.name)
            if known := self.library.of_folder(folder):
                return self.library.keep(known._replace(check=check, stamp=stamp_of(folder)))
            self.library.make_room(0, folder.name)
            self.library.make_folder()
            name = self.library.free_name(folder.name)
            return self.library.keep(StoredDataSet(name, folder, False, 0, stamp_of(folder), check, owner))

    def _require_allowed(self, text: str) -> Path:
        if self._allowed is None:
            raise DataError("Folders of the server are not to be had here: upload a zip.")
        try:
            folder = (self._allowed / text.strip()).resolve()
            inside = folder.is_relative_to(self._allowed) and folder.is_dir()
        except (OSError, ValueError, RuntimeError):  # characters no file system has, links in a circle
            inside = False
        if not inside or not text.strip():
            raise DataError(f"{quote(text)} is no folder in the one that the operator allows: name one inside it.")
        return folder

    def split(self, name: str, by: str, shares: Sequence[float], config: Config, *, visitor: str = "") -> StoredDataSet:
        """Splits a data set anew, or goes back to its own splits, and looks through it again.

        Raises:
            NotYoursError: Another visitor brought it.
            DataError: A run uses it, or the shares are not to be had.
        """
        if by not in SPLIT_WAYS:
            raise DataError(f"A data set is split by {', '.join(SPLIT_WAYS)}, not by {quote(by)}.")
        with self._bringing:
            kept = self.library.get(name)
            VISITORS.require(kept.owner, visitor, f"The data set {name}")
            if self.library.is_in_use(kept):
                raise in_use_error(name)
            try:
                split_folder(kept.folder, by, shares, config.training.seed)
            except DataError as error:
                raise DataError(_plain(str(error), kept)) from None
            check = _bounded(check_folder(kept.folder, config))
            return self.library.keep(kept._replace(check=check, stamp=stamp_of(kept.folder)))

    def delete(self, name: str, *, visitor: str = "") -> Deleted:
        """Deletes a data set; `put_back` undoes that.

        Raises:
            NotYoursError: Another visitor brought it.
            DataError: It is in use, or cannot be deleted.
        """
        with self._bringing:
            VISITORS.require(self.library.get(name).owner, visitor, f"The data set {name}")
            return self.library.delete(name)

    def last_deleted(self, visitor: str = "") -> Deleted | None:
        """Returns what a visitor can put back: the data set of theirs that was deleted last, if there is any."""
        mine = (each for each in self.library.deleted() if VISITORS.may_change(each.owner, visitor))
        return next(mine, None)

    def put_back(self, visitor: str = "") -> StoredDataSet:
        """Puts back what `last_deleted` tells of.

        Raises:
            UserError: There is nothing, something else is in its place, or there is no room.
        """
        with self._bringing:
            deleted = self.last_deleted(visitor)
            if deleted is None:
                raise DataError("There is no deleted data set of yours any more: upload it again.")
            return self.library.put_back(deleted.key)


def _open(kept: StoredDataSet, split: str) -> FolderData:
    try:
        return open_folder(kept.folder, split)
    except DataError as error:
        raise DataError(_plain(str(error), kept)) from None


def _plain(message: str, kept: StoredDataSet) -> str:
    """Returns a message without the place where the server keeps a data set."""
    return message.replace(f"{kept.folder}/", "").replace(str(kept.folder), kept.name)


def _checked(folder: Path, config: Config, progress: Progress, title: str) -> DataCheck:
    check = _bounded(check_folder(folder, config, progress))
    stops = [f"{issue.count} {issue.what}" for issue in check.blocking_issues]
    if stops:
        raise RefusedError(
            f"{title} is not taken because of {'; '.join(stops)}: correct that and bring it again.", check
        )
    return check


def _bounded(check: DataCheck) -> DataCheck:
    return check._replace(issues=tuple(replace(each, examples=each.examples[:EXAMPLES]) for each in check.issues))


DATA = DataSets(Path("data"))  # of the folder the page is started in
