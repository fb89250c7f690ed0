"""Imports data sets from untrusted zip files: unpacks into a temporary folder, checks, and then renames it."""

import os
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple, TypeVar

from core.data.archives import explain_no_zip
from core.data.files import MAX_DEPTH, is_junk
from core.data.folders import require_format
from core.data.reading.split_names import find_split_of_folder
from core.data.untrusted import MAX_NAME, DataError, quote
from core.io.moving import rename
from core.io.parts import make_part, sweep_parts
from core.io.paths import ALLOWS_ANY_NAME, find_fault_on_windows, hide_folder
from core.io.troubles import explain
from core.reader import Kind, limits_for, read_apart
from core.reader.tasks import Progress

T = TypeVar("T")

CHUNK = 2**20
MIN_RATIO_BYTES = 2**28  # smaller data sets may have any compression ratio: blank pictures are no zip bomb
MAX_ENTRY_BYTES = 46 + MAX_NAME + 512  # of one file in the zip's central directory
UTF_8 = 0x800  # the flag that names are in UTF-8
METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard"}  # which need much memory, or are not known
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Limits(NamedTuple):
    """Limits on a zip's content.

    Attributes:
        size: Total unpacked size in bytes.
        files: Number of entries, and of folders, those included that are only part of a file's path.
        ratio: Compression ratio of all files together, from `MIN_RATIO_BYTES` on.
    """

    size: int = 8 * 2**30
    files: int = 200_000
    ratio: int = 200


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
            _check_directory_size(file, archive, limits)
            with zipfile.ZipFile(file) as content:
                entries = _select_entries(content.infolist(), archive, folder, limits)
                _require_disk_space(folder, sum(entry.file_size for entry in entries), archive)
                for number, (entry, path) in enumerate(entries.items(), start=1):
                    _unpack_entry(content, entry, folder / path, archive)
                    progress(number, len(entries))
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, UnicodeDecodeError):
        raise DataError(f"{archive} {explain_no_zip(archive)}") from None


def _check_directory_size(file: BinaryIO, archive: Path, limits: Limits) -> None:
    """Rejects a zip whose central directory would fill the memory, before `zipfile` reads it."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 22 - 2**16 - 76))
    tail = file.read()
    plain = tail[-22:-18] == b"PK\x05\x06" and tail[-2:] == b"\0\0"  # `zipfile` tries this first: no comment
    at = len(tail) - 22 if plain else tail.rfind(b"PK\x05\x06")
    sizes = [struct.unpack_from("<L", tail, at + 12)[0]] if 0 <= at <= len(tail) - 22 else []
    if at >= 76 and tail[at - 20 : at - 16] == b"PK\x06\x07":  # more than 4 GB or 65,535 files
        # Python versions differ: some read the record before the locator, others the one it points to.
        sizes.append(struct.unpack_from("<Q", tail, at - 76 + 40)[0])
        offset = struct.unpack_from("<Q", tail, at - 12)[0]
        if offset <= end - 56:
            file.seek(offset)
            sizes.append(struct.unpack_from("<Q", file.read(56), 40)[0])
    if max(sizes, default=0) > limits.files * MAX_ENTRY_BYTES:
        raise _error(archive, f"lists far more than {limits.files:,} files", "pack fewer")


def _select_entries(
    entries: list[zipfile.ZipInfo], archive: Path, folder: Path, limits: Limits
) -> dict[zipfile.ZipInfo, PurePosixPath]:
    """Returns the entries to unpack with their paths, after checking all names and sizes."""
    if len(entries) > limits.files:
        raise _error(archive, f"holds {len(entries):,} files, more than {limits.files:,}", "pack fewer")
    named = {entry: _decode_name(entry) for entry in entries}
    selected = {entry: name for entry, name in named.items() if not any(map(is_junk, PurePosixPath(name).parts))}
    for entry, name in selected.items():
        _check_entry(entry, name, archive)
    size = sum(entry.file_size for entry in selected)
    if size > limits.size:
        raise _error(archive, f"holds more than {limits.size / 2**30:g} GB", "pack less")
    packed = sum(entry.compress_size for entry in selected)
    if packed > archive.stat().st_size:
        raise _error(archive, "has files that share their bytes", "pack it again")
    if size > max(MIN_RATIO_BYTES, limits.ratio * packed):
        raise _error(archive, f"grows more than {limits.ratio}-fold when it is unpacked", "pack it plainly")
    files = {entry: PurePosixPath(name) for entry, name in selected.items() if not name.endswith("/")}
    _check_paths(list(files.values()), archive, limits)
    if not ALLOWS_ANY_NAME:
        _require_allowed(files, folder, archive)
    return files


def _require_allowed(files: Mapping[zipfile.ZipInfo, PurePosixPath], folder: Path, archive: Path) -> None:
    """Rejects files that Windows would not keep under their names, although other systems do."""
    for path in files.values():
        if fault := find_fault_on_windows(path, folder):
            raise _error(archive, f"holds {quote(str(path))}, {fault}", "rename it there, or unpack it elsewhere")


def _check_paths(paths: list[PurePosixPath], archive: Path, limits: Limits) -> None:
    """Rejects two files of the same path, a file with the path of another one's folder, and too many folders."""
    known: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    for path in paths:
        if path in known:
            raise _error(archive, f"holds {quote(str(path))} twice", "pack it again with each file once")
        known.add(path)
        folders.update(takewhile(lambda folder: folder not in folders, path.parents))
        if len(folders) > limits.files + 1:  # the data set's own folder
            raise _error(archive, f"holds more than {limits.files:,} folders", "pack fewer")
    for both in known & folders:
        raise _error(archive, f"holds {quote(str(both))} both as a file and as a folder", "rename one of them")


