"""A reading process, as its parent sees it."""

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import psutil

from core.io.moving import remove_tree
from core.io.paths import ROOT
from core.reader.errors import ReaderDefectError
from core.reader.limits import Limits
from core.reader.messages import MEMORY, OVER, PROGRESS, READY, STDERR
from core.reader.tasks import TASKS, Progress
from core.reader.watch import ExceededError, Watch, too_much_memory

TICK = 0.05  # seconds between two looks at the bounds
START_SECONDS = 300  # importing PyTorch takes some seconds, and many more on a busy machine
MAX_MESSAGE = 4096  # bytes
MAX_STDERR = 2000  # characters of what a process that ended has said, for the log
MAX_GROWTH = 2**28  # bytes that a process may keep after a task; it is replaced if it keeps more
NO_ROOM = "cannot be read, since the disk is full: make room and try again"


class ReadingProcess:
    """A process that does one task after the other.

    Args:
        folder: An empty folder of its own.
        prepared: The tasks for which it imports in advance what they need.

    Raises:
        OSError: The system has no memory, no process or no thread left.
        ReaderDefectError: It does not start.
    """

    def __init__(self, folder: Path, prepared: Sequence[str]) -> None:
        self._folder, self._stderr = folder, folder / STDERR
        functions = [TASKS[task].function for task in prepared]
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "core.reader.child", str(os.getpid()), *functions],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=_make_environment(),
            )
        self._messages: Queue[bytes] = Queue(maxsize=100)
        try:
            self._start_listening()
            self._handle = psutil.Process(self._await_start())
            self._size = self._handle.memory_info().rss
        except psutil.Error as error:  # it has ended meanwhile
            self.end()
            raise ReaderDefectError(f"The reading process does not start.\n{error}") from None
        except BaseException:
            self.end()
            raise
        self.idle_since = time.monotonic()

    @property
    def is_usable(self) -> bool:
        """True if it runs and has given back the memory of earlier tasks."""
        with suppress(psutil.Error):
            return self._process.poll() is None and self._handle.memory_info().rss < self._size + MAX_GROWTH
        return False

    def do(self, task: str, arguments: dict[str, Any], folder: Path, limits: Limits, progress: Progress) -> None:
        """Does a task, whose answer is written to a folder.

        Raises:
            ExceededError: It exceeds a bound, or ends the process, which cannot be used any more.
            ReaderDefectError: What it needs cannot be imported.
        """
        what = {"task": TASKS[task].function, "arguments": arguments, "folder": str(folder), "where": os.getcwd()}
        with suppress(OSError):  # it has ended; waiting for it says so
            self._send({**what, "seconds": limits.seconds, "memory": limits.memory})
        self._await_start()  # importing what a task needs does not count
        watch = Watch(self._handle, folder, limits)
        while True:
            message = self._receive(TICK)
            watch.check()
            if message is None:
                continue
            if OVER in message:
                raise too_much_memory(limits) if message[OVER] == MEMORY else ExceededError(NO_ROOM)
            if PROGRESS not in message:
                break
            watch.rest()
            progress(*message[PROGRESS])
        watch.check_answer()
        self.idle_since = time.monotonic()

    def end(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError):  # what it has not read any more
                    pipe.close()
        remove_tree(self._folder)

    def _start_listening(self) -> None:
        try:
            Thread(target=self._listen, name="reader", daemon=True).start()
        except RuntimeError:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None

    def _await_start(self) -> int:
        """Returns the number of the process that reads, once it is ready."""
        with suppress(ExceededError):
            if ready := self._receive(START_SECONDS):
                return int(ready[READY])
        raise ReaderDefectError(f"The reading process does not start.\n{self._read_stderr()}")

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        """Returns the next message, None if there is none in that time; raises `ExceededError` at the end of all."""
        try:
            line = self._messages.get(timeout=seconds)
        except Empty:
            return None
        if not line.endswith(b"\n"):
            raise self._ended()
        message: dict[str, Any] = json.loads(line)
        return message

    def _listen(self) -> None:
        """Reads messages until the process ends, which an empty one stands for."""
        stream, line = self._process.stdout, b"\n"
        with suppress(ValueError, OSError):  # closed by `end`
            while stream and line.endswith(b"\n"):
                line = stream.readline(MAX_MESSAGE)
                self._messages.put(line)

    def _ended(self) -> ExceededError:
        text = self._read_stderr()
        error = ExceededError("cannot be read, since it ended the program that reads it: save it again, or another way")
        error.add_note(text)
        return error

    def _read_stderr(self) -> str:
        with suppress(OSError):
            return self._stderr.read_bytes()[-MAX_STDERR:].decode(errors="replace")
        return ""


def _make_environment() -> dict[str, str]:
    """Returns the environment of the process: one thread, and the project's modules wherever it was started."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": path}
