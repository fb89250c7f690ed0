"""Keeping a run's folder while it trains: metrics, checkpoints, the film; and doing what others ask of it."""

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from core.config import Config
from core.data.dataset import DataSet
from core.runs.checkpoint import write_state
from core.runs.control import STOP, Control, read_control
from core.runs.folder import FAILED, FINISHED, PAUSED, RUNNING, STOPPED, RunFolder
from core.runs.snapshots import Film
from core.runs.step_changes import Watch
from core.training.records import EvaluationProgress, EvaluationRecord, Record, StepRecord
from core.training.trainer import Trainer
from core.weights.architecture import WeightsError
from core.weights.sources import save_weights

CHECKPOINT_SECONDS = 20  # what a run loses at most when its process is killed
WAIT_SECONDS = 0.05  # between looks at what is asked of a run that pauses


class Splits(NamedTuple):
    """The pictures of a run."""

    train: DataSet
    validation: DataSet


class Recorder:
    """Writes down what a run does.

    Args:
        trainer: The run.
        folder: Where it is kept.
        config: Its settings.
        splits: Its pictures.
        obeys: Whether it does what `core.runs.control` asks; several processes cannot.
    """

    def __init__(self, trainer: Trainer, folder: RunFolder, config: Config, splits: Splits, *, obeys: bool) -> None:
        self._trainer, self._folder, self._config, self._train = trainer, folder, config, splits.train
        self._obeys = obeys
        self._film = Film(folder, splits.validation, config)
        self._saved = time.monotonic()
        self.writing = threading.RLock()  # whoever holds it keeps the run from noting anything

    def save(self, state: str, message: str = "") -> None:
        """Writes weights, checkpoint and status, all of the last whole step; from any thread.

        Raises:
            WeightsError: They cannot be written; those that are there stay.
        """
        with self.writing, self._trainer.hold_last_step() as result:
            train = self._train
            save_weights(self._folder.weights, result, self._config, train.class_names, train.category_ids)
            write_state(self._folder.checkpoint, self._trainer.state())
            self._folder.write_status(state, message)
            self._saved = time.monotonic()

    def follow(self, records: Iterator[Record]) -> Iterator[Record]:
        """Passes the records of a run on, and keeps its folder, until the run ends or is stopped."""
        try:
            yield from self._kept(records)
        except GeneratorExit:
            self.save(STOPPED)
            raise
        except Exception as error:
            self._fail(error)
            raise

    def _kept(self, records: Iterator[Record]) -> Iterator[Record]:
        watch = None
        while (record := next(records, None)) is not None:
            with self.writing:
                self._keep(record)
                if watch and isinstance(record, StepRecord):
                    watch.tell(self._folder)
                    watch = None
            yield record
            control = self._wait(record)
            if control.wish == STOP:
                self.save(STOPPED)
                return
            if isinstance(record, StepRecord) and control.single(self._trainer.step):
                watch = Watch(self._trainer, self._film)
        self.save(FINISHED)

    def _keep(self, record: Record) -> None:
        evaluated = isinstance(record, EvaluationRecord)
        if evaluated:
            self._film.add(self._trainer.result, record.step)
        if evaluated or time.monotonic() - self._saved > CHECKPOINT_SECONDS:
            self.save(RUNNING)  # before the record, so that whoever reads it finds the weights it speaks of
        if not isinstance(record, EvaluationProgress):
            self._folder.append(record)

    def _wait(self, record: Record) -> Control:
        """Returns what is asked, once it is not to wait any more; only between steps, not within an evaluation."""
        control = read_control(self._folder.control) if self._obeys else Control()
        if not isinstance(record, StepRecord) or not control.pauses_at(record.step):
            return control
        self._folder.write_status(PAUSED)
        while (control := read_control(self._folder.control)).pauses_at(record.step):
            time.sleep(WAIT_SECONDS)
        self._folder.write_status(RUNNING)
        return control

    def _fail(self, error: Exception) -> None:
        """Notes why a run ended; a checkpoint that cannot be written, as on a full disk, leaves the last one."""
        try:
            self.save(FAILED, str(error))
        except (WeightsError, OSError):
            self._folder.write_status(FAILED, str(error))
