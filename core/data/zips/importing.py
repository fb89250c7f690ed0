"""Imports data sets from untrusted zip files: unpacks into a temporary folder, checks, and then renames it."""

import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from core.data.folders import require_format
from core.data.reading.split_names import find_split_of_folder
from core.data.untrusted import DataError, quote
from core.data.zips.archives import explain_no_zip
from core.data.zips.entries import Limits, check_directory_size, make_error, select_entries
from core.io.moving import rename
from core.io.parts import make_part, sweep_parts
from core.io.paths import hide_folder
from core.io.troubles import explain
from core.reader import Kind, limits_for, read_apart
from core.reader.tasks import Progress

T = TypeVar("T")

CHUNK = 2**20
LIMITS = Limits()


def import_zip(
    archive: Path, folder: Path, accept: Callable[[Path], T], limits: Limits = LIMITS, *, format: str | None = None
) -> T:
    """Unpacks a data set into a new folder; leaves nothing behind if it fails.

    Args:
        archive: The zip, not trusted.
        folder: The data set's new folder, which must not exist; its parent must.
        accept: Called with the unpacked data set before it is renamed; raises `DataError` to reject it.
        limits: Limits on the zip's content.
        format: The key of the annotation format; None if `accept` detects it.

    Returns:
        The result of `accept`.

    Raises:
        DataError: The zip is damaged or too large, or contains a link, a path outside the folder, an encrypted file or
            no data set; or the folder already exists, or the disk is full.
    """
    if os.path.lexists(folder):
        raise DataError(f"{folder} already exists: remove it or name another folder.")
    sweep_parts(folder.parent, folder.name)  # left by an import that was killed
    with unpacked(archive, folder, limits, format=format) as root:
        result = accept(root)
        rename(root, folder)
    return result


@contextmanager
def unpacked(archive: Path, folder: Path, limits: Limits = LIMITS, *, format: str | None = None) -> Iterator[Path]:
    """Yields an unpacked data set in a hidden folder beside another one; removes it in the end unless it was moved.

    Args:
        archive: The zip, not trusted.
        folder: The data set's new folder, which it is to be moved to; its parent must exist.
        limits: Limits on the zip's content.
        format: The key of the annotation format; None for any.

    Raises:
        DataError: As `import_zip`.
    """
    hidden: list[Path] = []
    try:
        with make_part(folder) as content:
            hidden = [content]
            content.mkdir()
            unpack(archive, content, limits)
            hidden.insert(0, root := _find_root(content))
            require_format(root, format)
            yield root
    except DataError as error:
        for path in hidden:
            error.args = (hide_folder(str(error), path, archive.name),)
        raise
    except OSError as error:
        raise DataError(f"{archive} cannot be unpacked into {folder}: {explain(error)}") from None


def unpack(archive: Path, folder: Path, limits: Limits = LIMITS) -> None:
    """Unpacks a zip into an empty folder; raises the errors of `import_zip` and then leaves partial files behind."""
    bounds = limits_for(Kind.DATA_SETS, archive)
    if bounds is None:
        _unpack_here(archive, folder, limits)
        return
    arguments = {"archive": str(archive), "folder": str(folder), "limits": limits}
    with read_apart("archive", arguments, name=archive.name, limits=bounds, refusal=DataError):
        pass  # the answer is in the folder


def unpack_for_parent(arguments: dict[str, Any], folder: Path, progress: Progress) -> None:
    """Unpacks a zip for another process."""
    _unpack_here(Path(arguments["archive"]), Path(arguments["folder"]), Limits(*arguments["limits"]), progress)


def _unpack_here(archive: Path, folder: Path, limits: Limits, progress: Progress = lambda done, total: None) -> None:
    try:
        with archive.open("rb") as file:
            check_directory_size(file, archive, limits)
            with zipfile.ZipFile(file) as content:
                entries = select_entries(content.infolist(), archive, folder, limits)
                _require_disk_space(folder, sum(entry.file_size for entry in entries), archive)
                for number, (entry, path) in enumerate(entries.items(), start=1):
                    _unpack_entry(content, entry, folder / path, archive)
                    progress(number, len(entries))
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, UnicodeDecodeError):
        raise DataError(f"{archive} {explain_no_zip(archive)}") from None


def _require_disk_space(folder: Path, needed: int, archive: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise make_error(archive, f"needs {needed / 2**30:.1f} GB, but {free / 2**30:.1f} GB are free", "make room")


def _unpack_entry(content: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, archive: Path) -> None:
    """Unpacks one file; rejects one that differs from its declared size, and never replaces another.

    Names that differ only in capitals, or in how an accent is written, are two files where the disk keeps them apart.
    """
    left = entry.file_size
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise make_error(
            archive,
            f"holds {quote(entry.filename)} and a file or folder whose name this disk does not tell from it",
            "rename one of them",
        ) from None
    with target, content.open(entry) as source:
        while piece := source.read(CHUNK):
            left -= len(piece)
            if left < 0:
                raise make_error(archive, f"holds {quote(entry.filename)}, larger than it says", "pack it again")
            target.write(piece)
    if left:
        raise make_error(archive, f"holds {quote(entry.filename)}, smaller than it says", "pack it again")


def _find_root(folder: Path) -> Path:
    """Returns the folder without the folders that wrap everything in it, except one that is named after a split."""
    inner = list(folder.iterdir())
    while len(inner) == 1 and inner[0].is_dir() and not find_split_of_folder(inner[0].name):
        folder = inner[0]
        inner = list(folder.iterdir())
    return folder
