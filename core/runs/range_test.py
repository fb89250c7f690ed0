"""A test of learning rates with the data and the weights of a run: with nothing on the disk, or in a run's folder."""

from collections.abc import Generator
from contextlib import closing

from accelerate import Accelerator

from core.config import Config
from core.io.locks import FileLock
from core.runs.about import About
from core.runs.control import STOP
from core.runs.folder import FINISHED, STOPPED, RunFolder
from core.runs.recorder import wait_while_paused
from core.runs.splits import OpenedData, open_splits, order_classes
from core.runs.train import NOBODY, Listeners, build_trainer, write_start
from core.training.distributed import make_accelerator
from core.training.rate_finder import RisingRates, run_range_test, settings_of_test
from core.training.records import StepRecord
from core.weights.assumptions import to_record
from core.weights.sources import weights_for


def find_rates(
    config: Config,
    source: str,
    accelerator: Accelerator,
    *,
    workers: int = 0,
    format: str | None = None,
    strict: bool = False,
    free: bool = False,
    listeners: Listeners = NOBODY,
) -> Generator[StepRecord]:
    """Trains as a run with these settings would, with rising learning rates; see `run_range_test`.

    Args:
        config: The settings of the run.
        source: "scenes" or the folder of a data set.
        accelerator: Device and processes.
        workers: Number of processes that load images.
        format: The key of the data set's annotation format; None to detect it.
        strict: Refuse the first picture or box that cannot be used, instead of leaving it out.
        free: Whether the anchors may differ from those that the weights were trained with.
        listeners: What is called before the first step; there is no recorder.

    Yields:
        The record of each step.

    Raises:
        ConfigError, WeightsError, DataError: The settings, weights or data are missing, invalid or contradictory.
        TrainingError: The settings do not fit the data or the processes.
    """
    config = settings_of_test(config)
    opened = open_splits(config, About(source, format=format or "", strict=strict))
    weights = weights_for(config, free=free)
    splits = order_classes(opened.splits, weights.class_names)
    listeners.on_data(opened._replace(splits=splits))
    schedule = RisingRates(config.training)
    config, trainer = build_trainer(config, weights, splits.train, accelerator, free=free, schedule=schedule)
    listeners.on_weights(to_record(weights, config, splits.train.class_names)["notes"])
    yield from run_range_test(trainer, *splits, workers=workers, strict=strict)


def find_rates_in_folder(folder: RunFolder, lock: FileLock) -> Generator[StepRecord]:
    """Makes the test that a folder's `about.json` and `config.json` describe, and records its steps there.

    It obeys the folder's control file between the steps; one that was ended early starts anew. Like any run of the
    page, its anchors may differ from those that the initial weights were trained with.

    Args:
        folder: Folder of the test.
        lock: Lock of the folder, held by the caller; it is released in the end.

    Yields:
        The record of each step.

    Raises:
        The same as `find_rates`, or `RunError`: The folder cannot be written.
    """
    config, about = Config.from_file(folder.config), folder.read_about()

    def start(opened: OpenedData) -> None:
        write_start(folder, config, 0, about._replace(reading=opened.reading), opened.splits.train)

    records = find_rates(
        config,
        about.source,
        make_accelerator(),
        format=about.format or None,
        strict=about.strict,
        free=True,
        listeners=Listeners(on_data=start),
    )
    with lock, closing(records):
        for record in records:
            folder.append(record)
            yield record
            if wait_while_paused(folder, record.step).command == STOP:
                folder.write_status(STOPPED)
                return
        folder.write_status(FINISHED)
