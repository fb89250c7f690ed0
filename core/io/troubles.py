"""Explanations of file errors: the file that an error of the operating system is about, and the remedy."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UserError
from core.io.parts import is_part

FULL = (errno.ENOSPC, errno.EDQUOT)
WRITING = (*FULL, errno.EFBIG, errno.EIO)  # what a write reports, without the name of its file
FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)
PROBE = b"0" * 4096  # one block of a disk: an empty file can be made on a full one
REMEDIES = {
    FULL: "Free some space on the disk",
    (errno.EFBIG,): "Raise the limit of the size of files (ulimit -f), or use another disk",
    FORBIDDEN: "Let this user write there, or name another place",
    (errno.EEXIST, errno.ENOTDIR): "Move the file that is in the way, or name another place",
    (errno.EISDIR,): "Move the folder that is in the way, or name another place",
    (errno.ENOENT,): "Check the path",
    (errno.ENOMEM, errno.EAGAIN): "Close other programs",
    (errno.EMFILE, errno.ENFILE): "Raise the limit of open files (ulimit -n)",
    (errno.ENAMETOOLONG,): "Name a shorter path",
    (errno.EBUSY,): "Close what uses it and try again",
    (errno.EIO,): "Check the disk",
}


class PlaceError(UserError):
    """A folder that cannot be used."""


def explain(error: OSError) -> str:
    """Returns the reason and the remedy for an error of the operating system, to end a sentence that names the file."""
    remedy = next((text for numbers, text in REMEDIES.items() if error.errno in numbers), "")
    return f"{error.strerror or error}." + (f" {remedy}." if remedy else "")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Gives errors of the system the name of the file that was written: those of a write have none.

    Those about its part in the making have that part's name, which people need not know.
    """
    try:
        yield
    except OSError as error:
        names = Path(os.fsdecode(error.filename)).parts if isinstance(error.filename, str | bytes) else ()
        if error.errno is not None and (error.filename is None or any(map(is_part, names))):
            error.filename = str(path)
        raise


def require_usable(folder: Path) -> None:
    """Checks that files can be made in a folder, or that it can be created; leaves nothing behind.

    Raises:
        PlaceError: That is not possible.
    """
    place = folder.absolute()
    try:
        if os.path.lexists(place):
            os.listdir(place)
        else:
            place = next(each for each in place.parents if os.path.lexists(each))
        with naming(place), tempfile.TemporaryFile(dir=place, buffering=0) as probe:
            probe.write(PROBE)
    except OSError as error:
        raise PlaceError(f"The folder {folder.absolute()} cannot be used: {explain(error)}") from None


def require_temporary() -> Path:
    """Returns the folder for temporary files.

    Raises:
        PlaceError: There is none that can be written.
    """
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise PlaceError(
            "There is no folder for temporary files that can be written: free some space on the disk, or name one with "
            "the environment variable TMPDIR."
        ) from None
