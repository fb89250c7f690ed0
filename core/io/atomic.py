"""Writing files whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UserError


class OutputError(UserError):
    """A file or folder that cannot be written; the message says which, why and what to do."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to; it takes the place of `path` at the end, and goes after an error."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole or not at all."""
    with whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def require_writable(path: Path) -> None:
    """Finds out now, rather than after hours of work, whether a file can be written; leaves nothing behind.

    Raises:
        OutputError: It cannot.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder: name a file.")
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written because there is no folder {path.parent}: make it first.")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path} cannot be written because the folder {path.parent} does not allow it: name another.")
