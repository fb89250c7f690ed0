"""The temporary folder for what reading processes return; those of programs that were killed are swept.

A folder belongs to who holds the lock on the file beside it. The lock is released when its process ends, however it
ends, so that whatever is not locked can be removed.
"""

import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from core.io.locks import FileLock

PREFIX, LOCK = "retinanet-reader-", ".lock"


class Scratch:
    """A temporary folder of this process; removes those of processes that are gone.

    Raises:
        OSError: There is no place for temporary files.
    """

    def __init__(self) -> None:
        base = Path(tempfile.gettempdir())
        sweep(base)
        self._lock_file, self._lock = _claim(base)
        self.folder = self._lock_file.with_suffix("")
        self._process = os.getpid()
        self.folder.mkdir(mode=0o700)

    def make_folder(self) -> Path:
        """Creates an empty folder in it."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def close(self) -> None:
        """Removes the folder; a forked process leaves that to its parent."""
        if os.getpid() == self._process:
            shutil.rmtree(self.folder, ignore_errors=True)
            with suppress(OSError):
                self._lock_file.unlink(missing_ok=True)
            self._lock.close()


def sweep(base: Path) -> None:
    """Removes the folders whose processes are gone."""
    for file in base.glob(f"{PREFIX}*{LOCK}"):
        with suppress(OSError):  # another user's, or one that another process sweeps at the same time
            lock = FileLock.try_acquire(file, timeout=0)
            if lock is None:
                continue
            with lock:
                if lock.is_on(file):
                    shutil.rmtree(file.with_suffix(""), ignore_errors=True)
                    file.unlink(missing_ok=True)


def _claim(base: Path) -> tuple[Path, FileLock]:
    """Returns a new lock file and its lock; one that another process sweeps meanwhile is given up."""
    while True:
        file = base / f"{PREFIX}{secrets.token_hex(8)}{LOCK}"
        lock = FileLock.try_acquire(file)
        if lock is not None and lock.is_on(file):
            return file, lock
