"""The directory of a zip, checked before anything is unpacked: number, names, sizes and kinds of its files."""

import os
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from core.data.files import MAX_DEPTH, is_junk
from core.data.untrusted import MAX_NAME, DataError, quote
from core.io.paths import ALLOWS_ANY_NAME, find_fault_on_windows

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


def check_directory_size(file: BinaryIO, archive: Path, limits: Limits) -> None:
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
        raise make_error(archive, f"lists far more than {limits.files:,} files", "pack fewer")


def select_entries(
    entries: list[zipfile.ZipInfo], archive: Path, folder: Path, limits: Limits
) -> dict[zipfile.ZipInfo, PurePosixPath]:
    """Returns the entries to unpack with their paths; raises `DataError` unless all names and sizes are as they may be.

    Args:
        entries: What the zip lists.
        archive: The zip, for messages.
        folder: The folder that they are to be unpacked into.
        limits: Limits on the zip's content.
    """
    if len(entries) > limits.files:
        raise make_error(archive, f"holds {len(entries):,} files, more than {limits.files:,}", "pack fewer")
    named = {entry: _decode_name(entry) for entry in entries}
    selected = {entry: name for entry, name in named.items() if not any(map(is_junk, PurePosixPath(name).parts))}
    for entry, name in selected.items():
        _check_entry(entry, name, archive)
    size = sum(entry.file_size for entry in selected)
    if size > limits.size:
        raise make_error(archive, f"holds more than {limits.size / 2**30:g} GB", "pack less")
    packed = sum(entry.compress_size for entry in selected)
    if packed > archive.stat().st_size:
        raise make_error(archive, "has files that share their bytes", "pack it again")
    if size > max(MIN_RATIO_BYTES, limits.ratio * packed):
        raise make_error(archive, f"grows more than {limits.ratio}-fold when it is unpacked", "pack it plainly")
    files = {entry: PurePosixPath(name) for entry, name in selected.items() if not name.endswith("/")}
    _check_paths(list(files.values()), archive, limits)
    if not ALLOWS_ANY_NAME:
        _require_allowed(files, folder, archive)
    return files


def _require_allowed(files: Mapping[zipfile.ZipInfo, PurePosixPath], folder: Path, archive: Path) -> None:
    """Rejects files that Windows would not keep under their names, although other systems do."""
    for path in files.values():
        if fault := find_fault_on_windows(path, folder):
            raise make_error(archive, f"holds {quote(str(path))}, {fault}", "rename it there, or unpack it elsewhere")


def _check_paths(paths: list[PurePosixPath], archive: Path, limits: Limits) -> None:
    """Rejects two files of the same path, a file with the path of another one's folder, and too many folders."""
    known: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    for path in paths:
        if path in known:
            raise make_error(archive, f"holds {quote(str(path))} twice", "pack it again with each file once")
        known.add(path)
        folders.update(takewhile(lambda folder: folder not in folders, path.parents))
        if len(folders) > limits.files + 1:  # the data set's own folder
            raise make_error(archive, f"holds more than {limits.files:,} folders", "pack fewer")
    for both in known & folders:
        raise make_error(archive, f"holds {quote(str(both))} both as a file and as a folder", "rename one of them")


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
        raise make_error(
            archive, f"holds {quote(entry.orig_filename)}, which is not a path inside a folder", "pack it again"
        )
    if len(path.parent.parts) > MAX_DEPTH:
        raise make_error(archive, f"holds {quote(name)}, in more than {MAX_DEPTH} folders", "pack it without them")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise make_error(archive, f"holds {quote(name)}, which is a link or device", "pack the files themselves")
    if entry.flag_bits & 0x1:
        raise make_error(archive, f"holds {quote(name)}, which is encrypted", "pack it without a password")
    if entry.compress_type not in COMPRESSIONS:
        method = METHODS.get(entry.compress_type, f"method {entry.compress_type}")
        raise make_error(archive, f"holds {quote(name)}, compressed with {method}", "pack it with deflate, as is usual")


def make_error(archive: Path, reason: str, remedy: str) -> DataError:
    """Returns an error that names the zip, what is wrong with it, and what to do."""
    return DataError(f"{archive.name} {reason}: {remedy}.")
