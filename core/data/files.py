"""The files of a data set's folder, listed once for all formats."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from core.data.untrusted import IMAGE_SUFFIXES, DataError

MAX_FILES = 2_000_000
# What operating systems and version control put beside files; a folder of these names is skipped with its contents.
JUNK_NAMES = frozenset(("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".git", ".ipynb_checkpoints"))


class FolderFiles(NamedTuple):
    """The files of a folder at any depth, without junk.

    Attributes:
        root: The folder, as given.
        images: The picture files, by their suffix: sorted paths relative to the root, with `/` between folders.
        others: All other files, in the same form.
        stamp: Changes with the name, size or modification time of any file.
    """

    root: Path
    images: tuple[str, ...]
    others: tuple[str, ...]
    stamp: str

    def find(self, *suffixes: str) -> list[Path]:
        """Returns the other files with one of these suffixes, in lower case such as ".json"."""
        return [self.root / name for name in self.others if PurePosixPath(name).suffix.lower() in suffixes]


def list_files(root: Path) -> FolderFiles:
    """Lists the files of a folder; links are followed to files, but not to folders.

    Raises:
        DataError: The folder does not exist, cannot be read, or has more than `MAX_FILES` files.
    """
    if not root.is_dir():
        raise DataError(f"There is no data set {str(root)!r}: give an existing folder, or scenes.")
    names: list[str] = []
    digest = hashlib.sha256()
    for name, stat in sorted(_walk(root, "")):
        names.append(name)
        digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode(errors="surrogateescape"))
    images = tuple(name for name in names if is_image_name(name))
    known = set(images)
    return FolderFiles(root, images, tuple(name for name in names if name not in known), digest.hexdigest())


def is_image_name(name: str) -> bool:
    """True if a file's suffix is that of a picture."""
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def is_junk(name: str) -> bool:
    """True for the name of a file or folder that an operating system left, such as `.DS_Store` or `._picture.jpg`."""
    return name in JUNK_NAMES or name.startswith("._")


def _walk(root: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yields the relative path and the status of every file."""
    folders, count = [prefix], 0
    while folders:
        prefix = folders.pop()
        try:
            with os.scandir(root / prefix) as entries:
                listed = list(entries)
        except OSError as error:
            raise DataError(f"{root / prefix} cannot be read ({error.strerror}): check its permissions.") from None
        for entry in listed:
            if is_junk(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(f"{prefix}{entry.name}/")
            elif entry.is_file():
                count += 1
                if count > MAX_FILES:
                    raise DataError(f"{root} has more than {MAX_FILES:,} files: choose the folder of one data set.")
                yield f"{prefix}{entry.name}", entry.stat()
