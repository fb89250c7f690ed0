"""Training runs started from the page: each is a process of the command line with a folder, which the page reads."""

import itertools
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from core.config import Config
from core.files import write_text
from core.runs import FAILED, RUNNING, STOPPED, RunFolder

ROOT = Path(__file__).parent.parent
STARTING, STOPPING, INTERRUPTED = "starting", "stopping", "interrupted"  # beside the states of `core.runs`
ACTIVE = (STARTING, RUNNING)


class BusyError(RuntimeError):
    """Another run is going on; this machine trains one at a time."""


class Progress(NamedTuple):
    """What is known of a run.

    Attributes:
        state: starting, running, stopping, finished, stopped, failed or interrupted.
        message: Why, if it failed.
        steps: Records of its steps.
        evaluations: Records of its evaluations.
    """

    state: str
    message: str
    steps: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self.state in (*ACTIVE, STOPPING)


class Runs:
    """The runs of this page, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()  # runs are processes in another folder
        self._lock = threading.Lock()
        self._processes: dict[str, subprocess.Popen] = {}
        self._stopping: set[str] = set()
        self._numbers = itertools.count(1)

    def start(self, config: Config) -> str:
        """Starts a run on scenes and returns its name.

        Raises:
            BusyError: Another one is going on.
        """
        with self._lock:
            if current := self.current():
                raise BusyError(f"Run {current} is going on: stop it, or wait until it ends.")
            name = f"{time.strftime('%Y%m%d-%H%M%S')}-{next(self._numbers)}"
            self.folder.mkdir(parents=True, exist_ok=True)
            settings, log = (self.folder / f"{name}{ending}" for ending in (".json", ".log"))
            write_text(settings, config.to_json())
            command = [sys.executable, "-m", "core", "train", "--config", str(settings), "--workers", "0"]
            with log.open("wb") as output:
                self._processes[name] = subprocess.Popen(
                    [*command, "--out", str(self.run(name).path.resolve())],
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # a Ctrl-C meant for the page leaves it alone
                )
        return name

    def current(self) -> str:
        """Returns the name of the run that is going on, "" if none is."""
        return next((name for name, process in list(self._processes.items()) if process.poll() is None), "")

    def stop(self, name: str) -> None:
        """Asks a run, or the current one if the name is "", to stop with a checkpoint after its current step."""
        name = name or self.current()
        process = self._processes.get(name)
        if process and process.poll() is None:
            self._stopping.add(name)
            process.terminate()

    def run(self, name: str) -> RunFolder:
        """Returns a run's folder."""
        return RunFolder(self.folder / name)

    def read(self, name: str) -> Progress:
        """Returns what is known of a run."""
        process = self._processes.get(name)
        ended = process is None or process.poll() is not None  # asked first: what it wrote last is read after
        status, records = self.run(name).read_status(), self.run(name).read_metrics()
        steps = [record for record in records if "metrics" not in record]
        evaluations = [record for record in records if "metrics" in record]
        state, message = (status.state, status.message) if status else (STARTING, "")
        if ended and process is not None and process.returncode == -signal.SIGTERM:  # before it could listen
            state, message = STOPPED, ""
        elif not ended and name in self._stopping:
            state = STOPPING
        elif ended and state in ACTIVE:
            state, message = (INTERRUPTED, "") if status else (FAILED, self._last_words(name))
        return Progress(state, message, steps, evaluations)

    def _last_words(self, name: str) -> str:
        """The last line a process wrote before it ended."""
        log = self.folder / f"{name}.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return lines[-1].removeprefix("error: ") if lines else "The process ended without a word."
