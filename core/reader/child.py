"""The program of a reading process: `python -m core.reader.child PARENT [FUNCTION …]`.

It gets the number of its parent's process, which need not be the one that started it: on Windows the `python` of a
virtual environment is a launcher, which starts another one. The functions are imported in advance.

Each line of the standard input is a task; each line of the standard output is a sign of progress or the end of a task.
The answer itself is a file, whose size the parent knows before it reads it.
"""

import gc
import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from core.io.troubles import FULL
from core.reader.errors import pack_error
from core.reader.messages import ANSWER, DISK, DONE, MEMORY, OVER, PROGRESS, READY
from core.reader.priority import lower_priority
from core.reader.tasks import Function, Progress

if sys.platform != "win32":  # which has no such limits: there the parent alone watches
    import resource

NICENESS = 5  # a lower priority than that of the page
PARENT_SECONDS = 0.5  # interval at which the process checks that its parent is still there
PROGRESS_SECONDS = 0.1  # between two signs of progress


def main(parent: int, prepared: list[str]) -> None:
    """Does tasks until the standard input or the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the parent, which ends this process
    threading.Thread(target=_end_with, args=(psutil.Process(parent),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not look like an answer
    lower_priority(NICENESS)
    for task in prepared:
        _find(task)
    ready = {READY: os.getpid()}
    _send(answers, ready)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        function = _find(request["task"])
        gc.freeze()  # what is imported stays: collecting garbage must not look at it after each task
        _send(answers, ready)
        end = _do(function, request, answers)
        gc.collect()
        _send(answers, end)


def _do(function: Function, request: dict[str, Any], answers: BinaryIO) -> dict[str, Any]:
    """Does a task, and returns what ends it."""
    folder, told = Path(request["folder"]), 0.0

    def progress(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told > PROGRESS_SECONDS or done == total:
            told = now
            _limit_time(request["seconds"])
            _send(answers, {PROGRESS: [done, total]})

    try:
        os.chdir(request["where"])  # paths are relative to the parent's folder, also in messages
        with _limited(request["seconds"], request["memory"]):
            value = _call(function, request["arguments"], folder, progress)
            (folder / ANSWER).write_bytes(json.dumps(value).encode())
    except MemoryError:
        return {OVER: MEMORY}
    except OSError as error:
        if error.errno in FULL:
            return {OVER: DISK}
        raise
    return DONE


def _call(function: Function, arguments: dict[str, Any], folder: Path, progress: Progress) -> dict[str, Any]:
    """Returns what a function returns or raises; raises that there is no memory or disk left."""
    try:
        return {"value": function(arguments, folder, progress)}
    except MemoryError:
        raise
    except Exception as error:  # of any kind: the parent tells users' errors from defects
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        return {"error": pack_error(error)}


def _find(task: str) -> Function:
    """Returns a function by its module and name, as in `core.reader.tasks.TASKS`."""
    module, _, name = task.partition(":")
    function: Function = getattr(importlib.import_module(module), name)
    return function


def _send(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


@contextmanager
def _limited(seconds: float, memory: int) -> Iterator[None]:
    """Lets the system end this process where it can: the parent may be gone, or too slow to notice.

    The bounds are wider than the parent's, which says what was exceeded.
    """
    if sys.platform == "win32":
        yield
    else:
        data = getattr(psutil.Process().memory_info(), "data", 0)
        before = {kind: resource.getrlimit(kind) for kind in (resource.RLIMIT_CPU, resource.RLIMIT_DATA)}
        _set_limit(resource.RLIMIT_CORE, 0)
        _set_limit(resource.RLIMIT_DATA, data + 2 * memory)
        _limit_time(seconds)
        try:
            yield
        finally:
            for kind, limits in before.items():
                resource.setrlimit(kind, limits)


def _limit_time(seconds: float) -> None:
    """Lets the system end this process unless it gives a sign of progress before."""
    if sys.platform != "win32":
        _set_limit(resource.RLIMIT_CPU, int(sum(os.times()[:2]) + 2 * seconds + 10))


def _set_limit(kind: int, value: int) -> None:
    if sys.platform != "win32":
        with suppress(ValueError, OSError):  # more than the system allows this user anyway
            resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))


def _end_with(parent: psutil.Process) -> None:
    """Ends this process when its parent is gone, even if another process still holds its end of the input."""
    starter = os.getppid()  # it changes where a parent ends that nobody waits for
    while os.getppid() == starter and parent.is_running():
        time.sleep(PARENT_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
