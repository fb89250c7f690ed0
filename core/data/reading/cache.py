"""Keeps what was read of data sets: in memory for the next split, and large ones on the disk for the next process.

An entry is found by the folder and by the names, sizes and times of all its files, so that any change is read anew.
"""

import hashlib
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from core.data.files import FolderFiles
from core.data.reading.contents import FolderContents
from core.data.reading.storage import load_contents, save_contents
from core.io.moving import remove
from core.io.parts import sweep_parts

FOLDER_VARIABLE = "RETINANET_CACHE"  # names another folder for the cache; "" stores nothing
MIN_IMAGES = 1000  # smaller data sets are read again quickly
MAX_FILES, MAX_BYTES = 16, 2**30
SETTLED = 2.0  # seconds; file systems do not tell changes apart that follow each other more quickly
MAX_IN_MEMORY = 2


class Key(NamedTuple):
    """How a folder is read; the fields are the arguments of `core.data.folders.read_data_set`."""

    format: str | None
    strict: bool
    use_lists: bool = True


class ContentsCache:
    """What was read last, in memory and on the disk."""

    def __init__(self) -> None:
        self._contents: OrderedDict[str, FolderContents] = OrderedDict()
        self._lock = Lock()

    def get(self, files: FolderFiles, key: Key, read: Callable[[], FolderContents]) -> FolderContents:
        """Returns the contents of a folder, which are read unless they are known; raises the errors of `read`."""
        if abs(time.time() - files.newest / 1e9) < SETTLED:  # later times stand still, too
            return read()
        name = hashlib.sha256(
            f"{files.root.resolve()}\0{files.root}\0{files.stamp}\0{key}".encode(errors="surrogateescape")
        ).hexdigest()
        with self._lock:
            contents = self._contents.get(name)
        if contents is None:
            path = _find_path(name)
            contents = load_contents(path, files) if path else None
            if contents is None:
                contents = read()
                if path and len(contents.images) >= MIN_IMAGES:
                    save_contents(path, contents, files.root)
                    _remove_old(path.parent)
        with self._lock:
            self._contents[name] = contents
            self._contents.move_to_end(name)
            while len(self._contents) > MAX_IN_MEMORY:
                self._contents.popitem(last=False)
        return contents


def _find_path(name: str) -> Path | None:
    """Returns the path of an entry on the disk; None if nothing is to be stored."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is not None:
        return Path(folder) / f"{name}.npz" if folder else None
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "darwin":
        base = home / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "retinanet-playground" / "data-sets" / f"{name}.npz"


def _remove_old(folder: Path) -> None:
    """Removes the entries that were used least recently until the others fit the limits, and what kills left."""
    sweep_parts(folder)
    try:
        entries = sorted(((path.stat(), path) for path in folder.glob("*.npz")), key=lambda each: -each[0].st_mtime_ns)
        total = 0
        for number, (status, path) in enumerate(entries):
            total += status.st_size
            if number >= MAX_FILES or total > MAX_BYTES:
                remove(path)
    except OSError:  # another process removes them at the same time
        return


CONTENTS = ContentsCache()
