"""A training run as a folder: settings, metrics as JSON lines, weights and a checkpoint to go on from."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

from core.checkpoints import write_pickled
from core.config import Config
from core.data import DataSet, open_data
from core.files import write_text
from core.processes import make_accelerator
from core.training import EvaluationProgress, EvaluationRecord, Record, StepRecord, Trainer
from core.weights import adopt, build, load_weights, save_weights, weights_for

CHECKPOINT_SECONDS = 60  # what a run loses at most when its process is killed
TRAINING_SCENES = 100_000  # an epoch of rendered scenes
RUNNING, FINISHED, STOPPED, FAILED = "running", "finished", "stopped", "failed"


class RunError(ValueError):
    """A run's folder cannot be used; the message says why and what to do."""


class Status(NamedTuple):
    """Where a run stands: one of the states above, and why if it failed."""

    state: str
    message: str
    process: int


class RunFolder:
    """The files of a run; each is written beside and renamed, so that none is ever half there."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.jsonl"
        self.status = self.path / "status.json"
        self.checkpoint = self.path / "checkpoint.pt"
        self.weights = self.path / "weights.safetensors"

    def require_new(self) -> None:
        """Raises `RunError` if there is already something in the folder's place."""
        if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise RunError(f"The folder {self.path} is not empty: name another, or go on with --resume.")

    def create(self) -> None:
        """Makes the folder.

        Raises:
            RunError: It cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"The folder {self.path} cannot be made: {error.strerror}.") from None

    def write_status(self, state: str, message: str = "") -> None:
        """Notes where the run stands."""
        write_text(self.status, json.dumps(Status(state, message, os.getpid())._asdict()))

    def read_status(self) -> Status | None:
        """Returns where the run stands, None before it started."""
        try:
            return Status(**json.loads(self.status.read_text()))
        except FileNotFoundError:
            return None

    def append(self, record: StepRecord | EvaluationRecord) -> None:
        """Adds a record to the metrics."""
        with self.metrics.open("a") as file:
            file.write(json.dumps(record_to_dict(record)) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """Returns the records so far; a line still being written is left for the next time."""
        try:
            text = self.metrics.read_text()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def read_records(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Returns the records of the steps and those of the evaluations so far."""
        records = self.read_metrics()
        steps = [record for record in records if "metrics" not in record]
        return steps, [record for record in records if "metrics" in record]

    def cut_metrics(self, step: int) -> None:
        """Drops records after a step: a run that goes on from its checkpoint writes them again."""
        lines = [json.dumps(record) + "\n" for record in self.read_metrics() if record["step"] <= step]
        write_text(self.metrics, "".join(lines))


def record_to_dict(record: StepRecord | EvaluationRecord) -> dict[str, Any]:
    """Returns a record as JSON holds it; an evaluation has the key "metrics"."""
    if isinstance(record, EvaluationRecord):
        return {"step": record.step, "metrics": record.metrics.to_dict()}
    return record._asdict()


