"""Kills a process at every change that it makes to a folder, so that tests can look at what is left behind."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink")  # audit events
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
KILLED = 137
MAX_KILLS = 400


def kill_at_every_change(folder: Path, act: Callable[[Path], object]) -> Iterator[tuple[int, Path]]:
    """Runs an action again and again, each time on a new copy of a folder, killed one change later than before.

    The action runs in a forked process, which ends without any clean-up right before its n-th change to the copy; a
    file that would be opened to be written is there, and empty, as after a kill between opening and writing. Changes
    are what Python's audit events report: files opened to be written, renamed and removed, folders made and removed.

    Args:
        folder: The folder as it is before the action.
        act: The action, with the path of the copy; must not start processes or threads that go on by themselves.

    Yields:
        n and the copy as the killed process left it; the last copy is that of the action that was not killed.

    Raises:
        AssertionError: The action failed by itself.
    """
    for number in count(1):
        assert number <= MAX_KILLS, f"more than {MAX_KILLS} changes"
        copy = folder.with_name(f"{folder.name}-killed-{number}")
        try:
            shutil.copytree(folder, copy, symlinks=True)
            status = _run_killed(copy, act, number)
            assert status in (0, KILLED), f"the action failed by itself in run {number}"
            yield number, copy
        finally:  # also where the action does not end, and an alarm or an interrupt does
            shutil.rmtree(copy, ignore_errors=True)
        if status == 0:
            return


def _run_killed(folder: Path, act: Callable[[Path], object], number: int) -> int:
    """Runs the action in a child that dies at its change of this number; returns the child's status."""
    child = os.fork()
    if child:
        return _wait_for(child)
    status = 1
    try:
        _die_at(folder, number)
        act(folder)
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _wait_for(child: int) -> int:
    """Returns the status of a child; it does not outlive an error that comes meanwhile, such as that of an alarm."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise


def _die_at(folder: Path, number: int) -> None:
    """Ends this process right before its change of this number below a folder."""
    root, left = os.path.realpath(folder), [number]

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if any(path.startswith(os.path.join(root, "")) for path in changed_paths(event, arguments)):
            left[0] -= 1
            if left[0] == 0:
                if event == "open":
                    os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT, 0o600))
                os._exit(KILLED)

    sys.addaudithook(hear)


def changed_paths(event: str, arguments: tuple[Any, ...]) -> list[str]:
    """Returns the paths that an audit event is about to change."""
    if event == "open":
        path, _, flags = arguments
        return [_resolve(path)] if isinstance(flags, int) and flags & WRITING and not isinstance(path, int) else []
    if event not in CHANGES:
        return []
    paths = arguments[:2] if event in ("os.rename", "os.link") else arguments[:1]
    folder = arguments[-1] if event != "os.truncate" and isinstance(arguments[-1], int) else -1
    return [_resolve(path, folder) for path in paths if isinstance(path, str | bytes | os.PathLike)]


def _resolve(path: Any, folder: int = -1) -> str:
    """Returns a path without links, but for its last part; it may be relative to an open folder."""
    name = os.fsdecode(path)
    if folder >= 0:
        name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
    return os.path.join(os.path.realpath(os.path.dirname(os.path.abspath(name))), os.path.basename(name))
