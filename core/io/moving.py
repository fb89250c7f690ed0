"""Replacing, moving and removing files that others may read at the same time.

Windows refuses all three for a file that any process has open, and the moving of a folder that holds such a file, even
if it is open for a millisecond only. This module therefore retries for a moment.
"""

import errno
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

GUARDS_OPEN_FILES = sys.platform == "win32"  # True where the system refuses to replace or remove an open file
PATIENCE = 3.0  # seconds; readers have a file open for milliseconds, scanners for viruses for a second
FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.1  # seconds between two attempts
BUSY = "Another program has it open, or this user may not change it"


def replace(source: Path, target: Path) -> None:
    """Moves a file or folder to a path, where it replaces another file or an empty folder.

    Raises:
        OSError: That is not possible.
    """

    def move() -> None:
        if GUARDS_OPEN_FILES and target.is_dir() and source.is_dir():
            target.rmdir()  # Windows does not replace folders
        source.replace(target)

    _insist(move, target)


def rename(source: Path, target: Path) -> None:
    """Moves a file or folder to a path that nothing has.

    Raises:
        OSError: That is not possible.
    """
    _insist(lambda: source.rename(target), source)


def link_or_copy(source: Path, target: Path) -> None:
    """Makes a new file of the same content: the same bytes on the disk where the system can, else a copy.

    Raises:
        OSError: That is not possible; `FileNotFoundError` if there is no such file.
    """
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def remove(path: Path) -> None:
    """Removes a file; does nothing if there is none.

    Raises:
        OSError: That is not possible.
    """
    _insist(lambda: path.unlink(missing_ok=True), path)


def remove_tree(folder: Path, *, insist: bool = True) -> None:
    """Removes a folder with everything in it, as far as that is possible; does nothing if there is none.

    Args:
        folder: The folder.
        insist: False to leave at once what somebody has open, such as the caller a lock in it.
    """
    if not insist:
        shutil.rmtree(folder, ignore_errors=True)
        return
    with suppress(OSError):
        _insist(lambda: _remove_all(folder), folder)


def _remove_all(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if GUARDS_OPEN_FILES and os.path.lexists(folder):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _insist(act: Callable[[], object], path: Path) -> None:
    """Does something with a path, again and again for a while where somebody may have it open."""
    deadline, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
    while True:
        try:
            act()
            return
        except PermissionError as error:
            if not GUARDS_OPEN_FILES:
                raise
            if time.monotonic() > deadline:
                raise OSError(errno.EBUSY, BUSY, str(path)) from error
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
