"""Ages that no jump of the clock changes: a small file keeps how much time has certainly passed."""

import json
import math
import time
from contextlib import suppress
from pathlib import Path

from core.io.atomic import write_text
from core.io.records import read_object

AGE, WALL, RUNNING = "age", "wall", "running"  # keys of the file: seconds so far, and both clocks at that moment


def grow_age(path: Path, *, every: float, start: float = 0.0) -> float:
    """Returns the seconds since this was first called for a file, as far as they have certainly passed.

    Two clocks must agree that time has passed: the clock on the wall, which somebody may set, and the one that runs
    since the computer was started, which begins anew with it. The smaller difference counts, and none counts if one
    of them went back.

    Args:
        path: The file, created if it does not exist.
        every: Seconds after which it is written again.
        start: The age at the first call.
    """
    wall, running = time.time(), time.monotonic()
    kept = _read(path)
    if kept is None:
        _write(path, start, wall, running)
        return start
    age, passed = kept[0], min(wall - kept[1], running - kept[2])
    if passed < 0 or passed > every:
        _write(path, age + max(passed, 0.0), wall, running)
    return age + max(passed, 0.0)


def _read(path: Path) -> tuple[float, float, float] | None:
    try:
        kept = read_object(path) or {}
        age, wall, running = (float(kept[key]) for key in (AGE, WALL, RUNNING))
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    return (age, wall, running) if all(map(math.isfinite, (age, wall, running))) and age >= 0 else None


def _write(path: Path, age: float, wall: float, running: float) -> None:
    with suppress(OSError):  # on a full disk nothing is removed for its age, unless it was noted before
        write_text(path, json.dumps({AGE: age, WALL: wall, RUNNING: running}))
