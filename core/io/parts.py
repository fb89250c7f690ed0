"""Parts: files and folders in the making, each in a hidden folder of its own beside the place where it will lie.

A lock in that folder is held by the process that makes it. When that process is killed, the part belongs to nobody, and
`sweep_parts` removes it, whatever its age; it never removes one that a living process still makes.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.io.locks import FileLock

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
    folder, lock = claim_part(target)
    try:
        yield folder / target.name
    finally:
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def claim_part(target: Path) -> tuple[Path, FileLock]:
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
            shutil.rmtree(folder, ignore_errors=True)
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
    return sum(map(_sweep, parts))


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
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # where the open lock file cannot be removed: nothing else is, should a process take it now
        lock.remove(folder / LOCK)
        folder.rmdir()
