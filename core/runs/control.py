"""What others ask of a process that trains: a small file in the run's folder, which it reads between steps."""

import json
from pathlib import Path
from typing import NamedTuple

from core.io.atomic import write_text

PLAY, PAUSE, STOP = "play", "pause", "stop"


class Control(NamedTuple):
    """What is asked.

    Attributes:
        wish: One of the above.
        after: The step after which it pauses, if it is not there yet; one more than now is a single step.
    """

    wish: str = PLAY
    after: int = 0

    def pauses_at(self, step: int) -> bool:
        """Whether a run that has done this many steps waits."""
        return self.wish == PAUSE and step >= self.after

    def single(self, step: int) -> bool:
        """Whether a run that has done this many steps does one more and waits."""
        return self.wish == PAUSE and self.after == step + 1


def ask(path: Path, control: Control) -> None:
    """Writes what is asked."""
    write_text(path, json.dumps(control._asdict()))


def read_control(path: Path) -> Control:
    """Returns what is asked; a file that is missing or cannot be read asks for nothing."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return Control(str(found["wish"]), int(found["after"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Control()
