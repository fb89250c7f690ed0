"""The training runs of the page: folders that it reads, and processes that outlive it.

To start a run, the page puts a folder into a queue; `core.scheduler.daemon` trains it. Everything the page shows comes
from the folders, so a page that is reloaded or restarted, or a second page, shows the same.
"""

import math
import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from core.config import Config
from core.errors import quote
from core.experiments.presets import PRESETS
from core.io.locks import FileLock
from core.io.paths import is_file_name, is_path
from core.io.records import read_object
from core.io.troubles import explain
from core.runs.about import About
from core.runs.control import PAUSE, STOP, Control, read_control, write_control
from core.runs.folder import PAUSED, QUEUED, RESUMABLE, RUNNING, STARTING, RunError, RunFolder, RunStatus
from core.scheduler.daemon import ensure_server
from core.scheduler.lock_files import PAGES_LOCK
from core.scheduler.queue import Queue
from core.scheduler.throttle import report_activity
from playground.runs.labels import Label
from playground.runs.privacy import may_see
from playground.runs.progress import ACTIVE, TRAINING, RunProgress, combine_statuses
from playground.runs.reader import Reader, file_stamp, hide_paths, read_about, read_label
from playground.runs.share import require_places, require_share
from playground.sharing.shares import find_share
from playground.support import starting

