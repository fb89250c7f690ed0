"""Deleting whole albums, with an undo, and cleaning up what nobody can restore any more."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from time import sleep, time

from core.errors import UserError
from playground.albums.album import AlbumError
from playground.albums.followers import DELETED, MOST_DELETED, UNDO_SECONDS, Followers
from playground.albums.storage import AlbumStorage
from playground.support.trash import Deleted, Trash

CLEAN_SECONDS = 3600


class AlbumTrash:
    """The deleted albums of a folder, with the runs and evaluations of each.

    Args:
        folder: The folder of the albums.
        followers: Deleted and restored with an album.
    """

    def __init__(self, folder: Path, followers: Sequence[Followers] = ()) -> None:
        self.followers = followers
        self._folder = folder
        self._trash = Trash(folder, MOST_DELETED, seconds=UNDO_SECONDS, folder=DELETED)

    def hide_followers(self, key: str) -> None:
        """Stops and deletes the runs and evaluations of an album; raises `AlbumError` if that is not possible now."""
        try:
            for each in self.followers:
                each.hide(self._folder / key)
        except (AlbumError, OSError):
            self.restore_followers(key)
            raise

    def restore_followers(self, key: str) -> None:
        """Restores the runs and evaluations of an album."""
        for each in self.followers:
            each.restore(self._folder / key)

    def put(self, key: str, owner: str) -> None:
        """Deletes an album; raises `OSError` if it cannot be moved."""
        self._trash.put([key], key, owner)

    def find(self, visitor: str) -> Deleted | None:
        """Returns the album that a visitor deleted last, None if there is none to restore; "" is no visitor."""
        return next((each for each in self._trash.entries() if visitor and each.owner == visitor), None)

    def put_back(self, deleted: Deleted) -> None:
        """Restores an album."""
        self._trash.put_back(deleted.key)

    def clean(self) -> None:
        """Erases what can no longer be restored."""
        self._trash.entries()
        for each in self.followers:
            each.clean()


def erase_removed(storage: AlbumStorage, key: str) -> None:
    """Erases the files of pictures that can no longer be restored, also those that an interrupted upload left."""
    album, oldest = storage.find(key), time() - UNDO_SECONDS
    if album is None:
        return
    kept = tuple(each for each in album.removed if each.time >= oldest)
    if kept != album.removed:
        used = album.used
        album = storage.save(album._replace(removed=kept))
        storage.set_used(key, used)
    storage.erase_others(album, oldest)


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
