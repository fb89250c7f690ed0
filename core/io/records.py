"""Small files of JSON, which other programs, versions and people may have changed: reading them always ends."""

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

MAX_BYTES = 16 * 2**20  # of a record; the largest that are written, albums with thousands of boxes, have a tenth


def open_file(path: Path) -> BinaryIO:
    """Opens an ordinary file to read. A pipe, which would never end, is refused like a folder.

    Raises:
        OSError: There is no such file, it cannot be opened, or it is no ordinary file.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"{path} is not an ordinary file.")
    return open(file, "rb")


def read_bytes(path: Path, most: int = MAX_BYTES) -> bytes:
    """Returns the content of a small file.

    Raises:
        OSError: It cannot be read.
        ValueError: It has more than `most` bytes.
    """
    with open_file(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path} has more than {most:,} bytes.")
    return content


def read_json(path: Path, most: int = MAX_BYTES) -> Any:
    """Returns the value in a small JSON file; raises as `read_bytes`, and ValueError if it is not JSON in UTF-8."""
    try:
        return json.loads(read_bytes(path, most).decode())
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply.") from None


def read_object(path: Path, most: int = MAX_BYTES) -> dict[str, Any] | None:
    """Returns the object in a small JSON file; None if there is no such file, or it cannot be read."""
    try:
        found = read_json(path, most)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def is_missing(path: Path) -> bool:
    """Returns True if there is nothing under a path, False also for what cannot be looked at."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
