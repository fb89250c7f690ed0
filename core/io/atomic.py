"""Atomic writes: a file is written completely or not at all, even if the process is killed meanwhile; times of use."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from stat import S_IMODE

from core.errors import UserError
from core.io.moving import replace
from core.io.parts import make_part
from core.io.troubles import naming


class OutputError(UserError):
    """A file or folder that cannot be written; the message says which, why and what to do."""


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Yields a temporary path to write to; it replaces `path` on success and is removed on an error.

    The file has the permissions of any new file there, even if a library writes it for its owner alone. Errors of the
    system name it.
    """
    with naming(path), make_part(path) as temporary:
        temporary.touch()
        permissions = S_IMODE(temporary.stat().st_mode)
        yield temporary
        temporary.chmod(permissions)
        replace(temporary, path)


def append(file: RawIOBase, content: bytes) -> int:
    """Appends to a file without a buffer, everything or, on an error, nothing; returns the place of the content.

    Raises:
        OSError: It cannot be written.
    """
    place = file.seek(0, os.SEEK_END)
    try:
        while content:
            content = content[file.write(content) or 0 :]
    except OSError:
        file.truncate(place)
        raise
    return place


def write_text(path: Path, text: str) -> None:
    """Writes a text file in UTF-8 atomically, with the same bytes on every system."""
    with write_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def mark_used(path: Path) -> None:
    """Sets the modification time of a file to now, after that of every file that was written or marked before.

    Systems give files the time of their last tick, of which several files that are written one after another have the
    same.

    Raises:
        OSError: There is no such file, or it cannot be changed.
    """
    now = time.time_ns()
    os.utime(path, ns=(now, now))


def require_writable(path: Path) -> None:
    """Checks before a long computation that a file can be written; creates nothing.

    Raises:
        OutputError: The file cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder: name a file.")
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written because the folder {path.parent} does not exist: create it first.")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path} cannot be written because the folder {path.parent} is read-only: name another.")
