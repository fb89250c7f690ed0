"""The process that starts the runs of a folder: `python -m core.scheduler.daemon DIR`. A second one ends at once."""

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

from core.io.locks import FileLock, is_held
from core.io.paths import ROOT
from core.scheduler.queue import SERVER

LOG = ".server.log"
NICENESS = 10  # runs give way to the page: a tenth of its share where both want the same processor


def ensure_server(place: Path) -> subprocess.Popen | None:
    """Starts the process for a folder unless there is one; it goes on when this process ends."""
    if is_held(place / SERVER):
        return None
    with (place / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "core.scheduler.daemon", str(place)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def main(place: Path) -> None:
    """Serves a folder until nobody needs it."""
    lock = FileLock.try_acquire(place / SERVER)
    if lock is None:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is meant for the page
    os.nice(NICENESS)
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"  # CUDA itself, once asked, is of no use to forked processes

    from core.scheduler.server import Server  # PyTorch takes seconds to import: not for a second server

    server = Server(place, lock)
    gc.freeze()  # what is loaded by now is shared with the runs, as long as nobody writes to it
    server.serve()
    os._exit(0)  # after gc.freeze, libraries find at their end that much was left behind, and say so


if __name__ == "__main__":
    main(Path(sys.argv[1]))
