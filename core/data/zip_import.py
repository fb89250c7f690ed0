"""Data sets that come as a zip from anyone: unpacked beside their place, looked at, and only then given their name."""

import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, TypeVar

from core.data.folders import format_of
from core.data.untrusted import MAX_NAME, DataError, shown

T = TypeVar("T")

CHUNK = 2**20
DEPTH = 3  # folders in a folder in the zip down to which a data set is looked for
RATIO_FROM = 2**20  # bytes unpacked up to which any ratio is taken: a list of a word a thousand times is no bomb
ENTRY_BYTES = 46 + MAX_NAME + 512  # of a file in the zip's directory, at most
RUBBISH = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Limits(NamedTuple):
    """What a zip may hold.

    Attributes:
        size: Bytes of all files, unpacked.
        files: How many, folders too.
        ratio: Bytes of a file unpacked for one packed.
    """

    size: int = 8 * 2**30
    files: int = 200_000
    ratio: int = 200


LIMITS = Limits()


def import_zip(archive: Path, folder: Path, accept: Callable[[Path], T], limits: Limits = LIMITS) -> T:
    """Unpacks a data set; whatever goes wrong, nothing of it remains.

    Args:
        archive: The zip, not trusted.
        folder: The data set's new folder; must not exist, its parent must.
        accept: Is shown the unpacked data set before it gets its name; raises `DataError` to refuse it.
        limits: What the zip may hold.

    Returns:
        What `accept` returns.

    Raises:
        DataError: The zip is damaged, too large, or holds a link, a path that leaves the folder, something encrypted
            or no data set; or the folder is there already, or the disk full.
    """
    if os.path.lexists(folder):
        raise DataError(f"{folder} is there already: remove it or name another folder.")
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        beside.mkdir()
        unpack(archive, beside, limits)
        root = _root(beside, archive)
        result = accept(root)
        root.rename(folder)
    except DataError as error:
        error.args = (str(error).replace(f"{beside}/", ""),)
        raise
    except OSError as error:
        raise DataError(f"{archive} cannot be unpacked into {folder}: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return result


def unpack(archive: Path, folder: Path, limits: Limits = LIMITS) -> None:
    """Unpacks a zip into an empty folder; raises as `import_zip`, and then leaves what is there."""
    try:
        with archive.open("rb") as file:
            _bound_directory(file, archive, limits)
            with zipfile.ZipFile(file) as content:
                entries = _checked(content.infolist(), archive, limits)
                _require_room(folder, sum(entry.file_size for entry in entries), archive)
                for entry in entries:
                    _write(content, entry, folder, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, UnicodeDecodeError) as error:
        raise DataError(f"{archive} is no zip or is damaged ({error}): pack or copy it again.") from None


def _bound_directory(file: BinaryIO, archive: Path, limits: Limits) -> None:
    """Refuses a zip whose directory would fill the memory, before Python reads it whole."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 22 - 2**16 - 76))
    tail = file.read()
    plain = tail[-22:-18] == b"PK\x05\x06" and tail[-2:] == b"\0\0"  # what Python looks for first: no comment
    at = len(tail) - 22 if plain else tail.rfind(b"PK\x05\x06")
    sizes = [struct.unpack_from("<L", tail, at + 12)[0]] if 0 <= at <= len(tail) - 22 else []
    if at >= 76 and tail[at - 20 : at - 16] == b"PK\x06\x07":  # more than 4 GB or 65,535 files
        # Pythons differ in whether they take the record before the locator or the one it points to.
        sizes.append(struct.unpack_from("<Q", tail, at - 76 + 40)[0])
        there = struct.unpack_from("<Q", tail, at - 12)[0]
        if there <= end - 56:
            file.seek(there)
            sizes.append(struct.unpack_from("<Q", file.read(56), 40)[0])
    if max(sizes, default=0) > limits.files * ENTRY_BYTES:
        raise _refusal(archive, f"lists far more than {limits.files:,} files", "pack fewer")


def _checked(entries: list[zipfile.ZipInfo], archive: Path, limits: Limits) -> list[zipfile.ZipInfo]:
    """Returns the files to unpack, all names and sizes found harmless."""
    if len(entries) > limits.files:
        raise _refusal(archive, f"holds {len(entries):,} files, more than {limits.files:,}", "pack fewer")
    kept = [entry for entry in entries if not set(PurePosixPath(entry.filename).parts) & set(RUBBISH)]
    for entry in kept:
        _check(entry, archive, limits)
    if sum(entry.file_size for entry in kept) > limits.size:
        raise _refusal(archive, f"holds more than {limits.size / 2**30:g} GB", "pack less")
    return [entry for entry in kept if not entry.is_dir()]


def _check(entry: zipfile.ZipInfo, archive: Path, limits: Limits) -> None:
    name, path = entry.orig_filename, PurePosixPath(entry.filename)
    wrong = not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or not name.isprintable()
    if wrong or len(name) > MAX_NAME or max(len(part.encode()) for part in path.parts) > 255:
        raise _refusal(archive, f"holds {shown(name)}, which is no path inside a folder", "pack it again")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refusal(archive, f"holds {shown(name)}, which is a link or device", "pack the files themselves")
    if entry.flag_bits & 0x1 or entry.compress_type not in PACKED:
        raise _refusal(archive, f"holds {shown(name)}, which is encrypted or packed unusually", "pack it plainly")
    if entry.file_size > max(RATIO_FROM, limits.ratio * entry.compress_size):
        raise _refusal(archive, f"holds {shown(name)}, which grows more than {limits.ratio}-fold", "pack it plainly")


def _require_room(folder: Path, needed: int, archive: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise _refusal(archive, f"needs {needed / 2**30:.1f} GB, but {free / 2**30:.1f} GB are free", "make room")


def _write(content: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, archive: Path) -> None:
    """Unpacks one file; it cannot grow beyond the size it declares, nor replace another."""
    path = folder.joinpath(*PurePosixPath(entry.filename).parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    left = entry.file_size
    with content.open(entry) as source, path.open("xb") as target:
        while piece := source.read(CHUNK):
            left -= len(piece)
            if left < 0:
                raise _refusal(archive, f"holds {shown(entry.filename)}, larger than it says", "pack it again")
            target.write(piece)
    if left:
        raise _refusal(archive, f"holds {shown(entry.filename)}, smaller than it says", "pack it again")


def _root(folder: Path, archive: Path) -> Path:
    """Returns where the data set begins: the folder, or the only folder in it, and so on."""
    for _ in range(DEPTH + 1):
        if format_of(folder):
            return folder
        inner = [path for path in folder.iterdir() if path.is_dir()]
        if len(inner) != 1:
            break
        folder = inner[0]
    raise _refusal(
        archive, "holds no data set", "pack a folder with train.json and images/ (COCO), Annotations/ and JPEGImages/ "
        "(Pascal VOC), or data.yaml with images/ and labels/ (YOLO)"
    )  # fmt: skip


def _refusal(archive: Path, what: str, remedy: str) -> DataError:
    return DataError(f"{archive.name} {what}: {remedy}.")
