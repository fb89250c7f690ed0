"""Recording of a run: keeps its folder up to date while it trains, and obeys the requests in its control file."""

import threading
import time
from collections.abc import Generator, Iterator

from core.config import Config
from core.errors import UserError
from core.evaluation.damage import add_damaged
from core.retinanet.model import RetinaNet
from core.runs.checkpoint import save_checkpoint
from core.runs.control import STOP, Control, read_control
from core.runs.folder import FINISHED, PAUSED, RUNNING, STOPPED, RunError, RunFolder, failure_state
from core.runs.snapshots import SnapshotRecorder
from core.runs.splits import Splits
from core.runs.step_changes import StepChangeRecorder
from core.training.records import EvaluationRecord, Record, StepRecord
from core.training.trainer import Trainer
from core.weights.architecture import WeightsError
from core.weights.sources import save_weights

CHECKPOINT_SECONDS = 20  # the most that a run loses when its process is killed
POLL_SECONDS = 0.05  # interval at which a paused run reads its control file


class Recorder:
    """Records a run in its folder.

    Args:
        trainer: Trainer of the run.
        folder: Folder of the run.
        config: Settings of the run.
        splits: Data of the run.
        is_controllable: Whether to obey the control file; not supported with several processes.

    Attributes:
        writing: Lock held while the folder is written; another thread that holds it keeps the run from writing.
    """

    def __init__(
        self, trainer: Trainer, folder: RunFolder, config: Config, splits: Splits, *, is_controllable: bool
    ) -> None:
        self._trainer, self._folder, self._config, self._train = trainer, folder, config, splits.train
        self._is_controllable = is_controllable
        self._snapshots = SnapshotRecorder(folder, splits.validation, config)
        self._saved = time.monotonic()
        self._appended = trainer.step  # steps whose records are in the folder
        self._evaluated = trainer.evaluated  # steps after which the last evaluation in the folder was made
        self._damaged = 0  # pictures that are in the folder's description
        self.writing = threading.RLock()

    def save(self, state: str, message: str = "") -> None:
        """Saves weights, checkpoint and status as of the last completed step; from any thread.

        Raises:
            WeightsError, RunError: They cannot be written; the existing files are kept.
        """
        failure = None
        with self.writing, self._trainer.hold_last_step() as result:
            try:  # first: a run that resumes drops records after its checkpoint, but none may be missing before it
                self._append_last_step()
            except RunError as error:  # which must not cost the checkpoint
                failure = error
            try:
                self._save_files(result)
            except WeightsError as error:
                raise WeightsError(f"{error} Then resume the run: its last checkpoint is kept.") from None
            self._write_damage()
            self._folder.write_status(state, message)
            self._saved = time.monotonic()
        if failure:
            raise failure

    def _save_files(self, result: RetinaNet) -> None:
        train, trained_on = self._train, self._folder.read_about().trained_on
        save_weights(
            self._folder.weights, result, self._config, train.class_names, train.category_ids, trained_on=trained_on
        )
        save_checkpoint(self._folder.checkpoint, self._trainer.state())

    def _write_damage(self) -> None:
        """Adds the pictures that turned out to be damaged to the run's description."""
        errors = [error for each in self._trainer.damaged.values() for error in list(each.errors.values())]
        if len(errors) > self._damaged:
            about = self._folder.read_about()
            self._folder.write_about(about._replace(left_out=add_damaged(about.left_out, errors)))
            self._damaged = len(errors)

    def record(self, records: Iterator[Record]) -> Generator[Record]:
        """Passes the records of a run through and writes its folder, until the run ends, fails or is stopped."""
        try:
            yield from self._record(records)
        except GeneratorExit:
            self.save(STOPPED)
            raise
        except Exception as error:
            self._save_failure(error)
            raise

    def _record(self, records: Iterator[Record]) -> Iterator[Record]:
        changes = None
        while (record := next(records, None)) is not None:
            with self.writing:
                self._write(record)
                if changes and isinstance(record, StepRecord):
                    changes.write(self._folder)
                    changes = None
            yield record
            control = self._wait_while_paused(record)
            if control.command == STOP:
                self.save(STOPPED)
                return
            if isinstance(record, StepRecord) and control.is_single_step_at(self._trainer.step):
                changes = StepChangeRecorder(self._trainer, self._snapshots)
        self._finish()

    def _finish(self) -> None:
        """Marks the run as finished; files that the last evaluation has already saved are not written again."""
        if self._evaluated != self._trainer.step:
            self.save(FINISHED, self._trainer.ending)
            return
        with self.writing:
            self._write_damage()
            self._folder.write_status(FINISHED, self._trainer.ending)

    def _write(self, record: Record) -> None:
        evaluation = record if isinstance(record, EvaluationRecord) else None
        if evaluation and evaluation.step <= self._evaluated:  # a resumed run has made it again
            evaluation = None
        if evaluation:
            self._snapshots.add(self._trainer.result, record.step)
        if evaluation or time.monotonic() - self._saved > CHECKPOINT_SECONDS:
            self.save(RUNNING)  # before the record, so that a reader of the record finds the weights it describes
        if evaluation:
            self._folder.append(evaluation)
            self._evaluated = evaluation.step
        self._append_last_step()

    def _append_last_step(self) -> None:
        """Appends the record of the last completed step unless it has been appended."""
        record = self._trainer.last_record
        if record and record.step > self._appended:
            self._folder.append(record)
            self._appended = record.step

    def _wait_while_paused(self, record: Record) -> Control:
        """Returns the current request, after waiting while it is to pause; waits only between steps."""
        if not self._is_controllable:
            return Control()
        if not isinstance(record, StepRecord):
            return read_control(self._folder.control)
        return wait_while_paused(self._folder, record.step)

    def _save_failure(self, error: Exception) -> None:
        """Saves a run that ended with an error; if no checkpoint can be written, the last one is kept."""
        try:
            self.save(failure_state(error), str(error))
        except (UserError, OSError):
            self._folder.note_status(failure_state(error), str(error))


def wait_while_paused(folder: RunFolder, step: int) -> Control:
    """Returns the current request to a run that has completed a step, after waiting while it is to pause."""
    control = read_control(folder.control)
    if not control.is_paused_at(step):
        return control
    folder.note_status(PAUSED)
    while (control := read_control(folder.control)).is_paused_at(step):
        time.sleep(POLL_SECONDS)
    folder.note_status(RUNNING)
    return control
