"""The reading processes: one that waits for work, and more while it is busy; all others wait for their turn."""

import atexit
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Thread, Timer
from typing import Any, NamedTuple

from core.errors import UserError
from core.io.moving import remove_tree
from core.io.parts import OwnFolder
from core.io.troubles import explain, require_temporary
from core.reader.errors import ReaderDefectError, unpack_error
from core.reader.limits import Limits
from core.reader.messages import ANSWER
from core.reader.process import ReadingProcess
from core.reader.tasks import TASKS, Progress
from core.reader.turns import Turns, Waiting
from core.reader.watch import ExceededError

MAX_PROCESSES, MAX_LONG = 3, 2  # at once; fewer of long tasks, so that quick ones need not wait for their ends
SCRATCH = "retinanet-reader"  # the folder for answers
IDLE_SECONDS = 60  # after which all idle processes but one are ended
MAX_VALUES = 2**26  # bytes of the answer's values
LOG = logging.getLogger("core.reader")


class Answer(NamedTuple):
    """What a task returns.

    Attributes:
        value: Its values, as JSON has them.
        folder: The folder with its files, which is removed afterwards.
    """

    value: Any
    folder: Path


@contextmanager
def read_apart(
    task: str,
    arguments: dict[str, Any],
    *,
    name: str,
    limits: Limits,
    refusal: type[UserError],
    progress: Progress = lambda done, total: None,
) -> Iterator[Answer]:
    """Does a task in another process, and returns its answer.

    Args:
        task: One of `TASKS`.
        arguments: Its arguments, plain values for JSON.
        name: The name of the file, for messages.
        limits: The bounds.
        refusal: The error if a bound is exceeded, or too many wait.
        progress: Called with the number of things done and in total; what it raises ends the task.

    Raises:
        UserError: The task raised it: of the same class and with the same message. Or a bound is exceeded, or too many
            wait already: of the class `refusal`.
    """
    try:
        folder = _pool.make_folder()
    except OSError as error:
        raise refusal(f"{name} cannot be read, since temporary files cannot be made: {explain(error)}") from None
    try:
        _pool.do(task, arguments, folder, limits, progress)
        yield Answer(_read_answer(folder, refusal), folder)
    except ExceededError as error:
        LOG.warning("%s %s. %s", name, error, " ".join(getattr(error, "__notes__", ())))
        raise refusal(f"{name} {str(error).removesuffix('.')}.") from None
    finally:
        remove_tree(folder)


def warm_up(*tasks: str) -> None:
    """Starts a process in the background that is prepared for tasks, as are all that follow."""
    _pool.warm_up(tasks)


def _read_answer(folder: Path, refusal: type[UserError]) -> Any:
    file = folder / ANSWER
    if file.stat().st_size > MAX_VALUES:
        raise ExceededError(f"unfolds to more than {MAX_VALUES // 2**20} MB of text: choose a smaller one")
    answer = json.loads(file.read_bytes())
    if "error" not in answer:
        return answer["value"]
    error = unpack_error(answer["error"], refusal)
    if isinstance(error, ReaderDefectError):
        LOG.error("%s", error)
    raise error


class Pool:
    """The processes of this process."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._scratch = OwnFolder(SCRATCH, require_temporary)
        self._idle: list[ReadingProcess] = []
        self._busy: list[bool] = []  # for each task that is done now, whether it is long
        self._turns = Turns()
        self._prepared: tuple[str, ...] = ()

    def make_folder(self) -> Path:
        """Creates an empty temporary folder; raises `OSError` where that is not possible."""
        return self._scratch.make_folder()

    def warm_up(self, tasks: tuple[str, ...]) -> None:
        """Does `core.reader.pool.warm_up`."""
        self._prepared = tasks
        Thread(target=self._start_idle, name="reader", daemon=True).start()

    def do(self, task: str, arguments: dict[str, Any], folder: Path, limits: Limits, progress: Progress) -> None:
        """Does a task in the first process that is free; raises as `ReadingProcess.do`, also if too many wait."""
        is_long = TASKS[task].is_long
        self._wait(is_long)
        process = None
        try:
            process = self._take() or self._start(self._prepared or (task,))
            process.do(task, arguments, folder, limits, progress)
        except BaseException:
            if process is not None:
                process.end()
            raise
        finally:
            self._give_back(process, is_long)

    def close(self) -> None:
        """Ends all processes that wait for work, and removes the temporary folder."""
        with self._condition:
            while self._idle:
                self._idle.pop().end()
            self._scratch.close()

    def _wait(self, is_long: bool) -> None:
        with self._condition:
            if not self._turns.has_room():
                raise ExceededError("cannot be read now, since many others wait for that: try again in a moment")
            mine = self._turns.add(is_long=is_long)
            try:
                self._condition.wait_for(lambda: self._find_next() is mine)
                self._busy.append(is_long)
            finally:
                self._turns.remove(mine)
                self._condition.notify_all()

    def _find_next(self) -> Waiting | None:
        """Returns who may begin; long tasks may not while enough of them are done."""
        if len(self._busy) >= MAX_PROCESSES:
            return None
        return self._turns.find_next(may_be_long=sum(self._busy) < MAX_LONG)

    def _take(self) -> ReadingProcess | None:
        with self._condition:
            while self._idle:
                process = self._idle.pop()
                if process.is_usable:
                    return process
                process.end()
        return None

    def _start(self, prepared: tuple[str, ...]) -> ReadingProcess:
        """Starts a process; raises `ReaderDefectError` where it fails, and `ExceededError` where the system refuses."""
        try:
            return ReadingProcess(self.make_folder(), prepared)
        except OSError as error:
            raise ExceededError(f"cannot be read, since no process for it can be started: {explain(error)}") from None

    def _start_idle(self) -> None:
        try:
            process = self._start(self._prepared)
        except (ExceededError, ReaderDefectError):
            LOG.exception("The reading process does not start.")
            return
        with self._condition:
            self._idle.append(process)

    def _give_back(self, process: ReadingProcess | None, is_long: bool) -> None:
        usable = process is not None and process.is_usable
        if process is not None and not usable:
            process.end()
        with self._condition:
            self._busy.remove(is_long)
            if process is not None and usable:
                self._idle.append(process)
            self._condition.notify_all()
            spare, none = len(self._idle) > 1, not self._idle and not self._busy
        if spare:
            timer = Timer(IDLE_SECONDS, self._trim)
            timer.daemon = True
            timer.start()
        elif none and self._prepared:
            self.warm_up(self._prepared)

    def _trim(self) -> None:
        """Ends the idle processes that have not been needed for a while, but for the last one."""
        with self._condition:
            last = time.monotonic() - IDLE_SECONDS
            for process in sorted(self._idle, key=lambda each: each.idle_since)[: len(self._idle) - 1]:
                if process.idle_since <= last:
                    self._idle.remove(process)
                    process.end()


_pool = Pool()


def _forget() -> None:
    """Leaves the processes to the parent, in a process that has been forked from it."""
    global _pool
    _pool = Pool()


atexit.register(lambda: _pool.close())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
