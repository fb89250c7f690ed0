"""The training runs of the page: folders, which it only reads, and processes that outlive it.

A run is asked for by a folder that waits in a queue; `core.scheduler.daemon` trains it. All that is shown comes from
the folders, so a page that is reloaded or started again, or another one beside it, finds the same.
"""

import subprocess
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from core.config import Config
from core.experiments.presets import PRESETS, Preset
from core.io.locks import FileLock
from core.runs.control import PAUSE, STOP, Control, write_control
from core.runs.folder import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    PAUSED,
    QUEUED,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
    About,
    RunError,
    RunFolder,
    RunStatus,
)
from core.scheduler.daemon import ensure_server
from core.scheduler.lock_files import PAGES_LOCK
from core.scheduler.queue import Queue
from core.scheduler.throttle import report_activity
from playground.runs.labels import Label
from playground.runs.reader import Reader, RunRecords, about_of, changed, label_of

TRAINING = (STARTING, RUNNING, PAUSED, STOPPING)
ACTIVE = (QUEUED, *TRAINING)
RESUMABLE = (STOPPED, FAILED, INTERRUPTED)
MAX_WAITING = 100  # runs in the queue


class RunProgress(NamedTuple):
    """A run's status and its records so far.

    Attributes:
        status: Of a comparison, that of all its runs together.
        preset: What is compared, None for a run by itself.
        curves: One for each training that has begun, in the order in which they were asked for.
        own: That of the run itself, None before it has begun.
    """

    status: RunStatus
    preset: Preset | None
    curves: tuple[RunRecords, ...]
    own: RunRecords | None = None

    @property
    def state(self) -> str:
        """The state of `status`."""
        return self.status.state

    @property
    def active(self) -> bool:
        """Whether it goes on, or waits to."""
        return self.state in ACTIVE

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Records of the run's steps."""
        return self.own.steps if self.own else []

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        """Records of the run's evaluations."""
        return self.own.evaluations if self.own else []