def _decode_name(entry: zipfile.ZipInfo) -> str:
    """Returns the path of a file, with `/` between folders, which ends with one if it is a folder.

    `zip` and macOS write UTF-8 without its flag, which is read as code page 437; older .NET writes backslashes.
    """
    name = entry.filename
    if not entry.flag_bits & UTF_8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _check_entry(entry: zipfile.ZipInfo, name: str, archive: Path) -> None:
    path = PurePosixPath(name)
    wrong = (
        not path.parts
        or path.is_absolute()
        or ".." in path.parts
        or ":" in path.parts[0][1:2]
        or any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in entry.orig_filename)
    )
    if wrong or len(name) > MAX_NAME or max(len(part.encode()) for part in path.parts) > 255:
        raise _error(
            archive, f"holds {quote(entry.orig_filename)}, which is not a path inside a folder", "pack it again"
        )
    if len(path.parent.parts) > MAX_DEPTH:
        raise _error(archive, f"holds {quote(name)}, in more than {MAX_DEPTH} folders", "pack it without them")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _error(archive, f"holds {quote(name)}, which is a link or device", "pack the files themselves")
    if entry.flag_bits & 0x1:
        raise _error(archive, f"holds {quote(name)}, which is encrypted", "pack it without a password")
    if entry.compress_type not in COMPRESSIONS:
        method = METHODS.get(entry.compress_type, f"method {entry.compress_type}")
        raise _error(archive, f"holds {quote(name)}, compressed with {method}", "pack it with deflate, as is usual")


def _require_disk_space(folder: Path, needed: int, archive: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise _error(archive, f"needs {needed / 2**30:.1f} GB, but {free / 2**30:.1f} GB are free", "make room")


def _unpack_entry(content: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, archive: Path) -> None:
    """Unpacks one file; rejects one that differs from its declared size, and never replaces another.

    Names that differ only in capitals, or in how an accent is written, are two files where the disk keeps them apart.
    """
    left = entry.file_size
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise _error(
            archive,
            f"holds {quote(entry.filename)} and a file or folder whose name this disk does not tell from it",
            "rename one of them",
        ) from None
    with target, content.open(entry) as source:
        while piece := source.read(CHUNK):
            left -= len(piece)
            if left < 0:
                raise _error(archive, f"holds {quote(entry.filename)}, larger than it says", "pack it again")
            target.write(piece)
    if left:
        raise _error(archive, f"holds {quote(entry.filename)}, smaller than it says", "pack it again")


def _find_root(folder: Path) -> Path:
    """Returns the folder without the folders that wrap everything in it, except one that is named after a split."""
    inner = list(folder.iterdir())
    while len(inner) == 1 and inner[0].is_dir() and not find_split_of_folder(inner[0].name):
        folder = inner[0]
        inner = list(folder.iterdir())
    return folder


def _error(archive: Path, reason: str, remedy: str) -> DataError:
    return DataError(f"{archive.name} {reason}: {remedy}.")