def load_checkpoint(path: Path) -> dict:
    """Returns a saved state; only tensors and plain values are unpickled.

    Raises:
        RunError: There is none, or it is damaged.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RunError(f"There is no checkpoint {path} to resume from: start the run without --resume.") from None
    except Exception as error:  # torch raises half a dozen kinds for damaged files
        raise RunError(f"The checkpoint {path} is damaged ({type(error).__name__}): start a new run.") from None


def run_training(
    config: Config,
    source: str,
    folder: RunFolder,
    *,
    resume: bool = False,
    workers: int = 0,
    accelerator: Accelerator | None = None,
) -> Iterator[Record]:
    """Trains in a folder; closing the generator stops the run with a checkpoint.

    Args:
        config: The settings. On resuming those that were chosen must be the run's own, except for `training.steps`.
        source: "scenes" or a data set's folder.
        folder: Where the run is kept.
        resume: Go on from the folder's checkpoint.
        workers: Processes that load pictures.
        accelerator: Device and processes, of which the main one alone writes into the folder.

    Yields:
        The records of `Trainer.run`. All processes must close the generator at the same record, if they do.

    Raises:
        RunError: The folder cannot be used.
        ConfigError, WeightsError, DataError: What was asked for cannot be had.
        TrainingError: The run diverged. Whatever is raised while it trains, its checkpoint is saved.
    """
    accelerator = accelerator or make_accelerator()
    state = load_checkpoint(folder.checkpoint) if resume else None
    if state:
        config = _own_settings(config, folder)
    else:
        folder.require_new()
    train = open_data(source, "train", config.scenes, TRAINING_SCENES)
    validation = open_data(source, "val", config.scenes, config.training.eval_images)
    config, trainer = _trainer(config, train, accelerator)
    if state:
        _require_classes(folder, train)
        trainer.restore(state)
    if accelerator.is_main_process:  # the processes have met in `_trainer`, so all of them have seen the folder empty
        _open(folder, config, trainer, resume)
        yield from _recorded(trainer, trainer.run(train, validation, workers=workers), folder, config, train)
    else:
        yield from trainer.run(train, validation, workers=workers)


def _own_settings(config: Config, folder: RunFolder) -> Config:
    """Returns the settings a run was begun with, and its new length if one is given.

    Raises:
        ConfigError: They cannot be read.
        RunError: Something else is chosen than they have.
    """
    own, chosen = Config.from_file(folder.config), config.chosen()
    for path, value in own.to_flat().items():
        if path != "training.steps" and chosen.get(path, value) != value:
            raise RunError(
                f"The run {folder.path} was begun with {path} = {value} and cannot go on with {chosen[path]}: "
                "leave that out, or start a new run."
            )
    return own.replace({path: chosen[path] for path in ("training.steps",) if path in chosen})


def _trainer(config: Config, train: DataSet, accelerator: Accelerator) -> tuple[Config, Trainer]:
    set_seed(config.training.seed)
    weights = weights_for(config)
    config = adopt(config, weights)
    other_classes = train.class_names != weights.class_names
    model = build(config, weights, num_classes=len(train.class_names), new_classes=other_classes)
    return config, Trainer(model, config, accelerator)


def _require_classes(folder: RunFolder, train: DataSet) -> None:
    known = load_weights(str(folder.weights)).class_names  # saved with each checkpoint
    if known != train.class_names:
        raise RunError(
            f"The run {folder.path} was begun with the classes {', '.join(known)}, but this data set has "
            f"{', '.join(train.class_names)}: name the data set it was begun with, or start a new run."
        )


def _open(folder: RunFolder, config: Config, trainer: Trainer, resume: bool) -> None:
    if resume:
        folder.cut_metrics(trainer.step)
    else:
        folder.create()
    write_text(folder.config, config.to_json())
    folder.write_status(RUNNING)


def _recorded(
    trainer: Trainer, records: Iterator[Record], folder: RunFolder, config: Config, train: DataSet
) -> Iterator[Record]:
    """Passes the records on and keeps the folder: weights at evaluations, a checkpoint every minute and at any end."""

    def save(state: str, message: str = "") -> None:
        save_weights(folder.weights, trainer.result, config, train.class_names, train.category_ids)
        write_pickled(folder.checkpoint, trainer.state())
        folder.write_status(state, message)

    saved = time.monotonic()
    try:
        for record in records:
            evaluated = isinstance(record, EvaluationRecord)
            if evaluated or time.monotonic() - saved > CHECKPOINT_SECONDS:
                save(RUNNING)  # before the record, so that whoever reads it finds the weights it speaks of
                saved = time.monotonic()
            if not isinstance(record, EvaluationProgress):
                folder.append(record)
            yield record
    except GeneratorExit:
        save(STOPPED)
        raise
    except Exception as error:
        save(FAILED, str(error))
        raise
    save(FINISHED)
