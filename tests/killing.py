"""What a kill at each change that an action makes to a folder leaves behind, for tests to look at."""

import glob
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink")  # audit events
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
MAX_KILLS = 400
TOO_MANY = 3  # the status of a child with more


def kill_at_every_change(folder: Path, act: Callable[[Path], object]) -> Iterator[tuple[int, Path]]:
    """Runs an action on a copy of a folder, and yields what a kill at each of its changes would leave behind.

    A kill leaves what is on the disk, without what the process has not yet written: the same as a copy of the folder
    that the process makes right before a change. A file that would be opened to be written is there, and empty, as
    after a kill between opening and writing. Changes are what Python's audit events report: files opened to be
    written, renamed and removed, folders made and removed. The action runs in a forked process, which no later test
    meets.

    Args:
        folder: The folder as it is before the action.
        act: The action, with the path of the copy; must not start processes or threads that go on by themselves.

    Yields:
        n and the folder as a kill at the n-th change leaves it, each at a path of its own; the last one is that of the
        action that was not killed.

    Raises:
        AssertionError: The action failed by itself.
    """
    acted = folder.with_name(f"{folder.name}-killed-0")
    try:
        shutil.copytree(folder, acted, symlinks=True)
        status = _run_apart(acted, act)
        assert status != TOO_MANY, f"more than {MAX_KILLS} changes"
        assert status == 0, "the action failed by itself"
        for number in count(1):
            copy = _killed(acted, number)
            if not copy.exists():
                break
            yield number, copy
            shutil.rmtree(copy)
        yield number, acted
    finally:  # also where the action does not end, and an alarm or an interrupt does
        for copy in folder.parent.glob(f"{glob.escape(folder.name)}-killed-*"):
            shutil.rmtree(copy, ignore_errors=True)


def _killed(acted: Path, number: int) -> Path:
    """Returns the path for the folder as a kill at the n-th change leaves it."""
    return acted.with_name(f"{acted.name.removesuffix('0')}{number}")


def _run_apart(folder: Path, act: Callable[[Path], object]) -> int:
    """Runs the action in a child that copies the folder before each of its changes; returns the child's status."""
    child = os.fork()
    if child:
        return _wait_for(child)
    status = 1
    try:
        _copy_at_every_change(folder)
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


def _copy_at_every_change(folder: Path) -> None:
    """Copies a folder right before each change that this process makes below it."""
    root, numbers = os.path.realpath(folder), count(1)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        changed = [path for path in changed_paths(event, arguments) if path.startswith(os.path.join(root, ""))]
        if not changed:
            return
        if (number := next(numbers)) > MAX_KILLS:
            os._exit(TOO_MANY)
        copy = _killed(folder, number)
        _copy_with_links(folder, copy)
        if event == "open":
            with suppress(FileNotFoundError):  # its folder is not there: the action will meet the same error
                os.close(os.open(copy / os.path.relpath(changed[0], root), os.O_WRONLY | os.O_CREAT, 0o600))

    sys.addaudithook(hear)


def _copy_with_links(folder: Path, copy: Path) -> None:
    """Copies a folder; what is one file of several names there is one in the copy."""
    copied: dict[int, str] = {}

    def copy_file(source: str, target: str) -> None:
        inode = os.stat(source).st_ino
        if inode in copied:
            os.link(copied[inode], target)
        else:
            shutil.copy2(source, target)
            copied[inode] = target

    shutil.copytree(folder, copy, symlinks=True, copy_function=copy_file)


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
