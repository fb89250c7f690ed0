"""Training in a folder: from the start or from a checkpoint."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import set_seed

from core.config import Config, Training
from core.data.dataset import DataSet
from core.data.sources import open_data
from core.io.atomic import write_text
from core.io.locks import FileLock
from core.runs.checkpoint import read_state
from core.runs.folder import RUNNING, About, RunError, RunFolder
from core.runs.recorder import Recorder, Splits
from core.training.distributed import make_accelerator
from core.training.records import Record, TrainingError
from core.training.trainer import Trainer
from core.weights.sources import adopt, build, load_weights, weights_for

TRAINING_SCENES = 100_000  # an epoch of rendered scenes


def load_checkpoint(path: Path) -> dict:
    """Returns a saved state; raises `RunError` if there is none or it is damaged."""
    return read_state(path)


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

    A run of one process also does what `core.runs.control` asks.

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
        TrainingError: It diverged, or asks for what it cannot have. Whatever is raised while it trains, its checkpoint
            is saved.
    """
    accelerator = accelerator or make_accelerator()
    state = load_checkpoint(folder.checkpoint) if resume else None
    if resume:
        config = _own_settings(config, folder)
    else:
        folder.require_new()
    yield from _train(config, source, folder, state, workers=workers, accelerator=accelerator)


def train_in(folder: RunFolder, lock: FileLock, opened: Callable[[Recorder], None]) -> Iterator[Record]:
    """Trains as a folder's `about.json` and `config.json` ask, from its checkpoint if it has one.

    Args:
        folder: Of the run.
        lock: The folder's.
        opened: Called before the first step.

    Raises:
        As `run_training`.
    """
    state = load_checkpoint(folder.checkpoint) if folder.checkpoint.exists() else None
    config, source = Config.from_file(folder.config), folder.read_about().source
    yield from _train(config, source, folder, state, lock=lock, opened=opened)


def _train(
    config: Config,
    source: str,
    folder: RunFolder,
    state: dict | None,
    *,
    workers: int = 0,
    accelerator: Accelerator | None = None,
    lock: FileLock | None = None,
    opened: Callable[[Recorder], None] = lambda recorder: None,
) -> Iterator[Record]:
    accelerator = accelerator or make_accelerator()
    splits = Splits(
        open_data(source, "train", config.scenes, TRAINING_SCENES),
        open_data(source, "val", config.scenes, config.training.eval_images),
    )
    _require_repeats(config.training, splits.train)
    config, trainer = _trainer(config, splits.train, accelerator)
    if state:
        _require_classes(folder, splits.train)
        _restore(trainer, state, folder)
    records = trainer.run(*splits, workers=workers)
    if not accelerator.is_main_process:
        yield from records
        return
    folder.create()  # the processes have met in `_trainer`, so all of them have seen the folder empty
    with lock or _taken(folder):
        _open(folder, config, trainer.step, source)
        recorder = Recorder(trainer, folder, config, splits, obeys=accelerator.num_processes == 1)
        opened(recorder)
        yield from recorder.follow(records)


def _own_settings(config: Config, folder: RunFolder) -> Config:
    """Returns the settings a run was begun with, and its new length if one is given.

    Raises:
        ConfigError: They cannot be read.
        RunError: Something else is chosen than they have.
    """
    own, chosen = Config.from_file(folder.config), config.explicit_values()
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


def _require_repeats(training: Training, train: DataSet) -> None:
    seen = training.steps * training.batch_size
    if training.cache_features and seen <= len(train):
        raise TrainingError(
            f"training.cache_features ({training.cache_features} MB) is for pictures that come again, but the "
            f"{seen:,} that this run takes are all different, of {len(train):,}: set it to 0, or take a smaller data "
            "set or more training.steps."
        )


def _require_classes(folder: RunFolder, train: DataSet) -> None:
    known = load_weights(str(folder.weights)).class_names  # saved with each checkpoint
    if known != train.class_names:
        raise RunError(
            f"The run {folder.path} was begun with the classes {', '.join(known)}, but this data set has "
            f"{', '.join(train.class_names)}: name the data set it was begun with, or start a new run."
        )


def _restore(trainer: Trainer, state: dict, folder: RunFolder) -> None:
    try:
        trainer.restore(state)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):  # whatever PyTorch makes of other tensors
        raise RunError(
            f"The checkpoint {folder.checkpoint} does not fit the settings of the run: start a new run."
        ) from None


def _taken(folder: RunFolder) -> FileLock:
    lock = folder.take()
    folder.control.unlink(missing_ok=True)  # what was asked of another process
    return lock


def _open(folder: RunFolder, config: Config, step: int, source: str) -> None:
    folder.cut(step)
    write_text(folder.config, config.to_json())
    if not folder.about.exists():
        folder.write_about(About(source, time.time()))
    folder.write_status(RUNNING)
