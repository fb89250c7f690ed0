"""Training runs started from the page: each is a process of the command line with a folder, which the page reads."""

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.comparison import Part, parts
from core.config import Config
from core.files import write_text
from core.presets import PRESETS, Arm, Preset
from core.runs import FAILED, FINISHED, RUNNING, STOPPED, RunFolder

ROOT = Path(__file__).parent.parent
STARTING, STOPPING, INTERRUPTED = "starting", "stopping", "interrupted"  # beside the states of `core.runs`
ACTIVE = (STARTING, RUNNING)


class BusyError(RuntimeError):
    """Another run is going on; this machine trains one at a time."""


class Curve(NamedTuple):
    """What one training has recorded so far; of a comparison, that of one arm.

    Attributes:
        part: Its arm, without a name for a run by itself, and its folder.
        steps: Records of its steps.
        evaluations: Records of its evaluations.
    """

    part: Part
    steps: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]


class Progress(NamedTuple):
    """What is known of a run.

    Attributes:
        state: starting, running, stopping, finished, stopped, failed or interrupted.
        message: Why, if it failed.
        preset: What is compared, None for a run by itself.
        curves: One for each training that has begun, the latest last.
    """

    state: str
    message: str
    preset: Preset | None
    curves: tuple[Curve, ...]

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self.state in (*ACTIVE, STOPPING)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Records of the steps of the latest training."""
        return self.curves[-1].steps if self.curves else []

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        """Records of the evaluations of the latest training."""
        return self.curves[-1].evaluations if self.curves else []

    @property
    def stamp(self) -> tuple:
        """Changes whenever there is something new to show."""
        return self.state, tuple((len(curve.steps), len(curve.evaluations)) for curve in self.curves)


class Runs:
    """The runs of this page, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()  # runs are processes in another folder
        self._lock = threading.Lock()
        self._processes: dict[str, subprocess.Popen] = {}
        self._presets: dict[str, Preset] = {}
        self._stopping: set[str] = set()
        self._numbers = itertools.count(1)

    def start(self, config: Config) -> str:
        """Starts a run on scenes and returns its name.

        Raises:
            BusyError: Another one is going on.
        """
        with self._lock:
            name = self._new_name()
            settings = self.folder / f"{name}.json"
            write_text(settings, config.to_json())
            self._launch(name, ["train", "--config", str(settings)])
        return name

    def compare(self, key: str) -> str:
        """Starts the comparison of a preset and returns its name; raises as `start`."""
        with self._lock:
            name = self._new_name()
            self._presets[name] = PRESETS[key]
            self._launch(name, ["compare", key])
        return name

    def _new_name(self) -> str:
        if current := self.current():
            raise BusyError(f"Run {current} is going on: stop it, or wait until it ends.")
        self.folder.mkdir(parents=True, exist_ok=True)
        return f"{time.strftime('%Y%m%d-%H%M%S')}-{next(self._numbers)}"

    def _launch(self, name: str, arguments: Sequence[str]) -> None:
        command = [sys.executable, "-m", "core", *arguments, "--workers", "0", "--out", str(self.folder / name)]
        with (self.folder / f"{name}.log").open("wb") as output:
            self._processes[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C meant for the page leaves it alone
            )

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

    def parts(self, name: str) -> list[Part]:
        """Returns the trainings of a run: one, or the arms of a comparison."""
        preset = self._presets.get(name)
        if preset is None:
            return [Part(Arm("", {}), 0, RunFolder(self.folder / name))]
        return parts(preset, self.folder / name, seeds=1)

    def weights(self, name: str) -> RunFolder | None:
        """Returns the folder of a run's latest training that has saved weights, None if there is none."""
        saved = [part.folder for part in self.parts(name) if part.folder.weights.exists()]
        return saved[-1] if saved else None

    def read(self, name: str) -> Progress:
        """Returns what is known of a run."""
        process = self._processes.get(name)
        ended = process is None or process.poll() is not None  # asked first: what it wrote last is read after
        begun = [part for part in self.parts(name) if part.folder.read_status()]
        curves = tuple(Curve(part, *part.folder.read_records()) for part in begun)
        state, message = self._state(name, begun, ended)
        return Progress(state, message, self._presets.get(name), curves)

    def _state(self, name: str, begun: list[Part], ended: bool) -> tuple[str, str]:
        """Returns the state of a run and why, from the latest training and the process."""
        process, status = self._processes.get(name), begun[-1].folder.read_status() if begun else None
        state, message = (status.state, status.message) if status else (STARTING, "")
        if not ended:
            return (STOPPING if name in self._stopping else RUNNING if status else STARTING), ""
        if process is not None and process.returncode == -signal.SIGTERM:  # before it could listen
            return STOPPED, ""
        if state in ACTIVE:
            return (INTERRUPTED, "") if status else (FAILED, self._last_words(name))
        if name in self._presets and state in (FINISHED, FAILED):
            # An arm that diverged is a result; a process that ended before the last arm broke.
            return (FINISHED, "") if len(begun) == len(self.parts(name)) else (FAILED, self._last_words(name))
        return state, message

    def _last_words(self, name: str) -> str:
        """The last line a process wrote before it ended."""
        log = self.folder / f"{name}.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return lines[-1].removeprefix("error: ") if lines else "The process ended without a word."
