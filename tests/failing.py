"""Makes every change that an action makes to folders fail, one after another, as on a disk that takes no more."""

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from core.errors import UserError
from tests.killing import WRITING, changed_paths

MAX_FAILURES = 400
GROWING = ("open", "os.mkdir", "os.link", "os.symlink")  # audit events of what needs room on the disk
_refusals: list[Callable[[str, tuple[Any, ...]], None]] = []
_listening: list[bool] = []


def fail_at_every_change(
    folder: Path, act: Callable[[Path], object], number: int = errno.ENOSPC
) -> Iterator[tuple[Path, UserError | None]]:
    """Runs an action again and again, each time on a new copy of a folder, where changes fail from the n-th on.

    Args:
        folder: The folder as it is before the action.
        act: The action, with the path of the copy.
        number: That of the error: a disk that is full still renames and removes, one that is read-only does nothing.

    Yields:
        The copy as the action left it, and its refusal, None if it did what it should all the same; the last one is
        that of the action without any failure.
    """
    for first in count(1):
        assert first <= MAX_FAILURES, f"more than {MAX_FAILURES} changes"
        copy, refusal = folder.with_name(f"{folder.name}-failing-{first}"), None
        shutil.copytree(folder, copy, symlinks=True)
        with failing([copy], number, first) as failed:
            try:
                act(copy)
            except UserError as error:
                refusal = error
        yield copy, refusal
        shutil.rmtree(copy, ignore_errors=True)
        if not failed:
            return


@contextmanager
def failing(folders: Sequence[Path], number: int = errno.ENOSPC, first: int = 1) -> Iterator[list[str]]:
    """Makes the changes to some folders fail, from the n-th on; yields a list that gets the paths of those."""
    roots = [os.path.join(os.path.realpath(each), "") for each in folders]
    made, failed = [0], list[str]()

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        paths = [path for path in changed_paths(event, arguments) if any(f"{path}/".startswith(r) for r in roots)]
        if not paths or (number == errno.ENOSPC and not _needs_room(event, arguments)):
            return
        made[0] += 1
        if made[0] >= first:
            failed.append(paths[0])
            raise OSError(number, os.strerror(number), paths[0])

    if not _listening:
        sys.addaudithook(lambda event, arguments: [each(event, arguments) for each in list(_refusals)] and None)
        _listening.append(True)
    _refusals.append(refuse)
    try:
        yield failed
    finally:
        _refusals.remove(refuse)


def _needs_room(event: str, arguments: tuple[Any, ...]) -> bool:
    """False for what a full disk still does: renaming, removing, and opening a file that is not written to."""
    if event != "open":
        return event in GROWING
    path, _, flags = arguments
    return isinstance(flags, int) and bool(flags & WRITING) and (bool(flags & os.O_TRUNC) or not os.path.exists(path))
