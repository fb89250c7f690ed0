"""Folders of one process, for files that are of no use to any other: gone when it ends, however it ends."""

import atexit
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import RLock

from core.io.locks import FileLock
from core.io.moving import remove_tree
from core.io.parts import claim_part, sweep_parts
from core.io.troubles import require_temporary


class OwnFolder:
    """A hidden folder of this process, made when it is first needed; all methods are thread-safe.

    It goes when the process ends. What a killed process leaves, the next one that needs such a folder removes.

    Args:
        name: What its files are for: part of its name, and of that in other processes.
        find_home: Returns the folder to make it in, which is created; asked each time one is needed.

    Attributes:
        folder: The folder, None as long as none was needed.
    """

    def __init__(self, name: str, find_home: Callable[[], Path] = require_temporary) -> None:
        self._name, self._find_home = name, find_home
        self._changing = RLock()
        self._held: tuple[FileLock, int] | None = None  # the lock on the folder, and the process that made it
        self.folder: Path | None = None

    def make_folder(self) -> Path:
        """Creates an empty folder in it.

        Raises:
            OSError, PlaceError: There is no place for it.
        """
        with self._changing:
            return Path(tempfile.mkdtemp(dir=self._open()))

    def sweep(self) -> None:
        """Removes the folders of killed processes."""
        sweep_parts(self._find_home(), self._name)

    def close(self) -> None:
        """Removes the folder; a forked process leaves that to its parent."""
        with self._changing:
            if self.folder and self._held and self._held[1] == os.getpid():
                self._held[0].close()
                remove_tree(self.folder)
            self.folder = self._held = None

    def _open(self) -> Path:
        if self.folder is None or not self.folder.is_dir():  # or a system has tidied up
            self.close()
            home = self._find_home()
            home.mkdir(parents=True, exist_ok=True)
            self.sweep()
            self.folder, lock = claim_part(home / self._name)
            self._held = lock, os.getpid()
            atexit.register(self.close)
        return self.folder
