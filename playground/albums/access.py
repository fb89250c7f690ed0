"""Read access to albums, and the rule which of them a visitor may see."""

import hashlib
from collections.abc import Hashable
from pathlib import Path
from threading import RLock

from torch import Tensor

from playground.albums.album import Album, AlbumError
from playground.albums.limits import NO_COOKIE
from playground.albums.pictures import open_stored
from playground.albums.samples import AlbumSplit
from playground.albums.storage import AlbumStorage
from playground.support.cache import Cache

DAMAGED = (
    "These pictures cannot be read, because their record is damaged: ask the operator of the server to restore it."
)


class AlbumAccess:
    """The albums in a folder, to look at; all methods are thread-safe.

    Args:
        folder: The folder. It is created when the first album is.
    """

    def __init__(self, folder: Path) -> None:
        self._storage = AlbumStorage(folder)
        self._lock = RLock()
        self._stamps = Cache()

    @property
    def folder(self) -> Path:
        """The folder that holds the albums."""
        return self._storage.folder

    def of(self, visitor: str) -> Album | None:
        """Returns the album of a visitor, None if there is none; "" is no visitor."""
        with self._lock:
            album = self._storage.find_owned(visitor) if visitor else None
            return self._storage.touch(album) if album else None

    def get(self, key: str, visitor: str) -> Album:
        """Returns an album that a visitor may see.

        Raises:
            AlbumError: It is another visitor's and private, or there is none.
        """
        with self._lock:
            album = self._storage.find(key)
            if album is None and key in self._storage.list_keys():
                raise AlbumError(DAMAGED)
            if album is None:
                raise AlbumError(
                    "These pictures are no longer here: they have been deleted, or were not used for long."
                )
            if not can_see(album, visitor):
                raise AlbumError("These pictures are private: only the browser that made them can show or share them.")
            return self._storage.touch(album)

    def may_see(self, source: str | Path, visitor: str) -> bool:
        """False for a folder of an album that a visitor may not see; True for everything outside of the albums."""
        folder = self._resolve(source)
        if not folder.is_relative_to(self.folder):
            return True
        album = self._find_around(folder)
        return album is not None and can_see(album, visitor)

    def contains(self, source: str | Path) -> bool:
        """True for the folder of the albums and everything in it, however the path is written."""
        return self._resolve(source).is_relative_to(self.folder)

    def _resolve(self, source: str | Path) -> Path:
        """Returns a path without links; one that no file system allows, or in a loop of links, counts as an album's."""
        try:
            return Path(source).resolve()
        except (OSError, ValueError, RuntimeError):
            return self.folder

    def owner_of(self, source: str | Path) -> str:
        """Returns the owner of the album that a folder is in, "" if it is in none."""
        album = self._find_around(self._resolve(source)) if self.contains(source) else None
        return album.owner if album else ""

    def open_image(self, album: Album, index: int) -> Tensor:
        """Opens a picture of an album that its caller may see, uint8 [3, H, W].

        Raises:
            AlbumError: There is no such picture.
            PictureError: Its file cannot be read.
        """
        picture = album.picture(index)
        return open_stored(self._storage.picture_path(album.key, picture.file), picture.title)

    def find_files(self, album: Album, split: str) -> list[Path]:
        """Returns the files of a split's pictures, in order; those of all pictures for `ALL`."""
        return [self._storage.picture_path(album.key, album.pictures[index].file) for index in album.indices(split)]

    def open_split(self, key: str, split: str, visitor: str) -> AlbumSplit:
        """Opens a split of an album that a visitor may see, or all its pictures for `ALL`.

        Raises:
            AlbumError: The visitor may not see it, there is none, or the split has no pictures.
        """
        album = self.get(key, visitor)
        indices = album.indices(split)
        if not indices:
            raise AlbumError(f"{album.name_for(visitor)}: no picture is for {split}; draw objects in more pictures.")
        return AlbumSplit(album, indices, self.open_image)

    def split_stamp(self, key: str, split: str, visitor: str) -> Hashable:
        """Returns a hash of the pictures, objects and classes of a split; raises as `get`."""
        album = self.get(key, visitor)

        def compute() -> str:
            content = repr((album.class_names, [album.pictures[index] for index in album.indices(split)]))
            return hashlib.sha256(content.encode()).hexdigest()[:16]

        stamp: str = self._stamps.get((key, album.stamp, split), compute)
        return stamp

    def require_own(self, visitor: str) -> Album:
        """Returns the album of a visitor; raises `AlbumError` if there is none."""
        album = self.of(visitor)
        if album is None:
            raise AlbumError("You have no pictures here yet: upload one first." if visitor else NO_COOKIE)
        return album

    def _find_around(self, folder: Path) -> Album | None:
        """Returns the album that a folder inside the folder of the albums belongs to."""
        with self._lock:
            return self._storage.find(next(iter(folder.relative_to(self.folder).parts), ""))


def can_see(album: Album, visitor: str) -> bool:
    """True if a visitor may look at an album and use it; only its owner may change it."""
    return album.shared or visitor == album.owner != ""
