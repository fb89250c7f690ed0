"""Runs give way to whoever moves a knob: for as long as a drag lasts, they do not compute.

A low priority is not enough where a training run and a page share two cores: each answer still waits for caches and
for slices of time. So a page touches a file with each answer, and the process that starts the runs stops its own
children while that was just now (`signal.SIGSTOP`). They cannot be left stopped: where the kernel can promise to let
them go on if that process dies, it is asked to (prctl, PR_SET_PDEATHSIG), and nowhere else are they stopped at all.
"""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

TOUCHED = ".touched"  # in the folder of runs
RECENT_SECONDS = 0.4  # a pause within a drag is shorter
# Then runs have their turn, or visitors enough to move a knob at any time would keep them from ever ending.
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


class Way:
    """Tells when the runs of a folder are to give way, by a clock of the caller's.

    Args:
        place: The folder, which is there.
    """

    def __init__(self, place: Path) -> None:
        self._file = place / TOUCHED
        with suppress(OSError):  # on a full disk they do not give way
            self._file.touch()
            os.utime(self._file, (0, 0))
        self._since: float | None = None  # monotonic

    def wanted(self) -> bool:
        """Whether runs are to wait now; asked every now and then, since it counts for how long they have."""
        now = time.monotonic()
        if not self._is_recent():
            self._since = None
            return False
        self._since = now if self._since is None else self._since
        return (now - self._since) % (MOST_SECONDS + TURN_SECONDS) < MOST_SECONDS

    def _is_recent(self) -> bool:
        try:
            return CAN_PROMISE and 0 <= time.time() - self._file.stat().st_mtime < RECENT_SECONDS
        except OSError:
            return False
