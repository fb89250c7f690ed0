"""Training in a run's folder, from the start or from a checkpoint."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from accelerate import Accelerator
from accelerate.utils import set_seed

from core.config import Config, Training
from core.data.dataset import DataSet
from core.evaluation.damage import keep_damaged
from core.io.atomic import write_text
from core.io.locks import FileLock
from core.io.parts import sweep_parts
from core.runs.about import About
from core.runs.checkpoint import load_checkpoint
from core.runs.control import prepare_control
from core.runs.folder import RUNNING, RunError, RunFolder
from core.runs.recorder import Recorder
from core.runs.splits import OpenedData, open_splits, order_classes
from core.training.distributed import make_accelerator
from core.training.optimization.optimizer import Schedule
from core.training.records import Record, TrainingError
from core.training.trainer import Trainer
from core.weights.assumptions import to_record
from core.weights.sources import Weights, adopt, build, load_weights, weights_for


class Listeners(NamedTuple):
    """What is called before the first step of a run.

    Attributes:
        on_data: Gets the data.
        on_weights: Gets what people should know of the initial weights, unless the run is resumed.
        on_start: Gets the recorder, in the main process.
    """

    on_data: Callable[[OpenedData], None] = lambda data: None
    on_weights: Callable[[Sequence[str]], None] = lambda sentences: None
    on_start: Callable[[Recorder], None] = lambda recorder: None


NOBODY = Listeners()
STARTS_AGAIN = "The run was ended before its first checkpoint, so it starts again."


def run_training(
    config: Config,
    source: str,
    folder: RunFolder,
    *,
    resume: bool = False,
    workers: int = 0,
    accelerator: Accelerator | None = None,
    format: str | None = None,
    strict: bool = False,
    recipe: str = "",
    listeners: Listeners = NOBODY,
) -> Generator[Record]:
    """Trains in a folder; closing the generator stops the run and saves a checkpoint.

    With a single process the run also obeys `core.runs.control`.

    Args:
        config: The settings. On resuming, explicit values must equal the run's own, except for `training.steps`.
        source: "scenes" or the folder of a data set.
        folder: Folder of the run; unless resuming it must be missing or empty.
        resume: Continue from the folder's checkpoint; a run that was ended before its first one starts again.
        workers: Number of processes that load images.
        accelerator: Device and processes; only the main process writes to the folder.
        format: The key of the data set's annotation format; None to detect it, or on resuming for the run's own.
        strict: Refuse the first picture or box that cannot be used, instead of leaving it out. A run that was started
            so stays so.
        recipe: Key of the recipe that the settings were chosen with, for the record; on resuming the run's own counts.
        listeners: What is called before the first step.

    Yields:
        The records of `Trainer.run`. If the generator is closed, all processes must close it at the same record.

    Raises:
        RunError: The folder cannot be used.
        ConfigError, WeightsError, DataError: The settings, weights or data are missing, invalid or contradictory.
        TrainingError: The run diverged, or its settings do not fit the data or the processes. A checkpoint is saved if
            any exception is raised during training.
    """
    starts_again = resume and folder.config.exists() and not folder.checkpoint.exists()
    state = load_checkpoint(folder.checkpoint) if resume and not starts_again else None
    about = About(source, format=format or "", strict=strict, recipe=recipe)
    if resume:
        config, about = _resumed_config(config, folder), _resumed_about(about, folder)
        listeners.on_weights([STARTS_AGAIN] if starts_again else [])
    else:
        folder.require_new()
    yield from _train(config, about, folder, state, listeners, free=resume, workers=workers, accelerator=accelerator)


def train_from_folder(folder: RunFolder, lock: FileLock, on_start: Callable[[Recorder], None]) -> Generator[Record]:
    """Trains the run that a folder's `about.json` and `config.json` describe, from its checkpoint if it has one.

    Such a run comes from the page: its anchors may differ from those that the initial weights were trained with.

    Args:
        folder: Folder of the run.
        lock: Lock of the folder, held by the caller.
        on_start: Called with the recorder before the first step.

    Yields:
        The records of `Trainer.run`.

    Raises:
        The same as `run_training`.
    """
    state = load_checkpoint(folder.checkpoint) if folder.checkpoint.exists() else None
    config, about = Config.from_file(folder.config), folder.read_about()
    yield from _train(config, about, folder, state, Listeners(on_start=on_start), free=True, lock=lock)


def _train(
    config: Config,
    about: About,
    folder: RunFolder,
    state: dict[str, Any] | None,
    listeners: Listeners,
    *,
    free: bool,
    workers: int = 0,
    accelerator: Accelerator | None = None,
    lock: FileLock | None = None,
) -> Generator[Record]:
    accelerator = accelerator or make_accelerator()
    opened, weights = open_splits(config, about), weights_for(config, free=free)
    known = load_weights(str(folder.weights)).class_names if state else weights.class_names  # of each checkpoint
    splits = order_classes(opened.splits, known)
    if state:
        _require_same_classes(folder, known, splits.train)
    _require_repeated_images(config.training, splits.train)
    listeners.on_data(opened)
    config, trainer = build_trainer(config, weights, splits.train, accelerator, free=free)
    if state:
        _restore(trainer, state, folder)
    else:
        about = about._replace(weights=to_record(weights, config, splits.train.class_names))
        listeners.on_weights(about.weights["notes"])
    with closing(trainer.run(*splits, workers=workers, strict=about.strict)) as records:
        if not accelerator.is_main_process:
            yield from records
            return
        folder.create()  # the processes synchronised in `build_trainer`, so all of them have checked that it is empty
        with lock or _acquire_lock(folder):
            about = about._replace(reading=opened.reading).with_pictures(opened.digest)
            write_start(folder, config, trainer.step, about, splits.train)
            recorder = Recorder(trainer, folder, config, splits, is_controllable=accelerator.num_processes == 1)
            listeners.on_start(recorder)
            yield from recorder.record(records)


def _resumed_about(about: About, folder: RunFolder) -> About:
    """Returns the description of a run as it was started, with the given source.

    Raises:
        RunError: Another annotation format is given, or it is a test of learning rates.
    """
    own = folder.read_about()
    if own.range_test:
        raise RunError(f"{folder.path} holds a test of learning rates, which keeps no weights: start a new run.")
    if about.format not in ("", own.format):
        raise RunError(
            f"The run {folder.path} was started with {f'--format {own.format}' if own.format else 'no --format'} and "
            f"cannot be resumed with {about.format}: omit that flag, or start a new run."
        )
    return own._replace(source=about.source, strict=about.strict or own.strict)


def _resumed_config(config: Config, folder: RunFolder) -> Config:
    """Returns the run's own settings, with the number of steps replaced if one is given.

    Raises:
        ConfigError: The run's settings cannot be read.
        RunError: Another setting is given with a different value.
    """
    own, explicit = Config.from_file(folder.config), config.explicit_values()
    for path, value in own.to_flat().items():
        if path != "training.steps" and explicit.get(path, value) != value:
            raise RunError(
                f"The run {folder.path} was started with {path} = {value} and cannot be resumed with {explicit[path]}: "
                "omit that setting, or start a new run."
            )
    return own.replace({path: explicit[path] for path in ("training.steps",) if path in explicit})


def build_trainer(
    config: Config,
    weights: Weights,
    train: DataSet,
    accelerator: Accelerator,
    *,
    free: bool,
    schedule: Schedule | None = None,
) -> tuple[Config, Trainer]:
    """Returns the trainer of a run before its first step, seeded, and its settings with those that the weights have.

    Args:
        config: The settings.
        weights: The initial weights.
        train: The training data.
        accelerator: Device and processes.
        free: Whether the anchors may differ from those that the weights were trained with.
        schedule: The learning rates; by default those of the settings.

    Raises:
        WeightsError: The weights contradict the settings.
        TrainingError: The batch size is not a multiple of the number of processes.
    """
    set_seed(config.training.seed)
    config = adopt(config, weights, free=free)
    other_classes = train.class_names != weights.class_names
    model = build(config, weights, num_classes=len(train.class_names), new_classes=other_classes)
    trainer = Trainer(model, config, accelerator, schedule)
    return config.replace({"model.norm_eps": model.norm_eps}), trainer  # which live batch norms may change


def _require_repeated_images(training: Training, train: DataSet) -> None:
    seen = training.steps * training.batch_size
    if training.cache_features and seen <= len(train):
        raise TrainingError(
            f"training.cache_features ({training.cache_features} MB) is for images that are seen again, but this run "
            f"sees {seen:,} different ones of {len(train):,}: set it to 0, choose a smaller data set or raise "
            "training.steps."
        )


def _require_same_classes(folder: RunFolder, known: tuple[str, ...], train: DataSet) -> None:
    if known != train.class_names:
        raise RunError(
            f"The run {folder.path} was started with the classes {', '.join(known)}, but this data set has "
            f"{', '.join(train.class_names)}: choose the data set it was started with, or start a new run."
        )


def _restore(trainer: Trainer, state: dict[str, Any], folder: RunFolder) -> None:
    try:
        trainer.restore(state)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):  # PyTorch raises these for other tensors
        raise RunError(
            f"The checkpoint {folder.checkpoint} does not fit the settings of the run: start a new run."
        ) from None
    trainer.evaluated = folder.find_evaluated(trainer.step)  # the state was saved before the record was appended


def _acquire_lock(folder: RunFolder) -> FileLock:
    lock = folder.acquire_lock()
    prepare_control(folder.control)  # forgets a request to an earlier process
    return lock


def write_start(folder: RunFolder, config: Config, step: int, about: About, train: DataSet) -> None:
    """Writes what a run is into its folder before its next step, and that it is running; later records are dropped."""
    sweep_parts(folder.path)
    folder.drop_records_after(step)
    left_out = keep_damaged(train.left_out, about.left_out)
    created = about.created or time.time()
    folder.write_about(about._replace(created=created, left_out=left_out, classes=train.class_names))
    write_text(folder.config, config.to_json())  # last: with it, the run can be resumed
    folder.write_status(RUNNING)
