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

from core.config import Config
from core.data import DataSet, open_data
from core.training import EvaluationProgress, EvaluationRecord, Record, StepRecord, Trainer
from core.weights import adopt, build, load_weights, save_weights

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

    def create(self) -> None:
        """Makes the folder.

        Raises:
            RunError: It exists and is not empty, or cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise RunError(f"The folder {self.path} is not empty: name another, or go on with --resume.")
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

    def cut_metrics(self, step: int) -> None:
        """Drops records after a step: a run that goes on from its checkpoint writes them again."""
        lines = [json.dumps(record) + "\n" for record in self.read_metrics() if record["step"] <= step]
        write_text(self.metrics, "".join(lines))


def record_to_dict(record: StepRecord | EvaluationRecord) -> dict[str, Any]:
    """Returns a record as JSON holds it; an evaluation has the key "metrics"."""
    if isinstance(record, EvaluationRecord):
        return {"step": record.step, "metrics": record.metrics.to_dict()}
    return record._asdict()


def write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(text)
    beside.replace(path)


def save_checkpoint(path: Path, trainer: Trainer) -> None:
    """Saves the trainer's state whole or not at all."""
    beside = path.with_name(path.name + ".part")
    torch.save(trainer.state(), beside)
    beside.replace(path)


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
        config: All settings. On resuming only `training.steps` may differ from the run's own.
        source: "scenes" or a data set's folder.
        folder: Where the run is kept.
        resume: Go on from the folder's checkpoint.
        workers: Processes that load pictures.
        accelerator: Device and processes.

    Yields:
        The records of `Trainer.run`.

    Raises:
        RunError: The folder cannot be used.
        ConfigError, WeightsError, DataError: What was asked for cannot be had.
        TrainingError: The run diverged. Whatever is raised while it trains, its checkpoint is saved.
    """
    accelerator = accelerator or Accelerator()
    train = open_data(source, "train", config.scenes, TRAINING_SCENES)
    validation = open_data(source, "val", config.scenes, config.training.eval_images)
    config, trainer = _trainer(config, train, accelerator, load_checkpoint(folder.checkpoint) if resume else None)
    if accelerator.is_main_process:
        _open(folder, config, trainer, resume)
        yield from _recorded(trainer, trainer.run(train, validation, workers=workers), folder, config, train)
    else:
        yield from trainer.run(train, validation, workers=workers)


def _trainer(config: Config, train: DataSet, accelerator: Accelerator, state: dict | None) -> tuple[Config, Trainer]:
    set_seed(config.training.seed)
    weights = load_weights(config.model.weights, depth=config.model.depth)
    config = adopt(config, weights)
    other_classes = train.class_names != weights.class_names
    model = build(config, weights, num_classes=len(train.class_names), new_classes=other_classes)
    trainer = Trainer(model, config, accelerator)
    if state:
        trainer.restore(state)
    return config, trainer


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
        save_checkpoint(folder.checkpoint, trainer)
        save_weights(folder.weights, trainer.model, config, train.class_names, train.category_ids)
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
