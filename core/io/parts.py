"""Parts: files and folders in the making, each in a hidden folder of its own beside the place where it will lie, and
what a process has for itself.

A lock in that folder is held by the process that makes it. When that process is killed, the part belongs to nobody, and
`sweep_parts` removes it, whatever its age; it never removes one that a living process still makes.
"""

import atexit
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock

from core.io.locks import FileLock
from core.io.moving import remove_tree

SUFFIX = ".part"  # of the hidden folders
LOCK = ".lock"  # in each of them
MAX_STEM = 40  # characters of the target's name in that of its part, for people


@contextmanager
def make_part(target: Path) -> Iterator[Path]:
    """Yields a path at which to make a file or folder, which the caller then renames to the target.

    It has the target's name and lies in a new hidden folder beside it, which is removed in the end, with whatever
    libraries put there.

    Raises:
        OSError: The hidden folder cannot be created.
    """
    folder, lock = _claim(target)
    try:
        yield folder / target.name
    finally:
        lock.close()
        remove_tree(folder)


def _claim(target: Path) -> tuple[Path, FileLock]:
    """Creates and locks the hidden folder of a part, which is its caller's to remove.

    Raises:
        OSError: It cannot be created.
    """
    while True:  # anew if a sweep has come in between
        folder = Path(tempfile.mkdtemp(SUFFIX, f".{target.name[:MAX_STEM]}.", target.parent))
        try:
            lock = FileLock.acquire(folder / LOCK)
        except FileNotFoundError:
            continue
        except OSError:
            remove_tree(folder)
            raise
        if lock.is_on(folder / LOCK):
            return folder, lock
        lock.close()


def sweep_parts(folder: Path, name: str = "") -> int:
    """Removes the parts in a folder that no living process makes, also those of earlier versions; returns their number.

    Those below its subfolders stay. A folder that cannot be read has none.

    Args:
        folder: The folder.
        name: Only parts of a target of this name, for a folder that other programs use, too; "" for all parts.
    """
    start = f".{name[:MAX_STEM]}." if name else "."
    try:
        with os.scandir(folder) as entries:
            parts = [Path(entry.path) for entry in entries if is_part(entry.name) and entry.name.startswith(start)]
    except OSError:
        return 0
    return sum(_sweep(part) for part in parts)


def is_part(name: str) -> bool:
    """Returns True for the name of a part."""
    return name.startswith(".") and name.endswith(SUFFIX)


def _sweep(part: Path) -> bool:
    """Removes a part unless a process makes it; returns True if it is gone."""
    is_folder = part.is_dir() and not part.is_symlink()
    locked = part / LOCK if is_folder else part  # earlier versions made files
    with suppress(OSError):  # another user's, or another sweep was faster
        lock = FileLock.try_acquire(locked, timeout=0)
        if lock:
            with lock:
                if lock.is_on(locked):
                    _remove(part, lock) if is_folder else lock.remove(part)
    return not os.path.lexists(part)


def _remove(folder: Path, lock: FileLock) -> None:
    """Removes the folder of a part, whose lock the caller holds, with all that is in it."""
    remove_tree(folder, insist=False)
    if folder.exists():  # where the open lock file cannot be removed: nothing else is, should a process take it now
        lock.remove(folder / LOCK)
        folder.rmdir()


class OwnFolder:
    """A hidden folder of this process, made when it is first needed; all methods are thread-safe.

    It goes when the process ends. What a killed process leaves, the next one that needs such a folder removes.

    Args:
        name: What its files are for: part of its name, and of that in other processes.
        find_home: Returns the folder to make it in, which is created; asked each time one is needed.

    Attributes:
        folder: The folder, None as long as none was needed.
    """

    def __init__(self, name: str, find_home: Callable[[], Path]) -> None:
        self._name, self._find_home = name, find_home
        self._changing = RLock()
        self._held: tuple[FileLock, int] | None = None  # the lock on the folder, and the process that made it
        self.folder: Path | None = None

    def make_folder(self) -> Path:
        """Creates an empty folder in it.

        Raises:
            OSError, or what `find_home` raises: There is no place for it.
        """
        with self._changing:
            return Path(tempfile.mkdtemp(dir=self._open()))

    def sweep(self) -> None:
        """Removes the folders of killed processes."""
        sweep_parts(self._find_home(), self._name)

    def close(self) -> None:
        """Removes the folder; a forked process leaves that to its parent."""
        with self._changing:
            if self.folder and self._held and self._held[1] == os.getpid():
                self._held[0].close()
                remove_tree(self.folder)
            self.folder = self._held = None

    def _open(self) -> Path:
        if self.folder is None or not self.folder.is_dir():  # or a system has tidied up
            self.close()
            home = self._find_home()
            home.mkdir(parents=True, exist_ok=True)
            self.sweep()
            self.folder, lock = _claim(home / self._name)
            self._held = lock, os.getpid()
            atexit.register(self.close)
        return self.folder
