"""The limits of albums: how much they may hold, and how long they are kept."""

import os
from pathlib import Path
from typing import NamedTuple

from playground.albums.album import Album, AlbumError
from playground.albums.storage import AlbumStorage

SPACE = "SPACE_ID"  # the variable that is set in a hosted Space, whose disk is empty again after each restart
LASTING_FOLDER = Path("/data")  # the only folder there that can last
KEPT_DAYS = 30  # for which an album that nobody uses is kept
KEPT = (
    f"Your pictures are kept on this server until you delete them, or until nobody has used them for {KEPT_DAYS} days."
)
NOT_KEPT = (
    "This page runs in a hosted Space, whose disk is emptied whenever it restarts: download your pictures to keep them."
)
NO_COOKIE = (
    "Your browser sends no cookie, by which your pictures would be found again: allow cookies for this page, then "
    "reload it."
)


class Bounds(NamedTuple):
    """Limits of the albums.

    Attributes:
        pictures: The number of pictures of an album.
        size: Bytes of all albums together.
        of_one: Bytes of an album, with what it has for training and what can be restored.
        albums: The number of albums.
    """

    pictures: int = 300
    size: int = 4 * 2**30
    of_one: int = 2**30
    albums: int = 5000

    def require_fewer(self, album: Album) -> None:
        """Raises `AlbumError` unless a picture can be added to an album."""
        if len(album.pictures) >= self.pictures:
            raise AlbumError(f"An album can have at most {self.pictures} pictures: remove some first.")

    def require_room(self, storage: AlbumStorage, visitor: str, size: int = 0) -> None:
        """Raises `AlbumError` unless a visitor can add a picture of so many bytes; 0 if that is not known yet."""
        if not visitor:
            raise AlbumError(NO_COOKIE)
        album = storage.find_owned(visitor)
        if album:
            self.require_fewer(album)
        elif len(storage.list_keys()) >= self.albums:
            raise AlbumError("The server stores no more albums: try again later, or ask its operator.")
        if size and album and storage.measure(album.key) + size > self.of_one:
            raise AlbumError(
                f"There is no room for more pictures: yours take {self.of_one / 2**30:g} GB, as much as they may. "
                "Remove some: their room is free an hour later."
            )
        if size and storage.measure() + size > self.size:
            raise AlbumError(
                f"There is no room for more pictures: those of all visitors take {self.size / 2**30:g} GB. "
                "Remove some, or try again later."
            )


def disk_lasts(folder: Path) -> bool:
    """True if the files in a folder survive a restart."""
    return SPACE not in os.environ or folder.resolve().is_relative_to(LASTING_FOLDER)


def describe_keeping(folder: Path) -> str:
    """Returns a sentence for the owner of an album on how long it is kept."""
    return KEPT if disk_lasts(folder) else NOT_KEPT
