"""The background process that starts the runs of a folder: `python -m core.scheduler.daemon DIR`.

If the folder already has one, a second one exits at once.
"""

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

from core.io.locks import FileLock, is_held
from core.io.paths import ROOT
from core.scheduler.lock_files import SERVER_LOCK

LOG = ".server.log"
NICENESS = 10  # gives runs a tenth of the page's CPU share where both compete for the same core


def ensure_server(root: Path) -> subprocess.Popen[bytes] | None:
    """Starts the server process of a folder unless it is running; it outlives the calling process.

    Returns:
        The new process, None if one is already running.
    """
    if is_held(root / SERVER_LOCK):
        return None
    with _open_log(root) as log:
        return subprocess.Popen(
            [sys.executable, "-m", "core.scheduler.daemon", str(root)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _open_log(root: Path) -> BinaryIO:
    try:
        return (root / LOG).open("ab")
    except OSError:  # on a full disk
        return Path(os.devnull).open("ab")


def main(root: Path) -> None:
    """Runs the server of a folder until no run is queued or training and no page is open."""
    lock = FileLock.try_acquire(root / SERVER_LOCK)
    if lock is None:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is meant for the page
    os.nice(NICENESS)
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"  # once initialised, CUDA cannot be used in forked processes

    from core.scheduler.server import Server  # imports PyTorch, which takes seconds: not needed by a second server

    server = Server(root, lock)
    gc.freeze()  # keeps memory loaded so far shared with the forked runs: the collector does not write to it
    server.serve()
    os._exit(0)  # a regular exit after gc.freeze makes libraries print reports of leaked objects


if __name__ == "__main__":
    main(Path(sys.argv[1]))
