"""Runs give way to whoever moves a knob: while it moves, they do not compute, but for their turn now and then.

A low priority is not enough where a training run and a page share two cores: each answer still waits for caches and
for slices of time. So a page touches a file whenever it answers a knob, and the process that starts the runs stops its
own children while that was just now (`signal.SIGSTOP`). Should that process die meanwhile, the kernel lets them go on
(prctl, PR_SET_PDEATHSIG); where it cannot promise that, they are not stopped at all.
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
RECENT_SECONDS = 0.4  # the time a page has for the next answer
# Then runs have their turn, or visitors who move a knob again and again would keep them from ever ending.
MOST_SECONDS, TURN_SECONDS = 20.0, 5.0
CAN_PROMISE = sys.platform == "linux"
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def touch(place: Path) -> None:
    """Tells the runs of a folder that a visitor moves a knob; where none were ever started nobody needs to know."""
    with suppress(OSError):
        os.utime(place / TOUCHED)


def goes_on_without_parent() -> None:
    """Has the kernel let this process go on when its parent dies, in case it is stopped then."""
    if CAN_PROMISE:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT)


class Throttle:
    """Tells when the runs of a folder are to give way.

    Args:
        place: The folder, which is there.
    """

    def __init__(self, place: Path) -> None:
        self._file = place / TOUCHED
        with suppress(OSError):  # on a full disk they do not give way
            self._file.touch()
            os.utime(self._file, (0, 0))
        self._since = self._last = -math.inf  # when pages began to be touched, and were last

    def wanted(self) -> bool:
        """Whether runs are to wait now; asked again and again, since it sees by that how long they have waited."""
        now = time.monotonic()
        if not self._is_recent():
            return False
        if now - self._last > TURN_SECONDS:  # they have had theirs
            self._since = now
        self._last = now
        return (now - self._since) % (MOST_SECONDS + TURN_SECONDS) < MOST_SECONDS

    def _is_recent(self) -> bool:
        try:
            return CAN_PROMISE and 0 <= time.time() - self._file.stat().st_mtime < RECENT_SECONDS
        except OSError:
            return False
