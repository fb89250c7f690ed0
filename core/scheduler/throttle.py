"""Suspension of runs on the CPU while a visitor moves a knob of the page.

A low priority is not enough where a training run and a page share two cores: each answer of the page would still wait
for time slices and refill the caches. The page therefore touches a file whenever it answers a knob, and the server
suspends its runs (`signal.SIGSTOP`) for a moment after that. If the server dies meanwhile, the kernel resumes them
(prctl, PR_SET_PDEATHSIG); on systems without this guarantee runs are never suspended.
"""

import ctypes
import math
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

TOUCHED = ".touched"  # in the folder of runs
RECENT_SECONDS = 0.4  # a page that answers a knob again within this time is still active
# Runs continue for a turn now and then; otherwise constant activity on the page would keep them from ever ending.
MAX_PAUSE_SECONDS, TURN_SECONDS = 20.0, 5.0
IS_SUPPORTED = sys.platform == "linux"
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def report_activity(root: Path) -> None:
    """Reports to the server of a folder of runs that a visitor moves a knob; does nothing if it never had one."""
    with suppress(OSError):
        os.utime(root / TOUCHED)


def continue_if_parent_dies() -> None:
    """Makes the kernel resume this process, should it be suspended, when its parent dies."""
    if IS_SUPPORTED:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT)


class Throttle:
    """Decides when the runs of a folder are suspended.

    Args:
        root: An existing folder.
    """

    def __init__(self, root: Path) -> None:
        self._file = root / TOUCHED
        with suppress(OSError):  # on a full disk runs are not suspended
            self._file.touch()
            os.utime(self._file, (0, 0))
        self._started = self._last = -math.inf  # start of the current activity, and the last time it was seen

    def is_pause_due(self) -> bool:
        """True while runs are to be suspended; call it regularly, since it measures how long they have been."""
        now = time.monotonic()
        if not self._has_recent_activity():
            return False
        if now - self._last > TURN_SECONDS:  # runs have just had at least a whole turn
            self._started = now
        self._last = now
        return (now - self._started) % (MAX_PAUSE_SECONDS + TURN_SECONDS) < MAX_PAUSE_SECONDS

    def _has_recent_activity(self) -> bool:
        try:
            return IS_SUPPORTED and 0 <= time.time() - self._file.stat().st_mtime < RECENT_SECONDS
        except OSError:
            return False
