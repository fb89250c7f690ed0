"""The server: waits for a run of a folder and takes it, one at a time per device.

The first run of the queue is taken, in which owners take turns. The server outlives the page that started it, and is
over when it has taken a run, or when none is queued and no page is open. Locks instead of process ids tell which
processes are alive (`core.io.locks`): the process that waits is the one that trains, and holds the locks of a run and
its device from the moment in which it takes them until it ends, however it ends.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from core.io.locks import FileLock, is_held
from core.runs.folder import FAILED, STARTING, RunError, RunFolder
from core.scheduler.lock_files import CPU, DEVICE_LOCK, PAGES_LOCK
from core.scheduler.queue import Queue

POLL_SECONDS = 0.05  # interval at which the queue is checked for changes
SCAN_SECONDS = 1.0  # interval at which all runs and pages are checked


class Job(NamedTuple):
    """A run that this process trains.

    Attributes:
        folder: Its folder.
        lock: The lock of the folder.
        device: The index of its GPU among those visible to this process, None for the CPU.
        device_lock: The lock of the device, held until the process ends.
    """

    folder: RunFolder
    lock: FileLock
    device: int | None
    device_lock: FileLock


class Server:
    """Waits for a run.

    Args:
        root: Folder of the runs.
        lock: The server lock, which shows other processes that there is a server.
    """

    def __init__(self, root: Path, lock: FileLock) -> None:
        self._root, self._lock, self._queue = root, lock, Queue(root)
        self._devices: Sequence[int | None] = range(torch.cuda.device_count()) or (None,)

    def wait(self) -> Job | None:
        """Waits until a run is due on a free device and takes it; returns None if the server is no longer needed.

        The server lock is released then.
        """
        version, scanned = -1, 0.0
        while self._root.is_dir():
            current = self._queue.version()
            if current != version or time.monotonic() - scanned > SCAN_SECONDS:
                version, scanned = current, time.monotonic()
                is_over, job = self._look()
                if is_over:
                    return job
            time.sleep(POLL_SECONDS)
        return None

    def _look(self) -> tuple[bool, Job | None]:
        """Returns whether the server is over, and the run that it has taken."""
        queue_lock = self._queue.try_lock()
        if queue_lock is None:
            return False, None
        with queue_lock:
            waiting = self._queue.waiting()
            job = self._take(waiting) if waiting else None
            if not job and (waiting or is_held(self._root / PAGES_LOCK, shared=True)):
                return False, None
            self._lock.close()  # before the queue's: a page that adds a run from now on finds no server and starts one
            return True, job

    def _take(self, waiting: Sequence[RunFolder]) -> Job | None:
        """Takes the first run that can be started, on a device that is free; one that cannot holds up no other."""
        for device in self._devices:
            name = CPU if device is None else f"cuda{device}"
            device_lock = FileLock.try_acquire(self._root / DEVICE_LOCK.format(name), timeout=0)
            if device_lock:
                for folder in waiting:
                    if lock := _note_start(folder):
                        return Job(folder, lock, device, device_lock)
                device_lock.close()
        return None


def _note_start(folder: RunFolder) -> FileLock | None:
    """Returns the lock of a run that is noted as starting; None for one that fails or has to wait."""
    try:
        lock = folder.acquire_lock()
    except RunError as error:
        folder.note_status(FAILED, str(error))
        return None
    try:
        folder.write_status(STARTING)
    except OSError:  # on a full disk
        lock.close()
        return None
    return lock
