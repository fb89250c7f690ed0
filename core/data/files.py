"""The files of a data set's folder, listed once for all formats."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from core.data.untrusted import IMAGE_SUFFIXES, DataError

MAX_FILES = 2_000_000
MAX_DEPTH = 32  # folders inside each other; the work on a path grows with them
# What operating systems and version control put beside files; a folder of these names is skipped with its contents.
JUNK_NAMES = frozenset(
    ("__MACOSX", ".DS_Store", "Icon\r", ".Trashes", ".fseventsd", ".Spotlight-V100", "Thumbs.db", "ehthumbs.db",
     "desktop.ini", "$RECYCLE.BIN", "System Volume Information", "@eaDir", ".git", ".svn", ".ipynb_checkpoints")
)  # fmt: skip


class FolderFiles(NamedTuple):
    """The files of a folder at any depth, without junk.

    Attributes:
        root: The folder, as given.
        images: The picture files, by their suffix: sorted paths relative to the root, with `/` between folders.
        others: All other files, in the same form.
        stamp: Changes with the name, size or modification time of any file.
        links: Those of the files that are symbolic links, which may lead out of the folder.
        linked_folders: The symbolic links to folders, which are not followed.
        newest: The latest modification time, in nanoseconds.
    """

    root: Path
    images: tuple[str, ...]
    others: tuple[str, ...]
    stamp: str
    links: frozenset[str] = frozenset()
    linked_folders: tuple[str, ...] = ()
    newest: int = 0

    def find(self, *suffixes: str) -> list[Path]:
        """Returns the other files with one of these suffixes, in lower case such as ".json"."""
        return [self.root / name for name in self.others if name.lower().endswith(suffixes)]


def list_files(root: Path) -> FolderFiles:
    """Lists the files of a folder; links are followed to files, but not to folders.

    Raises:
        DataError: The folder does not exist, cannot be read, or has more than `MAX_FILES` files or `MAX_DEPTH`
            folders inside each other.
    """
    if not os.path.isdir(root):  # which is False for names that no file can have
        raise DataError(f"There is no data set {str(root)!r}: give an existing folder, or scenes.")
    linked_folders: list[str] = []
    entries = sorted(_walk(root, linked_folders))
    digest = hashlib.sha256()
    for name, size, modified, _ in entries:
        digest.update(f"{name}\0{size}\0{modified}\0".encode(errors="surrogateescape"))
    images = tuple(entry.name for entry in entries if is_image_name(entry.name))
    known = set(images)
    others = tuple(entry.name for entry in entries if entry.name not in known)
    links = frozenset(entry.name for entry in entries if entry.is_link)
    newest = max((entry.modified for entry in entries), default=0)
    return FolderFiles(root, images, others, digest.hexdigest(), links, tuple(sorted(linked_folders)), newest)


def is_image_name(name: str) -> bool:
    """True if a file's suffix is that of a picture."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def is_junk(name: str) -> bool:
    """True for the name of a file or folder that an operating system left, such as `.DS_Store` or `._picture.jpg`."""
    return name in JUNK_NAMES or name.startswith("._")


class _Entry(NamedTuple):
    """A file: its path relative to the root, size in bytes and modification time in nanoseconds."""

    name: str
    size: int
    modified: int
    is_link: bool


def _walk(root: Path, linked_folders: list[str]) -> Iterator[_Entry]:
    """Yields every file; adds links to folders to the list."""
    folders, count = [""], 0
    while folders:
        prefix = folders.pop()
        if prefix.count("/") > MAX_DEPTH:
            raise DataError(f"{root} has more than {MAX_DEPTH} folders inside each other: move the files up.")
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
            elif not (status := _get_status(entry)):
                continue
            elif S_ISDIR(status.st_mode):
                linked_folders.append(f"{prefix}{entry.name}")
            elif S_ISREG(status.st_mode):
                count += 1
                if count > MAX_FILES:
                    raise DataError(f"{root} has more than {MAX_FILES:,} files: choose the folder of one data set.")
                yield _Entry(f"{prefix}{entry.name}", status.st_size, status.st_mtime_ns, entry.is_symlink())


def _get_status(entry: "os.DirEntry[str]") -> os.stat_result | None:
    """Returns the status of an entry, links followed; None if there is none, as for a link to nowhere or to itself."""
    try:
        return entry.stat()
    except OSError:
        return None
