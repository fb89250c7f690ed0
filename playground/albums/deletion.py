"""Deleting whole albums, with an undo, and cleaning up what nobody can restore any more."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Thread
from time import sleep

from core.errors import UserError
from playground.albums.album import AlbumError
from playground.albums.followers import DELETED, MOST_DELETED, UNDO_SECONDS, Followers
from playground.albums.storage import AlbumStorage, explaining
from playground.support.trash import Deleted, Trash

CLEAN_SECONDS = 3600


class AlbumTrash:
    """The deleted albums, with the runs and evaluations of each.

    Args:
        storage: The albums.
        followers: Deleted and restored with an album.
    """

    def __init__(self, storage: AlbumStorage, followers: Sequence[Followers] = ()) -> None:
        self.followers = followers
        self._storage, self._folder = storage, storage.folder
        self._trash = Trash(self._folder, MOST_DELETED, seconds=UNDO_SECONDS, folder=DELETED)

    def put(self, key: str, owner: str) -> None:
        """Deletes an album with its runs and evaluations, which are stopped.

        Raises:
            AlbumError: A run has just been started, one does not stop, or the disk does not take the change.
        """
        with explaining(), self._storage.uses.alone(key) as free:  # nobody restores its runs and evaluations meanwhile
            if not free:
                raise AlbumError("A run on your pictures has just started: try again.")
            if not (self._folder / key).is_dir():  # deleted from another window meanwhile
                self._storage.uses.drop(key)
                return
            try:
                self._hide_followers(key)
                with self._storage.changing():
                    self._trash.put([key], key, owner)
            except (UserError, OSError):
                self._restore_followers(key)
                raise
            self._forget(key)
            self._storage.uses.drop(key)

    def find(self, visitor: str, key: str = "") -> Deleted | None:
        """Returns an album that a visitor has deleted, None if it cannot be restored any more.

        Args:
            visitor: The visitor; "" is none.
            key: The album's, "" for the one deleted last.
        """
        theirs = (each for each in self._trash.entries() if visitor and each.owner == visitor)
        return next((each for each in theirs if key in ("", each.title)), None)

    @contextmanager
    def putting_back(self, deleted: Deleted, changing: AbstractContextManager[None]) -> Iterator[None]:
        """Restores an album with its runs and evaluations, after the caller's last look while nobody changes any.

        Args:
            deleted: The album.
            changing: Keeps others from changing albums, with all the locks that the caller's look needs: it must not
                take more of them afterwards, as others take them in another order.

        Raises:
            UserError: It is no longer in the trash, or the disk does not take the change.
        """
        with explaining(), self._storage.uses.alone(deleted.title) as free:
            if not free:
                raise AlbumError("Your pictures are being deleted or put back in another window: try again.")
            with changing:
                yield
                self._trash.put_back(deleted.key)
            self._restore_followers(deleted.title)

    def clean(self) -> None:
        """Erases what can no longer be restored."""
        for deleted in self._trash.entries():
            self._forget(deleted.title)
        for each in self.followers:
            each.clean()

    def settle(self, key: str) -> None:
        """Restores runs and evaluations of an album that is there, as after a deletion or its undo was cut short."""
        with explaining(), self._storage.uses.alone(key) as free:
            if free and (self._folder / key).is_dir():  # else it is being deleted, or is deleted again
                self._restore_followers(key)

    def _hide_followers(self, key: str) -> None:
        """Stops and deletes the runs and evaluations of an album; raises `AlbumError` if that is not possible now."""
        for each in self.followers:
            each.hide(self._folder / key)

    def _restore_followers(self, key: str) -> None:
        for each in self.followers:
            each.restore(self._folder / key)

    def _forget(self, key: str) -> None:
        for each in self.followers:
            each.forget(self._folder / key)


def erase_removed(storage: AlbumStorage, key: str) -> None:
    """Erases the files of pictures that can no longer be restored, also those that an interrupted upload left.

    Raises:
        AlbumError: The album cannot be read.
    """
    album, now = storage.find(key), storage.now()
    if album is None:
        raise AlbumError(f"The album {key} cannot be read, because its record is damaged: restore it, or remove it.")
    # A time to come was noted with another clock: it begins anew.
    aged = (each._replace(time=min(each.time, now)) for each in album.removed)
    kept = tuple(each for each in aged if each.time >= now - UNDO_SECONDS)
    if kept != album.removed:
        used = album.used
        album = storage.save(album._replace(removed=kept))
        storage.set_used(key, used)
    storage.erase_others(album)


def repeat_hourly(clean: Callable[[], None]) -> None:
    """Calls a function now and every hour, in the background, as long as the process runs."""

    def repeat() -> None:
        while True:
            try:
                clean()
            except (OSError, UserError) as error:  # it is tried again
                print(f"The albums could not be cleaned up: {error}")
            sleep(CLEAN_SECONDS)

    Thread(target=repeat, name="albums", daemon=True).start()
