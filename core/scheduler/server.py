"""Starts the runs of a folder, one at a time a device, each in a process forked where PyTorch is loaded already.

A run is a folder in DIR whose status is "queued"; the one that has waited longest begins first. The server
outlives the page that started it: it goes on until nothing waits and no page is open. Nobody has to trust in process
numbers: who holds which lock tells who lives (`core.io.locks`).
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import torch

from core.io.locks import FileLock, is_held
from core.runs.control import Control, read_control
from core.runs.folder import FAILED, RUNNING, STARTING, RunError, RunFolder
from core.scheduler.queue import PAGES, Queue
from core.scheduler.throttle import Throttle, goes_on_without_parent
from core.scheduler.worker import work

DEVICE = ".device-{}"  # locked by the run that trains on it
LOOK_SECONDS = 0.05  # between looks at whether something has been added
ROUND_SECONDS = 1.0  # between looks at all runs and pages


class Server:
    """Forks a process for each run.

    Args:
        place: Folder of the runs.
        lock: Tells others that there is a server.
    """

    def __init__(self, place: Path, lock: FileLock) -> None:
        self._place, self._lock, self._queue = place, lock, Queue(place)
        self._devices = range(torch.cuda.device_count()) or (None,)
        self._children: dict[int, RunFolder] = {}
        self._way = Throttle(place)
        self._stopped: set[int] = set()  # children that give way

    def serve(self) -> None:
        """Starts what waits whenever a device is free."""
        try:
            self._serve()
        finally:
            self._give_way(False)

    def _serve(self) -> None:
        seen, looked = -1, 0.0
        while self._place.is_dir():
            self._give_way(None in self._devices and self._way.wanted())  # a graphics card is not the page's
            ended, stamp = self._reap(), self._queue.stamp()
            if ended or stamp != seen or time.monotonic() - looked > ROUND_SECONDS:
                seen, looked = stamp, time.monotonic()
                if not self._start_waiting():
                    return
            time.sleep(LOOK_SECONDS)

    def _reap(self) -> bool:
        """Tells whether a run has ended since the last time."""
        ended = {child for child in self._children if os.waitpid(child, os.WNOHANG)[0]}
        self._children = {child: folder for child, folder in self._children.items() if child not in ended}
        self._stopped -= ended
        return bool(ended)

    def _give_way(self, wanted: bool) -> None:
        """Stops the runs that train, unless they are to pause, stop or do a single step, or lets them go on."""
        stopped = {child for child, folder in self._children.items() if wanted and self._may_stop(folder)}
        for child in stopped ^ self._stopped:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP if child in stopped else signal.SIGCONT)
        self._stopped = stopped

    def _may_stop(self, folder: RunFolder) -> bool:
        # One that starts has the queue's lock, too, until it has closed it: stopped then, nobody could start anything.
        status = self._queue.noted_status(folder)
        return status is not None and status.state == RUNNING and read_control(folder.control) == Control()

    def _start_waiting(self) -> bool:
        """Starts runs on the devices that are free; returns whether the server is still needed."""
        lock = self._queue.take_lock()
        if lock is None:  # not for ever: there are runs to let go on
            return True
        with lock as held:
            waiting = self._queue.waiting()
            for device in self._devices:
                name = "cpu" if device is None else f"cuda{device}"
                free = waiting and FileLock.try_acquire(self._place / DEVICE.format(name), timeout=0)
                if free:
                    self._start(waiting.pop(0), device, (held, free))
            if waiting or self._children or is_held(self._place / PAGES, shared=True):
                return True
            self._lock.close()  # before the queue's: whoever adds a run after this finds no server, and starts one
            return False

    def _start(self, folder: RunFolder, device: int | None, locks: tuple[FileLock, FileLock]) -> None:
        held, free = locks
        try:
            lock = folder.acquire_lock()
            folder.write_status(STARTING)
        except (RunError, OSError) as error:
            folder.write_status(FAILED, str(error))
            free.close()
            return
        child = os.fork()
        if child == 0:
            self._run(folder, device, lock, (held, self._lock))
        self._children[child] = folder
        lock.close()
        free.close()

    def _run(self, folder: RunFolder, device: int | None, lock: FileLock, others: tuple[FileLock, ...]) -> NoReturn:
        """What the forked process does; it keeps the lock of its device to its end."""
        try:
            for other in others:
                other.close()
            os.setsid()
            goes_on_without_parent()
            _write_to(folder.log)
            if device is not None:
                os.environ["CUDA_VISIBLE_DEVICES"] = _visible(device)
            work(folder, lock)
        finally:
            os._exit(0)


def _write_to(log: Path) -> None:
    """Lets everything this process prints go into a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)


def _visible(device: int) -> str:
    """Returns what CUDA calls the device, counted among those that this process may use."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return named.split(",")[device] if named else str(device)
