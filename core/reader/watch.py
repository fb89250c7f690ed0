"""The bounds of one task, as the parent of the reading process watches them, on every system."""

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

from core.reader.limits import Limits

PATIENCE = 10  # times the bound on processor time, in seconds of the clock: for work that waits and does not compute
GIGABYTE = 2**30


class ExceededError(Exception):
    """A task is ended; the message says why, as a sentence without a subject, and what to do."""


def too_much_memory(limits: Limits) -> ExceededError:
    """Returns the error for a task that needs more memory than it may use."""
    return ExceededError(f"needs more than {limits.memory / GIGABYTE:.2g} GB of memory to read: {limits.remedy}")


class Watch:
    """Watches a task.

    Args:
        process: The reading process.
        folder: Where the task writes.
        limits: The bounds.
    """

    def __init__(self, process: psutil.Process, folder: Path, limits: Limits) -> None:
        self._process, self._folder, self._limits = process, folder, limits
        try:
            self._memory, self._start = process.memory_info().rss, self._compute_seconds()
        except psutil.Error:  # it has ended, which its messages tell
            self._memory, self._start = 0, 0.0
        self._computed = self._start
        self._clock = time.monotonic()

    def rest(self) -> None:
        """Notes a sign of progress, from which the time counts anew."""
        with suppress(psutil.Error):
            self._computed = self._compute_seconds()
        self._clock = time.monotonic()

    def check(self) -> None:
        """Raises `ExceededError` if a bound is exceeded; does nothing if the process has ended."""
        limits = self._limits
        try:
            seconds, grown = self._compute_seconds(), self._process.memory_info().rss - self._memory
        except psutil.Error:
            return
        waited = time.monotonic() - self._clock
        if seconds - self._computed > limits.seconds or waited > PATIENCE * limits.seconds:
            raise ExceededError(f"takes more than {limits.seconds:g} seconds to read: {limits.remedy}")
        if seconds - self._start > limits.total:
            raise ExceededError(f"takes more than {limits.total / 60:g} minutes to read: {limits.remedy}")
        if grown > limits.memory:
            raise too_much_memory(limits)
        self.check_answer()

    def check_answer(self) -> None:
        """Raises `ExceededError` if the answer is too large."""
        with os.scandir(self._folder) as entries:
            size = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
        if size > self._limits.answer:
            raise ExceededError(f"unfolds to more than {self._limits.answer / GIGABYTE:.2g} GB: {self._limits.remedy}")

    def _compute_seconds(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system