class Runs:
    """The runs in a folder.

    Args:
        root: The folder. It is created when the first run is added.
    """

    def __init__(self, root: Path) -> None:
        self.reader = Reader()
        self._lock = threading.Lock()
        self._queue = Queue(root.resolve())  # absolute: the processes of the runs work in another folder
        self._page: FileLock | None = None  # shows the server that a page is open
        self._server: subprocess.Popen | None = None

    @property
    def root(self) -> Path:
        """The folder that holds the runs."""
        return self._queue.root

    def use_folder(self, root: Path) -> None:
        """Switches to the runs of another folder. No process is started until `open` or `start`."""
        self.close()
        self._queue, self._server = Queue(root.resolve()), None

    def open(self, root: Path | None = None) -> None:
        """Starts the server process in the background; it trains queued runs one after another.

        Args:
            root: The folder to switch to first, None for the present one.
        """
        if root is not None:
            self.use_folder(root)
        with self._lock:
            self.root.mkdir(parents=True, exist_ok=True)
            if self._page is None:
                self._page = FileLock.try_acquire(self.root / PAGES_LOCK, shared=True)
            if self._server is None or self._server.poll() is not None:
                self._server = ensure_server(self.root)

    def close(self) -> None:
        """Lets the process that starts runs end when nothing waits any more."""
        if self._page:
            self._page.close()
            self._page = None

    def give_way(self) -> None:
        """Lets runs wait for a moment, since a visitor moves a knob."""
        report_activity(self.root)

    def statuses(self) -> dict[str, RunStatus]:
        """Returns where each run stands by its name, newest first."""
        found = self._queue.statuses()
        if any(each.state == QUEUED for each in found.values()):
            self.open()  # the server may have died, or there was no page when the runs were asked for
        return found

    def has(self, name: str) -> bool:
        """Tells whether there is such a run; the name may be anything."""
        plain = isinstance(name, str) and Path(name).name == name and name[:1] not in ("", ".") and name.isprintable()
        return plain and (self.root / name / "config.json").is_file()

    def folder(self, name: str) -> RunFolder:
        """Returns the folder of a run.

        Raises:
            RunError: There is no such run.
        """
        if not self.has(name):
            raise RunError(f"There is no run {name!r} here: choose one of the list.")
        return RunFolder(self.root / name)

    def about(self, name: str) -> About:
        """Returns what was asked for of a run; raises as `folder`."""
        return about_of(self.folder(name))

    def label(self, name: str) -> Label:
        """Returns what people call a run; raises as `folder`."""
        return label_of(self.folder(name))

    def start(self, config: Config, source: str = "scenes", owner: str = "") -> str:
        """Puts a run into the queue and returns its name.

        Args:
            config: The settings.
            source: "scenes", or the folder of a data set.
            owner: Who asks, see `playground.support.visitors`.

        Raises:
            RunError: Too many wait, or its folder cannot be made.
        """
        return self._add([(config, About(source, owner=owner))])

    def is_using(self, source: str) -> bool:
        """True if a run that is queued or training uses the source."""
        active = (name for name, each in self.statuses().items() if each.state in ACTIVE)
        return any(about_of(RunFolder(self.root / name)).source == source for name in active)

    def compare(self, key: str, owner: str = "") -> str:
        """Puts the runs of a preset into the queue and returns the name of the first; raises as `start`."""
        preset, group = PRESETS[key], f"{key}-{time.time_ns()}"
        about = About(group=group, preset=key, owner=owner)
        return self._add([(preset.config(each, 0), about._replace(variant=each.name)) for each in preset.variants])

    def _add(self, wanted: list[tuple[Config, About]]) -> str:
        self.open()
        if len(self._queue.waiting()) + len(wanted) > MAX_WAITING:
            raise RunError(f"{MAX_WAITING} runs wait already: stop some, or wait until they have begun.")
        names = [self._queue.add(config, about).path.name for config, about in wanted]
        self.open()  # a server that was about to end when it was asked for has seen nothing of this
        return names[0]

    def current(self) -> str:
        """Returns the name of the run that goes on, else of the one that is next, "" if there is none."""
        found = self.statuses()
        going = [name for name, each in found.items() if each.state in TRAINING]
        waiting = sorted((each.queue_position, name) for name, each in found.items() if each.state == QUEUED)
        return next(iter((*going, *(name for _, name in waiting))), "")

    def members(self, name: str) -> list[RunFolder]:
        """Returns the folders of all runs compared with a run, oldest first, or its own alone; raises as `folder`."""
        folder = self.folder(name)
        group = about_of(folder).group
        return [each for each in reversed(self._queue.runs()) if about_of(each).group == group] if group else [folder]

    def stop(self, name: str) -> None:
        """Stops a run, or the current one if the name is "", with a checkpoint, and all that is compared with it.

        What waits is taken out of the queue.
        """
        name = name or self.current()
        for folder in self.members(name) if name else ():
            if not self._queue.cancel(folder) and self._queue.status(folder).state in TRAINING:
                write_control(folder.control, Control(STOP))

    def resume(self, name: str) -> None:
        """Lets a run that pauses go on, or puts one that ended early, and all compared with it, into the queue again.

        Raises:
            RunError: There is nothing to resume.
        """
        found = [(folder, self._queue.status(folder).state) for folder in self.members(name)]
        paused = [folder for folder, state in found if state == PAUSED]
        ended = [folder for folder, state in found if state in RESUMABLE]
        if not paused and not ended:
            raise RunError(f"The run {name} is {found[0][1]}: only what pauses or has ended early can be resumed.")
        for folder in paused:
            write_control(folder.control, Control())
        for folder in () if paused else ended:
            self._queue.requeue(folder)
        self.open()

    def pause(self, name: str) -> None:
        """Lets a run wait after its current step; raises `RunError` if it does not train."""
        write_control(self._training(name).control, Control(PAUSE))

    def step(self, name: str) -> None:
        """Lets a run do one more step and wait; raises `RunError` if it does not train."""
        folder = self._training(name)
        steps = self.reader.curve(folder).steps
        write_control(folder.control, Control(PAUSE, steps[-1]["step"] + 1 if steps else 1))

    def _training(self, name: str) -> RunFolder:
        for folder in self.members(name):
            if self._queue.status(folder).state in (STARTING, RUNNING, PAUSED):
                return folder
        raise RunError(f"The run {name} does not train now: start or resume it first.")

    def weights(self, name: str) -> RunFolder | None:
        """Returns the folder of a run that has saved weights, None if it has not; raises as `folder`."""
        folder = self.folder(name)
        return folder if folder.weights.exists() else None

    def read(self, name: str) -> RunProgress:
        """Returns what is known of a run; raises as `folder`."""
        members, statuses = self.members(name), self.statuses()
        about = about_of(RunFolder(self.root / name))
        curves = {each.path.name: self.reader.curve(each) for each in members}
        begun = tuple(curve for curve in curves.values() if curve.steps)
        whole = _together([statuses[key] for key in curves if key in statuses])
        own = curves[name] if curves[name].steps else None
        return RunProgress(whole, PRESETS.get(about.preset), begun, own)

    def stamp(self, name: str) -> tuple:
        """Returns something that changes whenever there is something new to show of a run or of the list."""
        statuses = self.statuses()
        files = [
            changed(path)
            for folder in (self.members(name) if name in statuses else ())
            for path in (folder.metrics, folder.snapshots, folder.step_changes)
        ]
        labels = tuple(label_of(RunFolder(self.root / each)) for each in statuses)
        return name, tuple(statuses.items()), labels, tuple(files)

    def list(self) -> list[str]:  # last: above, the name still stands for Python's own
        """Returns the names of all runs, newest first."""
        return [folder.path.name for folder in self._queue.runs()]


def _together(statuses: list[RunStatus]) -> RunStatus:
    """Returns where several runs stand that are done one after another: the first that goes on, or did not finish."""
    for states in (TRAINING, (QUEUED,), (INTERRUPTED, STOPPED)):
        found = [each for each in statuses if each.state in states]
        if found:
            return found[0]
    # An arm that diverged is a result; a run by itself that did has failed.
    return statuses[0] if len(statuses) == 1 else RunStatus(FINISHED)


RUNS = Runs(Path("runs"))  # of the folder the page is started in
