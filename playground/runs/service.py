"""The training runs of the page: folders that it reads, and processes that outlive it.

To start a run, the page puts a folder into a queue; `core.scheduler.daemon` trains it. Everything the page shows comes
from the folders, so a page that is reloaded or restarted, or a second page, shows the same.
"""

import time
from pathlib import Path

from core.config import Config
from core.experiments.presets import PRESETS
from core.io.troubles import explain
from core.runs.about import About
from core.runs.control import PAUSE, STOP, Control, read_control, write_control
from core.runs.folder import PAUSED, RESUMABLE, RUNNING, STARTING, RunError, RunFolder
from core.scheduler.throttle import report_activity
from playground.runs.catalogue import RunCatalogue
from playground.runs.progress import TRAINING
from playground.runs.reader import read_about
from playground.runs.share import require_places, require_share
from playground.sharing.shares import find_share
from playground.sharing.uploads import find_upload
from playground.support import starting

MAX_WAITING = 100  # runs in the queue


class Runs(RunCatalogue):
    """The runs in a folder, which can be started, stopped, paused and resumed.

    Args:
        root: The folder. It is created when the first run is added.
    """

    def throttle(self) -> None:
        """Makes training wait for a moment, because a visitor is moving a knob."""
        report_activity(self.root)

    def start(
        self,
        config: Config,
        source: str = "scenes",
        owner: str = "",
        *,
        format: str | None = None,
        recipe: str = "",
        range_test: bool = False,
    ) -> str:
        """Queues a run and returns its name.

        Args:
            config: The settings.
            source: "scenes", or the folder of a data set.
            owner: The visitor who starts it, see `playground.support.visitors`.
            format: The key of the data set's annotation format; None to detect it.
            recipe: The key of the recipe that the settings were chosen with, for the record.
            range_test: Test learning rates instead of training, see `core.runs.range_test`.

        Raises:
            RunError: The queue is full, the visitor has too many runs, or the folder cannot be created.
        """
        about = About(source, owner=owner, format=format or "", recipe=recipe, range_test=range_test)
        return self._add([(config, about)])

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
                added.append(self._queue.add(config, about, _find_uploaded(config)))
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
            waiting = [read_about(each).owner for each in self._queue.waiting()]
            require_places(share, read_about(ended[0]).owner, len(ended), waiting)
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


def _find_uploaded(config: Config) -> Path | None:
    """Returns the uploaded weights that settings name, None for others; raises `RunError` if they are gone."""
    upload = find_upload(config.model.weights)
    if upload and not upload.is_file():
        raise RunError(f"The uploaded {upload.name} is not on this server any more: upload it again.")
    return upload


RUNS = Runs(starting.RUNS)
