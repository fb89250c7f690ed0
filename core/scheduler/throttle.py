"""Runs on the CPU wait while a visitor moves a knob of the page.

A low priority is not enough where a training run and a page share two cores: each answer of the page would still wait
for time slices and refill the caches. The page therefore touches a file whenever it answers a knob, and a run waits for
a moment after that, as soon as a layer of its network has been computed, forwards or backwards. It waits by itself:
whichever process dies meanwhile, no run is left suspended, on any system.
"""

import math
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.runs.control import Control, read_control

TOUCHED = ".touched"  # in the folder of runs
RECENT_SECONDS = 0.4  # a page that answers a knob again within this time is still active
# Under constant activity, as of a class, runs get a fifth of the time after a while: otherwise they would never end.
# The turns are short, so that no answer waits much longer than others.
MAX_PAUSE_SECONDS = 20.0
TURN_SECONDS, PERIOD_SECONDS = 0.25, 1.25
BREAK_SECONDS = 5.0  # without activity, after which runs wait as long as at first
POLL_SECONDS = 0.02  # interval at which the file is looked at


def report_activity(root: Path) -> None:
    """Reports to the runs of a folder that a visitor moves a knob; does nothing if it never had one."""
    with suppress(OSError):
        os.utime(root / TOUCHED)


class Throttle:
    """Decides when the runs of a folder wait.

    Args:
        root: An existing folder.
    """

    def __init__(self, root: Path) -> None:
        self._file = root / TOUCHED
        with suppress(OSError):  # on a full disk runs do not wait
            self._file.touch()
            os.utime(self._file, (0, 0))
        self._started = self._last = -math.inf  # start of the current activity, and the last time it was seen

    def is_pause_due(self) -> bool:
        """True while runs are to wait; call it regularly, since it measures how long they have."""
        now = time.monotonic()
        if not self._has_recent_activity():
            return False
        if now - self._last > BREAK_SECONDS:
            self._started = now
        self._last = now
        late = now - self._started - MAX_PAUSE_SECONDS
        return late < 0 or late % PERIOD_SECONDS >= TURN_SECONDS

    def _has_recent_activity(self) -> bool:
        try:
            return 0 <= time.time() - self._file.stat().st_mtime < RECENT_SECONDS
        except OSError:
            return False


class Gate:
    """Makes a run wait whenever a pause is due, unless it is requested to stop or to pause.

    Args:
        throttle: Decides that.
        control: The run's control file.
    """

    def __init__(self, throttle: Throttle, control: Path) -> None:
        self._throttle, self._control = throttle, control
        self._looked = -math.inf

    def stand_between_layers(self) -> None:
        """Makes every network of this process wait here after each of its layers, forwards and backwards."""
        from torch.nn.modules.module import register_module_forward_hook  # the page reports activity without it

        register_module_forward_hook(self._wait_at)

    def wait(self) -> None:
        """Waits while a pause is due; returns at once if it has just been looked at."""
        if time.monotonic() - self._looked < POLL_SECONDS:
            return
        while self._throttle.is_pause_due() and read_control(self._control) == Control():
            time.sleep(POLL_SECONDS)
        self._looked = time.monotonic()

    def _wait_at(self, module: object, arguments: object, output: Any) -> None:
        self.wait()
        if getattr(output, "requires_grad", False):
            output.register_hook(lambda gradient: self.wait())
