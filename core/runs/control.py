"""Control of a run from other processes: a small file in the run's folder, which the run reads between steps.

On a full disk it cannot be written. A run must be stopped exactly then, so that an empty file, made before the run
began, is renamed: its name holds the request, and counts until the next one can be written.
"""

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from core.io.atomic import OutputError, write_text
from core.io.moving import remove, replace
from core.io.records import read_object
from core.io.troubles import explain

PLAY, PAUSE, STOP = "play", "pause", "stop"
COMMAND, AFTER = "wish", "after"  # keys of the file
NAME = re.compile(rf"\w+\.({PLAY}|{PAUSE}|{STOP})\.(\d{{1,15}})")  # of the renamed file


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


def prepare_control(path: Path) -> None:
    """Forgets earlier requests to a run, and makes the empty file by which it can be controlled on a full disk."""
    for each in (path, *_find_named(path)):
        remove(each)
    with suppress(OSError):  # the disk is full already
        _spare(path).touch()


def write_control(path: Path, control: Control) -> None:
    """Makes a request to a run.

    Args:
        path: The run's control file.
        control: The request.

    Raises:
        OutputError: Nothing can be changed in its folder.
    """
    try:
        write_text(path, json.dumps({COMMAND: control.command, AFTER: control.after}))
    except OSError as error:
        _rename(path, control, error)
        return
    for named in _find_named(path):  # an older request
        replace(named, _spare(path))


def read_control(path: Path) -> Control:
    """Returns the request in a run's control file, or in a name; a missing or unreadable file requests nothing."""
    for named in _find_named(path):
        return _parse_name(named)
    try:
        request = read_object(path) or {}
        return Control(str(request[COMMAND]), int(request[AFTER]))
    except (ValueError, TypeError, KeyError, OverflowError):  # OverflowError: Infinity
        return Control()


def list_control_files(path: Path) -> list[Path]:
    """Returns the paths of the files that this module may make beside a control file, and of that file."""
    return [path, _spare(path), *_find_named(path)]


def _spare(path: Path) -> Path:
    return path.with_suffix("")


def _find_named(path: Path) -> list[Path]:
    """Returns the renamed file, if there is one."""
    try:
        names = os.listdir(path.parent)
    except OSError:
        return []
    return [path.with_name(name) for name in names if name.startswith(f"{path.stem}.") and NAME.fullmatch(name)]


def _parse_name(named: Path) -> Control:
    _, command, after = named.name.split(".")
    return Control(command, int(after))


def _rename(path: Path, control: Control, reason: OSError) -> None:
    target = path.with_name(f"{path.stem}.{control.command}.{control.after}")
    for source in (*_find_named(path), _spare(path), path):
        with suppress(OSError):
            replace(source, target)
            return
    try:
        target.touch()  # an empty file may find room where its content does not
    except OSError:
        raise OutputError(
            f"The run cannot be controlled because nothing can be changed in its folder: {explain(reason)}"
        ) from None
