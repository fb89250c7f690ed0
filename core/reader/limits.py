"""The bounds of a reading process, and which files this process leaves to one.

Nothing is read apart until a program asks for it: the page and the command line do so when they start.
"""

import os
from collections.abc import Collection
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from core.errors import UserError, quote

UPLOADED = "uploaded"  # the name of folders with files of visitors, wherever they lie
VARIABLE, NONE = "RETINANET_LIMITS", "none"  # the environment variable, and its value that lifts all bounds


class Limits(NamedTuple):
    """Bounds on the work of a reading process.

    Attributes:
        seconds: Processor time without a sign of progress.
        total: Processor time for all of a file.
        memory: Bytes that the work may add to the process.
        answer: Bytes of what is returned, files included.
        remedy: What to do when a bound is exceeded, for the message.
    """

    seconds: float
    total: float
    memory: int
    answer: int
    remedy: str


PAGE = Limits(seconds=30, total=3600, memory=3 * 2**29, answer=2**29, remedy="choose a smaller one, or save it again")
COMMAND_LINE = Limits(
    seconds=1800,
    total=7 * 86400,
    memory=12 * 2**30,
    answer=12 * 2**30,
    remedy=f"if you trust it, {VARIABLE}={NONE} before the command lifts all bounds",
)


class Kind(Enum):
    """What is read."""

    PICKLED = "weights that are pickled"
    WEIGHTS = "all other weights"
    DATA_SETS = "archives, and the annotations of data sets"
    PICTURES = "pictures"


class _Choice(NamedTuple):
    """What this process leaves to another one, see `read_apart_from_now_on`."""

    limits: Limits
    kinds: frozenset[Kind]
    trusted: tuple[Path, ...]


class LimitsError(UserError):
    """A value of the environment variable that is not understood."""


_choice: _Choice | None = None


def read_apart_from_now_on(limits: Limits, kinds: Collection[Kind], *, trusted: Collection[Path] = ()) -> None:
    """Makes this process leave untrusted files to another one, unless the environment lifts all bounds.

    Args:
        limits: The bounds.
        kinds: What is read apart; () for nothing any more.
        trusted: Folders in which the project's own processes alone write; their files are read here, but for those in a
            folder `UPLOADED`.

    Raises:
        LimitsError: The environment variable has a value that is not understood.
    """
    global _choice
    value = os.environ.get(VARIABLE, "")
    if value not in ("", NONE):
        raise LimitsError(f"{VARIABLE}={quote(value)} is not understood: set it to {NONE}, or leave it out.")
    folders = tuple(folder.resolve() for folder in trusted)
    _choice = _Choice(limits, frozenset(kinds), folders) if kinds and not value else None


def limits_for(kind: Kind, path: Path | None = None) -> Limits | None:
    """Returns the bounds under which another process is to read a file; None if this process reads it.

    Args:
        kind: What the file holds.
        path: The file, which may be in a trusted folder.
    """
    if _choice is None or kind not in _choice.kinds:
        return None
    return None if path is not None and _is_trusted(path, _choice.trusted) else _choice.limits


def _is_trusted(path: Path, folders: tuple[Path, ...]) -> bool:
    try:
        resolved = path.resolve()
    except (OSError, ValueError, RuntimeError):  # characters that no file system allows, or a loop of links
        return False
    homes = [folder for folder in folders if resolved.is_relative_to(folder)]
    return any(not is_uploaded(resolved.relative_to(home)) for home in homes)


def is_uploaded(place: Path) -> bool:
    """True for a path, relative to a folder of the project, of a file that a visitor has uploaded."""
    return UPLOADED in map(str.casefold, place.parts)  # some systems ignore capitals
