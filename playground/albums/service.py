"""The albums of the page: what visitors do with their own pictures."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor

from core.data.untrusted import quote
from core.data.writers.convert import WRITERS
from core.errors import UserError
from playground.albums import classes, objects
from playground.albums.access import AlbumAccess
from playground.albums.album import Album, AlbumError, AlbumPicture
from playground.albums.deletion import AlbumTrash, erase_removed
from playground.albums.export import Exports, PathOf, remove_training_folders, write_training_folder, write_zip
from playground.albums.followers import UNDO_SECONDS, Followers
from playground.albums.limits import KEPT_DAYS, Bounds
from playground.albums.pictures import clean_title, encode_picture
from playground.albums.splits import make_splits
from playground.albums.storage import AlbumStorage, explaining
from playground.support import starting


class Albums(AlbumAccess):
    """The albums in a folder; all methods are thread-safe, and what they change is on the disk when they return.

    Args:
        folder: The folder. It is created when the first album is.
        bounds: Limits on the number and size of the pictures, None for the defaults.
    """

    def __init__(self, folder: Path, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        super().__init__(folder)
        self.needed_by: Callable[[Path], bool] = lambda folder: False  # True for a training folder that must stay
        self._trash = AlbumTrash(self._storage)
        self._exports = Exports()

    def use_folder(self, folder: Path) -> None:
        """Switches to the albums of another folder."""
        with self._lock:
            self._storage = AlbumStorage(folder)
            self._trash = AlbumTrash(self._storage, self._trash.followers)

    def follow(self, *followers: Followers) -> None:
        """Sets what is deleted and restored with an album."""
        self._trash.followers = followers

    def add(self, visitor: str, path: str | Path, title: str, into: str = "") -> tuple[Album, int]:
        """Adds an uploaded picture, see `encode_picture`, to a visitor's album, which is created if there is none.

        Args:
            visitor: Who has uploaded it.
            path: The upload.
            title: The name of the file.
            into: Key of the album that those before it in the same upload went into, "" for the first one.

        Returns:
            The album and the index of the picture.

        Raises:
            AlbumError: There is no room for it, the visitor is unknown, or the album has been deleted.
            PictureError: It cannot be opened.
        """
        with self._lock:
            self.bounds.require_room(self._storage, visitor)
            before = self._storage.find_owned(visitor)
        into = into or (before.key if before else "")
        title = clean_title(title)
        encoded = encode_picture(path, title)
        with self._writing():
            self.bounds.require_room(self._storage, visitor, len(encoded.content))
            album = self._storage.find_owned(visitor)
            if into and (album is None or album.key != into):
                raise AlbumError("Your pictures have been deleted while more were on their way, which are not added.")
            album = album or self._storage.create(visitor)
            file = self._storage.write_picture(album.key, encoded.suffix, encoded.content)
            picture = AlbumPicture(file, title, encoded.width, encoded.height, scaled=encoded.scaled)
            album = self._storage.save(album._replace(pictures=(*album.pictures, picture)))
        return album, len(album.pictures) - 1

    def set_objects(
        self,
        visitor: str,
        index: int,
        boxes: Sequence[Sequence[float]] | Tensor,
        labels: Sequence[int] | Tensor,
        class_names: Sequence[str],
        rejected: Sequence[Sequence[float]] | Tensor = (),
    ) -> Album:
        """Sets the objects of a picture. A picture without objects counts only if it has been marked as such.

        Args:
            visitor: The owner of the album.
            index: The index of the picture.
            boxes: [M, 4], xyxy in pixels of the stored picture; they are clipped to it.
            labels: [M], indices into `class_names`.
            class_names: The names of the classes; those that the album lacks are added to it.
            rejected: [R, 4], suggested boxes that the visitor rejected.

        Raises:
            UserError: There is no such picture, or a box or a name is not allowed.
        """
        return self._change(
            visitor, lambda album: objects.set_objects(album, index, boxes, labels, class_names, rejected)
        )

    def mark_empty(self, visitor: str, index: int) -> Album:
        """Marks a picture as one without objects, which trains what is background; objects that it has are dropped."""
        return self._change(visitor, lambda album: objects.mark_empty(album, index))

    def set_split(self, visitor: str, index: int, split: str) -> Album:
        """Chooses the split of a picture, "" to have it made."""
        return self._change(visitor, lambda album: objects.set_split(album, index, split))

    def rename_class(self, visitor: str, index: int, name: str) -> Album:
        """Renames a class, see `classes.rename_class`."""
        return self._change(visitor, lambda album: classes.rename_class(album, index, name))

    def merge_classes(self, visitor: str, index: int, into: int) -> Album:
        """Gives the objects of a class to another one, see `classes.merge_classes`."""
        return self._change(visitor, lambda album: classes.merge_classes(album, index, into))

    def recolour_class(self, visitor: str, index: int, colour: str) -> Album:
        """Changes the colour of a class, see `classes.recolour_class`."""
        return self._change(visitor, lambda album: classes.recolour_class(album, index, colour))

    def share(self, visitor: str, shared: bool) -> Album:
        """Lets everyone who has the link see and use the album, or only its owner."""
        return self._change(visitor, lambda album: album._replace(shared=shared))

    def remove(self, visitor: str, index: int) -> Album:
        """Removes a picture; `restore_picture` undoes that for an hour."""
        return self._change(visitor, lambda album: objects.remove_picture(album, index, self._storage.now()))

    def restore_picture(self, visitor: str) -> tuple[Album, int]:
        """Restores the picture that was removed last, and returns the album and its index.

        Raises:
            AlbumError: There is none any more, or the album is full.
        """
        places = []

        def change(album: Album) -> Album:
            places.append(min(objects.require_removed(album).place, len(album.pictures)))
            self.bounds.require_fewer(album)
            return objects.restore_picture(album)

        return self._change(visitor, change), places[0]

    def delete_all(self, visitor: str) -> None:
        """Deletes a visitor's album with all runs and evaluations of it; `restore_all` undoes that for an hour.

        Raises:
            AlbumError: There is no album, or a run on it cannot be stopped now.
        """
        self._trash.put(self.require_own(visitor).key, visitor)

    def restore_all(self, visitor: str, key: str = "") -> Album:
        """Restores an album that a visitor has deleted with `delete_all`, "" for the one deleted last.

        Raises:
            AlbumError: There is nothing to restore any more, or the visitor has new pictures.
        """
        self._require_none(visitor)
        deleted = self._trash.find(visitor, key)
        if deleted is None:
            raise AlbumError("There are no deleted pictures of yours to restore any more: upload them again.")
        with self._trash.putting_back(deleted, self._writing()):
            self._require_none(visitor)  # nor from another window meanwhile
        return self.require_own(visitor)

    def _require_none(self, visitor: str) -> None:
        if self.of(visitor):
            raise AlbumError("You have new pictures, and can have only one album: delete them first.")

    def last_deleted(self, visitor: str) -> str:
        """Returns the key of the album that `restore_all` restores, "" for none."""
        deleted = self._trash.find(visitor)
        return deleted.title if deleted else ""

    def clean(self) -> None:
        """Erases what can no longer be restored, and deletes albums that nobody has used for `KEPT_DAYS`."""
        if self.folder.is_dir():
            with self._writing():
                self._storage.sweep()
        failed: list[UserError] = []
        for key in self._storage.list_keys():
            try:
                self._clean_one(key)
            except UserError as error:  # which must not keep the others from being cleaned
                failed.append(error)
        self._trash.clean()
        self._exports.clean(UNDO_SECONDS)
        if failed:
            more = f" The same or the like holds for {len(failed) - 1} more." if len(failed) > 1 else ""
            raise AlbumError(f"{failed[0]}{more}")

    def _clean_one(self, key: str) -> None:
        self._trash.settle(key)
        if self._storage.last_used(key) < self._storage.now() - KEPT_DAYS * 86400:
            self._trash.put(key, "")
        else:
            with self._writing():
                erase_removed(self._storage, key)

    @contextmanager
    def train_on(self, album: Album) -> Iterator[Path]:
        """Yields the folder to train a run on, see `write_training_folder`; others that no run needs are removed.

        Until the caller has queued the run, nobody removes the folder or deletes the album.

        Raises:
            AlbumError: Too few pictures are labelled, or the album is being deleted.
        """
        home = self.folder / album.key
        with explaining(), self._storage.uses.alone(album.key) as free:
            if free:
                remove_training_folders(home, self.needed_by)
        with explaining():
            lock = self._storage.uses.share(album.key)
        if lock is None:
            raise AlbumError("These pictures are being deleted, or tidied up: try again in a minute.")
        with lock:
            with self._writing():
                if not home.is_dir():
                    raise AlbumError("These pictures are no longer here: they have been deleted.")
                folder = write_training_folder(album, home, self._path_of(album))
            yield folder

    def export(self, visitor: str, format: str) -> Path:
        """Returns a zip of the labelled pictures of a visitor's album, in a temporary folder of its own.

        Args:
            visitor: The owner.
            format: A key of `core.data.writers.convert.WRITERS`.

        Raises:
            AlbumError: There is no such format, no album, or no labelled picture.
        """
        if format not in WRITERS:
            raise AlbumError(f"There is no format {quote(format)}: choose one of {', '.join(WRITERS)}.")
        album = self.require_own(visitor)
        with self._writing(), self._exports.make() as folder:
            return write_zip(album, format, folder, self._path_of(album))

    def _path_of(self, album: Album) -> PathOf:
        return lambda picture: self._storage.picture_path(album.key, picture.file)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Keeps other threads and processes from changing albums, and from reading them here half-changed."""
        with self._lock, self._storage.changing():
            yield

    def _change(self, visitor: str, change: Callable[[Album], Album]) -> Album:
        """Changes and saves the album of a visitor; raises `AlbumError` if there is none."""
        with self._writing():
            changed = change(self.require_own(visitor))
            return self._storage.save(changed._replace(pictures=make_splits(changed.pictures)))


ALBUMS = Albums(starting.ALBUMS)
