"""Folders for downloads, which hold private pictures: they are gone with their process, however it ends."""

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from core.io.locks import FileLock

PREFIX, LOCK = "retinanet-albums-", "lock"  # of the folder of a process, and in it


class Exports:
    """The folder of this process for downloads, below that of temporary files; it is made for the first download."""

    def __init__(self) -> None:
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._lock: FileLock | None = None  # held as long as the process lives

    def make(self) -> Path:
        """Returns a new folder; raises `OSError` if it cannot be created."""
        if self._home is None:
            self._home = tempfile.TemporaryDirectory(prefix=PREFIX)
            self._lock = FileLock.acquire(Path(self._home.name) / LOCK)
        return Path(tempfile.mkdtemp(dir=self._home.name))

    def clean(self, seconds: float) -> None:
        """Removes folders that are older, and all those of killed processes."""
        for place in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
            with suppress(OSError):  # another user's
                lock = FileLock.try_acquire(place, timeout=0)
                if lock:
                    with lock:
                        shutil.rmtree(place.parent, ignore_errors=True)
        for folder in Path(self._home.name).iterdir() if self._home else ():
            if folder.is_dir() and folder.stat().st_mtime < time.time() - seconds:
                shutil.rmtree(folder, ignore_errors=True)
