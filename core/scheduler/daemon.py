"""The background process that trains a run of a folder: `python -m core.scheduler.daemon DIR`.

It imports PyTorch, waits until a run is due, starts its successor, which waits for the next one, and trains the run. So
no run waits for imports, unless it is added just after a page was started, and none is trained in a process that was
forked. If the folder already has a process that waits, a second one exits at once.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from core.errors import UserError
from core.fast_imports import without_garbage_collection
from core.io.locks import FileLock, is_held
from core.io.paths import ROOT
from core.reader.priority import lower_priority
from core.scheduler.lock_files import CPU, DEVICE_LOCK, QUEUE_CHANGED, SERVER_LOCK

LOG = ".server.log"
# On Windows: a console of its own that nobody sees, which Ctrl-C does not reach and no terminal closes.
DETACHED = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
NICENESS = 10  # gives runs a tenth of the page's CPU share where both compete for the same core
BEGIN_SECONDS, POLL_SECONDS = 10.0, 0.1  # in which a run that has just started has the processors for itself
OPEN_SECONDS = 8.0  # the same for a page
RECENT_SECONDS = 5.0  # a run added within them is due: starting this process takes less


def ensure_server(root: Path, delay: float = 0.0) -> subprocess.Popen[bytes] | None:
    """Starts the server process of a folder unless it is running; it outlives the calling process.

    Args:
        root: The folder.
        delay: Seconds after which it imports PyTorch if no run is added before.

    Returns:
        The new process, None if one is already running.
    """
    if is_held(root / SERVER_LOCK):
        return None
    with _open_log(root) as log:
        return subprocess.Popen(
            [sys.executable, "-m", "core.scheduler.daemon", str(root), str(delay)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            creationflags=DETACHED,
        )


def _open_log(root: Path) -> BinaryIO:
    try:
        return (root / LOG).open("ab")
    except OSError:  # on a full disk
        return Path(os.devnull).open("ab")


def main(root: Path, delay: float = 0.0) -> None:
    """Waits for a run of a folder and trains it; returns if none is queued and no page is open.

    Args:
        root: The folder.
        delay: See `ensure_server`.
    """
    lock = FileLock.try_acquire(root / SERVER_LOCK)
    if lock is None:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is meant for the page
    lower_priority(NICENESS)
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"  # once initialised, CUDA does not see that a run has one device
    _let_page_open(root, delay)
    _let_run_begin(root)

    with without_garbage_collection():
        from core.scheduler.queue import Queue
        from core.scheduler.server import Server  # imports PyTorch, which takes seconds: not needed by a second server
        from core.scheduler.worker import train_run

        import_module("torch._dynamo")  # which PyTorch's optimizers import when the first one is made

    job = Server(root, lock).wait()
    if job:
        _start_successor(root)
        train_run(job)
        with suppress(UserError):  # the folder cannot be read any more
            if Queue(root).waiting():  # the successor may have died, for want of memory, say, and no page be open
                _start_successor(root)
        os._exit(0)  # without waiting for threads: nothing may be written any more


def _start_successor(root: Path) -> None:
    with suppress(OSError):  # of too many processes, say: an open page starts one when a run waits
        ensure_server(root)


def _let_page_open(root: Path, seconds: float) -> None:
    """Waits until a run is added, at most for some seconds: importing PyTorch would slow the first page."""
    _wait_while(lambda: not _has_changed_recently(root), seconds)


def _has_changed_recently(root: Path) -> bool:
    try:
        return time.time() - (root / QUEUE_CHANGED).stat().st_mtime < RECENT_SECONDS
    except OSError:  # no run has been added yet
        return False


def _let_run_begin(root: Path) -> None:
    """Waits for a moment if a run trains on the CPU: importing PyTorch would slow its first steps.

    On a GPU the next run may have a device of its own, and nothing to wait for.
    """
    _wait_while(lambda: is_held(root / DEVICE_LOCK.format(CPU)), BEGIN_SECONDS)


def _wait_while(is_true: Callable[[], bool], seconds: float) -> None:
    """Waits while a condition is true, at most for some seconds."""
    over = time.monotonic() + seconds
    while time.monotonic() < over and is_true():
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(float, sys.argv[2:]))
