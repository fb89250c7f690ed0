"""A test of learning rates with the data and the weights of a run, which leaves nothing on the disk."""

from collections.abc import Generator

from accelerate import Accelerator

from core.config import Config
from core.runs.about import About
from core.runs.splits import open_splits, order_classes
from core.runs.train import NOBODY, Listeners, build_trainer
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
        listeners: What is called before the first step; there is no recorder.

    Yields:
        The record of each step.

    Raises:
        ConfigError, WeightsError, DataError: The settings, weights or data are missing, invalid or contradictory.
        TrainingError: The settings do not fit the data or the processes.
    """
    config = settings_of_test(config)
    opened = open_splits(config, About(source, format=format or "", strict=strict))
    weights = weights_for(config)
    splits = order_classes(opened.splits, weights.class_names)
    listeners.on_data(opened)
    schedule = RisingRates(config.training)
    config, trainer = build_trainer(config, weights, splits.train, accelerator, free=False, schedule=schedule)
    listeners.on_weights(to_record(weights, config, splits.train.class_names)["notes"])
    yield from run_range_test(trainer, *splits, workers=workers, strict=strict)
