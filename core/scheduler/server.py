"""The server: starts the runs of a folder, one at a time per device, each in a process forked from this one.

Forking saves each run the import of PyTorch. The queued run that has waited longest starts first. The server outlives
the page that started it and exits when no run is queued or training and no page is open. Locks instead of process ids
tell which processes are alive (`core.io.locks`).
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import torch

from core.io.locks import FileLock, is_held
from core.runs.control import Control, read_control
from core.runs.folder import FAILED, RUNNING, STARTING, RunError, RunFolder
from core.scheduler.lock_files import DEVICE_LOCK, PAGES_LOCK
from core.scheduler.queue import Queue
from core.scheduler.throttle import Throttle, continue_if_parent_dies
from core.scheduler.worker import train_run

POLL_SECONDS = 0.05  # interval at which the queue is checked for changes
SCAN_SECONDS = 1.0  # interval at which all runs and pages are checked


class Server:
    """Forks a process for each run.

    Args:
        root: Folder of the runs.
        lock: The server lock, which shows other processes that there is a server.
    """

    def __init__(self, root: Path, lock: FileLock) -> None:
        self._root, self._lock, self._queue = root, lock, Queue(root)
        self._devices: Sequence[int | None] = range(torch.cuda.device_count()) or (None,)
        self._children: dict[int, RunFolder] = {}
        self._throttle = Throttle(root)
        self._suspended: set[int] = set()  # children stopped in favour of the page

    def serve(self) -> None:
        """Starts queued runs whenever a device is free, until the server is no longer needed."""
        try:
            self._serve()
        finally:
            self._suspend(False)

    def _serve(self) -> None:
        version, scanned = -1, 0.0
        while self._root.is_dir():
            # Runs on a GPU do not slow the page down.
            self._suspend(None in self._devices and self._throttle.is_pause_due())
            ended, current = self._reap(), self._queue.version()
            if ended or current != version or time.monotonic() - scanned > SCAN_SECONDS:
                version, scanned = current, time.monotonic()
                if not self._start_queued():
                    return
            time.sleep(POLL_SECONDS)

    def _reap(self) -> bool:
        """Returns True if a run has ended since the last call."""
        ended = {child for child in self._children if os.waitpid(child, os.WNOHANG)[0]}
        self._children = {child: folder for child, folder in self._children.items() if child not in ended}
        self._suspended -= ended
        return bool(ended)

    def _suspend(self, is_due: bool) -> None:
        """Suspends the runs that train, except those with a request to obey, or resumes them if no pause is due."""
        suspended = {child for child, folder in self._children.items() if is_due and self._may_suspend(folder)}
        for child in suspended ^ self._suspended:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP if child in suspended else signal.SIGCONT)
        self._suspended = suspended

    def _may_suspend(self, folder: RunFolder) -> bool:
        # A starting run holds a copy of the queue's lock until it closes it: suspended then, it would block the queue.
        status = self._queue.stored_status(folder)
        return status is not None and status.state == RUNNING and read_control(folder.control) == Control()

    def _start_queued(self) -> bool:
        """Starts runs on the free devices; returns False if the server is no longer needed."""
        lock = self._queue.try_lock()
        if lock is None:  # do not wait any longer: suspended runs have to be resumed
            return True
        with lock as queue_lock:
            waiting = self._queue.waiting()
            for device in self._devices:
                name = "cpu" if device is None else f"cuda{device}"
                free = FileLock.try_acquire(self._root / DEVICE_LOCK.format(name), timeout=0) if waiting else None
                if free and self._start(waiting[0], device, (queue_lock, free)):
                    del waiting[0]
            if waiting or self._children or is_held(self._root / PAGES_LOCK, shared=True):
                return True
            self._lock.close()  # before the queue's: a page that adds a run from now on finds no server and starts one
            return False

    def _start(self, folder: RunFolder, device: int | None, locks: tuple[FileLock, FileLock]) -> bool:
        """Starts a run; returns False if it has to wait on, because a full disk cannot note that it starts."""
        queue_lock, device_lock = locks
        try:
            lock = folder.acquire_lock()
        except RunError as error:
            folder.note_status(FAILED, str(error))
            device_lock.close()
            return True
        try:
            folder.write_status(STARTING)
        except OSError:
            lock.close()
            device_lock.close()
            return False
        child = os.fork()
        if child == 0:
            self._run(folder, device, lock, (queue_lock, self._lock))
        self._children[child] = folder
        lock.close()
        device_lock.close()
        return True

    def _run(self, folder: RunFolder, device: int | None, lock: FileLock, inherited: Sequence[FileLock]) -> NoReturn:
        """Trains a run in the forked process, which keeps the lock of its device until it exits."""
        try:
            for each in inherited:
                each.close()
            os.setsid()
            continue_if_parent_dies()
            _redirect_output(folder.log)
            if device is not None:
                os.environ["CUDA_VISIBLE_DEVICES"] = _cuda_name(device)
            train_run(folder, lock)
        finally:
            os._exit(0)


def _redirect_output(log: Path) -> None:
    """Redirects the output of this process to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)


def _cuda_name(device: int) -> str:
    """Returns CUDA's own name of a device, given its index among the devices visible to this process."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return visible.split(",")[device] if visible else str(device)