MAX_WAITING = 100  # runs in the queue
STARTING_SECONDS = 10  # that a server has to show that it runs


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
        self._servers: list[subprocess.Popen[bytes]] = []  # those that this page started and that have not ended
        self._started = -math.inf  # when it started the last one

    @property
    def root(self) -> Path:
        """The folder that holds the runs."""
        return self._queue.root

    def use_folder(self, root: Path) -> None:
        """Switches to the runs of another folder. No process is started until `open` or `start`."""
        self.close()
        self._queue, self._started = Queue(root.resolve()), -math.inf

    def open(self) -> None:
        """Starts the server process in the background; queued runs are trained one after another."""
        with self._lock:
            self.root.mkdir(parents=True, exist_ok=True)
            if self._page is None:
                self._page = FileLock.try_acquire(self.root / PAGES_LOCK, shared=True)
                self._queue.sweep()
            self._ensure_server()

    def _ensure_server(self) -> None:
        self._servers = [each for each in self._servers if each.poll() is None]
        if self._servers and time.monotonic() - self._started < STARTING_SECONDS:
            return  # it may not have come to show that it runs
        if server := ensure_server(self.root):
            self._servers.append(server)
            self._started = time.monotonic()

    def close(self) -> None:
        """Allows the server process to end once the queue is empty."""
        if self._page:
            self._page.close()
            self._page = None

    def throttle(self) -> None:
        """Makes training wait for a moment, because a visitor is moving a knob."""
        report_activity(self.root)

    def names(self) -> list[str]:
        """Returns the names of all runs, newest first."""
        return [folder.path.name for folder in self._queue.runs()]

    def statuses(self) -> dict[str, RunStatus]:
        """Returns the status of each run by name, newest first."""
        statuses = self._queue.statuses()
        if any(each.state == QUEUED for each in statuses.values()):
            with suppress(OSError):  # a full disk must not hide the runs
                self.open()  # the server may have died, or ended with an earlier page
        return {name: self._hide_paths(name, each) for name, each in statuses.items()}

    def _hide_paths(self, name: str, status: RunStatus) -> RunStatus:
        return status._replace(message=hide_paths(status.message, RunFolder(self.root / name)))

    def has(self, name: object) -> bool:
        """True if there is a run of that name, which can be anything."""
        return is_file_name(name) and RunFolder(self.root / name).is_run

    def folder(self, name: str) -> RunFolder:
        """Returns the folder of a run.

        Raises:
            RunError: There is no such run.
        """
        if not self.has(name):
            raise RunError(f"There is no run {quote(name)} here: choose one from the list.")
        return RunFolder(self.root / name)

    def about(self, name: str) -> About:
        """Returns the data source, group and owner of a run; raises as `folder`."""
        return read_about(self.folder(name))

    def label(self, name: str) -> Label:
        """Returns the name and tags that visitors gave a run; raises as `folder`."""
        return read_label(self.folder(name))

    def find_weights(self, name: str) -> RunFolder | None:
        """Returns the folder of a run that has saved weights, None if it has none yet; raises as `folder`."""
        folder = self.folder(name)
        return folder if os.path.isfile(folder.weights) else None

    def members(self, name: str) -> list[RunFolder]:
        """Returns the folders of the comparison that a run belongs to, oldest first; raises as `folder`.

        For a single run, this is its own folder.
        """
        folder = self.folder(name)
        group = read_about(folder).group
        if not group:
            return [folder]
        return [each for each in reversed(self._queue.runs()) if read_about(each).group == group]

    def may_see(self, name: str, visitor: str) -> bool:
        """True if there is a run of that name that a visitor may see."""
        return self.has(name) and may_see(RunFolder(self.root / name), visitor)

    def current(self, visitor: str = "") -> str:
        """Returns the name of the run that is training, else of the next one in the queue, "" if there is none.

        Runs that the visitor may not see are left out.
        """
        statuses = {name: each for name, each in self.statuses().items() if self.may_see(name, visitor)}
        training = [name for name, each in statuses.items() if each.state in TRAINING]
        waiting = sorted((each.queue_position, name) for name, each in statuses.items() if each.state == QUEUED)
        return next(iter((*training, *(name for _, name in waiting))), "")

    def is_using(self, source: str) -> bool:
        """True if a run that is queued or training uses the source."""
        active = (name for name, each in self.statuses().items() if each.state in ACTIVE)
        return any(read_about(RunFolder(self.root / name)).source == source for name in active)

    def begins_with(self, folder: Path) -> bool:
        """True if a run that is queued or training begins with weights in a folder."""
        active = (name for name, each in self.statuses().items() if each.state in ACTIVE)
        settings = (read_object(RunFolder(self.root / name).config) or {} for name in active)
        weights = (each["model"].get("weights") for each in settings if isinstance(each.get("model"), dict))
        return any(isinstance(each, str) and is_path(each) and Path(each).is_relative_to(folder) for each in weights)

    def refers_to(self, source: str) -> bool:
        """True if a run was trained on the source or will be."""
        return any(read_about(folder).source == source for folder in self._queue.runs())

    def read_progress(self, name: str) -> RunProgress:
        """Returns the status and the records of a run, or of its comparison; raises as `folder`."""
        members, statuses = self.members(name), self.statuses()
        records = {each.path.name: self.reader.read_records(each) for each in members}
        status = combine_statuses([statuses[member] for member in records if member in statuses])
        preset = PRESETS.get(read_about(RunFolder(self.root / name)).preset)
        own = records[name]
        begun = tuple(each for each in records.values() if each.steps)
        return RunProgress(status, preset, begun, own if own.steps else None, own.lost)

    def stamp(self, name: str) -> tuple[object, ...]:
        """Returns a value that changes whenever a run or the list of runs has to be shown again."""
        statuses = self.statuses()
        folders = self.members(name) if name in statuses else []
        files = [file_stamp(path) for each in folders for path in (each.metrics, each.snapshots, each.step_changes)]
        labels = tuple(read_label(RunFolder(self.root / each)) for each in statuses)
        return name, tuple(statuses.items()), labels, tuple(files)

    def start(
        self, config: Config, source: str = "scenes", owner: str = "", *, format: str | None = None, recipe: str = ""
    ) -> str:
        """Queues a run and returns its name.

        Args:
            config: The settings.
            source: "scenes", or the folder of a data set.
            owner: The visitor who starts it, see `playground.support.visitors`.
            format: The key of the data set's annotation format; None to detect it.
            recipe: The key of the recipe that the settings were chosen with, for the record.

        Raises:
            RunError: The queue is full, the visitor has too many runs, or the folder cannot be created.
        """
        return self._add([(config, About(source, owner=owner, format=format or "", recipe=recipe))])

    def compare(self, key: str, owner: str = "") -> str:
        """Queues the runs of a preset and returns the name of the first; raises as `start`, and for no preset."""
        if key not in PRESETS:
            raise RunError("There is no such comparison: choose one from the list.")
        preset, group = PRESETS[key], f"{key}-{time.time_ns()}"
        about = About(group=group, preset=key, owner=owner)
        return self._add([(preset.config(each, 0), about._replace(variant=each.name)) for each in preset.variants])

    def _add(self, wanted: list[tuple[Config, About]]) -> str:
        self._open_to_start()
        if share := find_share():
            runs = [(RunFolder(self.root / name), status) for name, status in self._queue.statuses().items()]
            require_share(share, wanted[0][1].owner, len(wanted), runs)
        if len(self._queue.waiting()) + len(wanted) > MAX_WAITING:
            raise RunError(f"{MAX_WAITING} runs are waiting already: stop some, or wait until they have started.")
        names = self._add_all(wanted)
        self._open_to_start()  # a server that was about to end may have missed the new runs
        return names[0]

    def _add_all(self, wanted: list[tuple[Config, About]]) -> list[str]:
        """Queues all of some runs or none; a kill meanwhile leaves the first ones."""
        added: list[RunFolder] = []
        try:
            for config, about in wanted:
                added.append(self._queue.add(config, about))
        except RunError:
            for folder in added:
                self._queue.discard(folder)
            raise
        return [folder.path.name for folder in added]

    def _open_to_start(self) -> None:
        try:
            self.open()
        except OSError as error:
            raise RunError(f"No run can be started now: {explain(error)}") from None

    def stop(self, name: str) -> None:
        """Stops a run and all other runs of its comparison. Those that train save a checkpoint.

        Args:
            name: The name of the run, "" for the current one.
        """
        name = name or self.current()
        for folder in self.members(name) if name else ():
            if not self._queue.cancel(folder) and self._queue.status(folder).state in TRAINING:
                write_control(folder.control, Control(STOP))

    def resume(self, name: str) -> None:
        """Resumes a paused run, or queues a run that ended early and all other such runs of its comparison again.

        Raises:
            RunError: There is nothing to resume, or too many runs of its owner wait.
        """
        states = [(folder, self._queue.status(folder).state) for folder in self.members(name)]
        paused = [folder for folder, state in states if state == PAUSED or self._is_pausing(folder, state)]
        ended = [folder for folder, state in states if state in RESUMABLE]
        if not paused and not ended:
            raise RunError(
                f"The run {name} is {states[0][1]}: only a run that is paused or has ended early can be resumed."
            )
        for folder in paused:
            write_control(folder.control, Control())
        if (share := find_share()) and not paused:
            owner = read_about(ended[0]).owner
            waiting = sum(read_about(each).owner == owner for each in self._queue.waiting())
            require_places(share, len(ended), waiting)
        for folder in () if paused else ended:
            self._queue.requeue(folder)
        self._open_to_start()

    def _is_pausing(self, folder: RunFolder, state: str) -> bool:
        """True for a run that is to be paused; on a full disk it cannot note that it is."""
        return state == RUNNING and read_control(folder.control).command == PAUSE

    def pause(self, name: str) -> None:
        """Pauses a run after its current step.

        Raises:
            RunError: It is not training.
        """
        write_control(self._find_training(name).control, Control(PAUSE))

    def step(self, name: str) -> None:
        """Makes a run do one more step and pause.

        Raises:
            RunError: It is not training.
        """
        folder = self._find_training(name)
        steps = self.reader.read_records(folder).steps
        write_control(folder.control, Control(PAUSE, steps[-1]["step"] + 1 if steps else 1))

    def _find_training(self, name: str) -> RunFolder:
        for folder in self.members(name):
            if self._queue.status(folder).state in (STARTING, RUNNING, PAUSED):
                return folder
        raise RunError(f"The run {name} is not training: start or resume it first.")


RUNS = Runs(starting.RUNS)
