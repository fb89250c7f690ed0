"""The albums in a folder: each in a folder of its own, with a record and the files of its pictures."""

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.io.atomic import write_atomically
from core.io.moving import remove, remove_tree
from core.io.parts import is_part, sweep_parts
from core.io.records import is_missing, read_bytes
from playground.albums.album import Album, AlbumError, is_album_key
from playground.albums.records import read_record, stamp_of, to_text, write_record
from playground.support.age import grow_age
from playground.support.shared_folder import FolderLock, Uses, explain_disk

RECORD, PREVIOUS = "album.json", "album.previous.json"  # the second is read if the first is damaged
DAMAGED = "album.damaged.json"  # a damaged record after further changes, for the operator: no picture is erased
FLEETING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)  # tell nothing of a record
PICTURES, USED = "pictures", "used"  # the modification time of the second is the time of the last use
CLOCK, CLOCK_SECONDS = "clock.json", 60.0  # how much time has certainly passed, and how often that is noted
TOUCH_SECONDS = 3600
LOCK, LOCKS = ".lock", ".locks"  # held while any album is changed; the locks of albums that runs are started on
FileStamp = tuple[int, int, int]


class AlbumStorage:
    """The albums in a folder; not thread-safe. A record is read again only if its file has changed.

    Args:
        folder: The folder. It is created when the first album is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._albums: dict[str, tuple[FileStamp, Album]] = {}
        self._owners: dict[str, str] = {}  # visitor → key
        self._listed: FileStamp | None = None
        self.uses = Uses(self.folder / LOCKS)
        self._whole = FolderLock(self.folder / LOCK)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keeps other threads and processes from changing albums.

        Raises:
            AlbumError: The disk does not take the changes.
            UserError: Another process makes a change for too long.
        """
        with explaining(), self._whole.hold():
            yield

    def now(self) -> float:
        """Returns the time by which albums age: Unix time in seconds as far as it has certainly passed.

        A jump of the computer's clock does not count, nor does time in which the computer was switched off.
        """
        return grow_age(self.folder / CLOCK, every=CLOCK_SECONDS, start=time.time())

    def create(self, owner: str) -> Album:
        """Creates an empty album; nothing is on the disk before `save`."""
        return Album(f"my-{secrets.token_hex(8)}", owner, used=self.now())

    def find(self, key: str) -> Album | None:
        """Returns an album, None if there is none or its record is damaged."""
        folder = self.folder / key
        stamp = (_stamp(folder / RECORD) or _stamp(folder / PREVIOUS)) if is_album_key(key) else None
        known = self._albums.get(key)
        if known and known[0] == stamp:
            return known[1]
        album = self._read(key) if stamp else None
        self._albums.pop(key, None)
        if album and stamp:
            self._albums[key] = stamp, album
        return album

    def find_owned(self, owner: str) -> Album | None:
        """Returns the album of a visitor, None if there is none."""
        listed = _stamp(self.folder)
        if listed != self._listed:
            albums = [album for key in self.list_keys() if (album := self.find(key))]
            self._owners, self._listed = {album.owner: album.key for album in albums}, listed
        key = self._owners.get(owner)
        album = self.find(key) if key else None
        return album if album and album.owner == owner else None  # the record may have been changed since

    def list_keys(self) -> list[str]:
        """Returns the keys of all albums, also of damaged ones."""
        try:
            names = os.listdir(self.folder)
        except OSError:  # there is none yet, or this user may not read it
            return []
        return sorted(name for name in names if is_album_key(name) and os.path.isdir(self.folder / name))

    def save(self, album: Album) -> Album:
        """Writes the record of an album and returns it with its new stamp.

        Raises:
            OSError: It cannot be written.
        """
        folder = self.folder / album.key
        (folder / PICTURES).mkdir(parents=True, exist_ok=True)
        now = self.now()
        _mark(folder / USED, now)
        text = write_record(album)
        with write_atomically(folder / RECORD) as temporary:
            temporary.write_text(text, "utf-8", newline="\n")
            if (folder / RECORD).exists():
                earlier = folder / (DAMAGED if album.is_previous else PREVIOUS)
                remove(earlier)
                link_or_copy(folder / RECORD, earlier)
        lost = len(album.unread.pictures)
        album = album._replace(stamp=stamp_of(text), used=now, lost=lost, is_previous=False)
        self._albums[album.key] = _stamp(folder / RECORD) or (0, 0, 0), album
        self._owners[album.owner] = album.key
        return album

    def touch(self, album: Album) -> Album:
        """Marks an album as used now, at most once an hour."""
        now = self.now()
        if abs(now - album.used) < TOUCH_SECONDS or album.key not in self._albums:
            return album
        with suppress(OSError):  # it is shown, even if its disk takes no changes
            _mark(self.folder / album.key / USED, now)
        album = album._replace(used=now)
        self._albums[album.key] = self._albums[album.key][0], album
        return album

    def set_used(self, key: str, time: float) -> None:
        """Sets the time of an album's last use."""
        os.utime(self.folder / key / USED, (time, time))
        stamp, album = self._albums[key]
        self._albums[key] = stamp, album._replace(used=time)

    def write_picture(self, key: str, suffix: str, content: bytes) -> str:
        """Writes the file of a picture, completely or not at all, and returns its name, which is new.

        Raises:
            OSError: It cannot be written.
        """
        folder = self.folder / key / PICTURES
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{secrets.token_hex(6)}{suffix}"
        with write_atomically(folder / name) as temporary:
            temporary.write_bytes(content)
        return name

    def picture_path(self, key: str, file: str) -> Path:
        """Returns the path of a picture's file."""
        return self.folder / key / PICTURES / file

    def sweep(self) -> None:
        """Removes what killed processes left, also albums without any record; the caller keeps others from changes."""
        sweep_parts(self.folder)
        for key in self.list_keys():
            if all(is_missing(self.folder / key / name) for name in (RECORD, PREVIOUS, DAMAGED)):
                remove_tree(self.folder / key)
        for key in set(self.uses.names()) - set(self.list_keys()):
            with self.uses.alone(key) as free:
                if free:
                    self.uses.drop(key)

    def erase_others(self, album: Album) -> None:
        """Erases picture files that an album does not name, wherever linked; the caller keeps others from changes.

        None is erased that a damaged record, or a damaged entry, may name.
        """
        named = {each.file for each in album.pictures} | {each.picture.file for each in album.removed}
        folder = self.folder / album.key
        sweep_parts(folder)
        sweep_parts(folder / PICTURES)
        if album.is_previous or any(album.unread) or not is_missing(folder / DAMAGED):
            return
        others = [path for path in (folder / PICTURES).iterdir() if path.name not in named and not is_part(path.name)]
        erased = {path.stat().st_ino: path for path in others}
        linked = folder.glob("*/*/*/*") if erased else ()
        for path in [*erased.values(), *(each for each in linked if each.stat().st_ino in erased)]:
            remove(path)

    def measure(self, key: str = "") -> int:
        """Returns the bytes of all files, also of albums that can be restored; hard links count once.

        Args:
            key: That of an album to measure it alone.
        """
        files = (Path(folder, name) for folder, _, names in os.walk(self.folder / key) for name in names)
        return sum({each.st_ino: each.st_size for path in files if (each := _status(path))}.values())

    def _read(self, key: str) -> Album | None:
        for name in (RECORD, PREVIOUS):
            try:
                album = read_record(read_bytes(self.folder / key / name).decode())
            except OSError as error:
                if error.errno in FLEETING:
                    return None
            except ValueError:
                continue
            else:
                is_previous = name == PREVIOUS and not is_missing(self.folder / key / RECORD)
                album = album._replace(key=key, used=self.last_used(key), is_previous=is_previous)
                return self._leave_out_missing(album)
        return None

    def _leave_out_missing(self, album: Album) -> Album:
        """Returns an album without the pictures whose file is gone, or cannot be looked at, which it counts."""
        is_there = {each: os.path.isfile(self.picture_path(album.key, each.file)) for each in album.pictures}
        lost = [each for each, found in is_there.items() if not found]
        kept = [to_text(each) for each in lost if not is_missing(self.picture_path(album.key, each.file))]
        return album._replace(
            pictures=tuple(each for each in album.pictures if is_there[each]),
            lost=album.lost + len(lost),
            unread=album.unread._replace(pictures=(*album.unread.pictures, *kept)),
        )

    def last_used(self, key: str) -> float:
        """Returns the time at which an album was last used, to within an hour."""
        found = _status(self.folder / key / USED) or _status(self.folder / key)
        return found.st_mtime if found else 0.0


@contextmanager
def explaining() -> Iterator[None]:
    """Turns an error of the disk into an `AlbumError`."""
    try:
        yield
    except OSError as error:
        raise AlbumError(f"The server cannot store pictures, because {explain_disk(error)}.") from None


def link_or_copy(source: Path, target: Path) -> None:
    """Makes a file appear under a second name, without taking more room where the file system allows that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _mark(path: Path, now: float) -> None:
    """Sets the modification time of a file, which is created if there is none."""
    path.touch()
    os.utime(path, (now, now))


def _status(path: Path) -> os.stat_result | None:
    """Returns the status of a file or folder, None if there is none."""
    try:
        return path.stat()
    except OSError:
        return None


def _stamp(path: Path) -> FileStamp | None:
    """Returns a stamp that changes with a file or folder, None if there is none."""
    found = _status(path)
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None
