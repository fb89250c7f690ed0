"""Control of a run from other processes: a small file in the run's folder, which the run reads between steps."""

import json
from pathlib import Path
from typing import NamedTuple

from core.io.atomic import write_text
from core.io.records import read_object

PLAY, PAUSE, STOP = "play", "pause", "stop"
COMMAND, AFTER = "wish", "after"  # keys of the file


class Control(NamedTuple):
    """A request to a run.

    Attributes:
        command: `PLAY`, `PAUSE` or `STOP`.
        after: Number of the step after which a paused run waits; one more than completed makes a single step.
    """

    command: str = PLAY
    after: int = 0

    def is_paused_at(self, step: int) -> bool:
        """True if a run that has completed this many steps has to wait."""
        return self.command == PAUSE and step >= self.after

    def is_single_step_at(self, step: int) -> bool:
        """True if a run that has completed this many steps makes one more and then waits."""
        return self.command == PAUSE and self.after == step + 1


def write_control(path: Path, control: Control) -> None:
    """Writes a request to a run's control file."""
    write_text(path, json.dumps({COMMAND: control.command, AFTER: control.after}))


def read_control(path: Path) -> Control:
    """Reads the request from a run's control file; a missing or unreadable file requests nothing."""
    try:
        request = read_object(path) or {}
        return Control(str(request[COMMAND]), int(request[AFTER]))
    except (ValueError, TypeError, KeyError, OverflowError):  # OverflowError: Infinity
        return Control()
