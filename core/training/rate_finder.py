"""The learning-rate finder: a few steps whose learning rate grows exponentially, until the loss explodes.

It is the LR range test of Smith, "Cyclical Learning Rates for Training Neural Networks", 2015, section 3.3. As in
fastai the rate grows exponentially, and the test ends when the loss is `EXPLODED` times its lowest.
"""

from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.config import Config
from core.data.dataset import DataSet
from core.training.optimization.optimizer import Schedule
from core.training.records import DivergedError, StepRecord

if TYPE_CHECKING:  # the page shows tests without importing what trains
    from core.training.trainer import Trainer

STEPS = 100
LOWEST, HIGHEST = 1e-6, 10.0  # learning rates of the first and the last step
REACH = 5  # steps on either side of one that its average and its slope take in: two thirds of a decade together
EXPLODED = 4  # times the lowest average of as many steps as `LATEST`
LATEST = 5
LEAST_FALL = 0.2  # of the first average; less may be the noise of batches
# What the test has instead, or does not use.
SETTINGS = {
    "training.steps": STEPS,
    "training.ema_decay": 0.0,
    "training.cache_features": 0,
    "training.eval_interval": 0,
    "training.early_stopping": 0,
}


class RisingRates(Schedule):
    """The learning rates of the test, whatever the settings of the schedule are."""

    def rate(self, step: int) -> float:
        """Returns the learning rate of a step, counted from 0."""
        return float(LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1)))


class RateCurve(NamedTuple):
    """The loss at each learning rate.

    Attributes:
        rates: The learning rates, rising.
        losses: The loss of each step.
        averages: The loss averaged over up to `REACH` steps on either side.
        best: The rate with the lowest average; None without steps.
        suggestion: The rate at which the loss falls fastest with the logarithm of the rate, before the lowest average;
            None if the average does not fall by `LEAST_FALL`.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    averages: tuple[float, ...]
    best: float | None
    suggestion: float | None


def settings_of_test(config: Config) -> Config:
    """Returns the settings of a test: those of a run, without what only longer runs have."""
    return config.replace(SETTINGS)


def run_range_test(
    trainer: "Trainer", train: DataSet, validation: DataSet, *, workers: int = 0, strict: bool = False
) -> Generator[StepRecord]:
    """Trains until the loss explodes or all rates are tested; yields the record of each step, as of any run.

    Args:
        trainer: A new trainer with `RisingRates`; its network is of no use afterwards.
        train: The training data.
        validation: The validation data, which is not evaluated.
        workers: Number of processes that load images.
        strict: Whether the first image that cannot be used ends the test.

    Raises:
        DataError, TrainingError: As `Trainer.run`, other than for a loss that is not finite after the first step, which
            ends the test.
    """
    latest: deque[float] = deque(maxlen=LATEST)
    lowest = np.inf
    with closing(trainer.run(train, validation, workers=workers, strict=strict)) as records:
        try:
            for record in records:
                assert isinstance(record, StepRecord)  # an evaluation follows the last step, if anything does
                yield record
                latest.append(record.classification + record.box)
                average = float(np.mean(latest))
                if len(latest) == LATEST:
                    lowest = min(lowest, average)
                if record.step == STEPS or average > EXPLODED * lowest:
                    return
        except DivergedError:
            if not latest:
                raise


def describe_rates(rates: Sequence[float], losses: Sequence[float]) -> RateCurve:
    """Returns the averages of a test, and the suggestion that follows from them.

    Args:
        rates: The learning rates, rising by the same factor each.
        losses: The loss of each step.
    """
    windows = [losses[max(0, index - REACH) : index + REACH + 1] for index in range(len(losses))]
    averages = [float(np.mean(window)) for window in windows]
    if not averages:
        return RateCurve((), (), (), None, None)
    lowest = int(np.argmin(averages))
    whole = range(REACH, min(lowest, len(losses) - REACH - 1) + 1)  # steps with a full window
    falls = averages[lowest] <= (1 - LEAST_FALL) * averages[0]
    steepest = min(whole, key=lambda index: fit_slope(windows[index]), default=None) if falls else None
    return RateCurve(
        tuple(rates), tuple(losses), tuple(averages), rates[lowest], None if steepest is None else rates[steepest]
    )


def fit_slope(values: Sequence[float]) -> float:
    """Returns the slope of the line that fits equally spaced values best (least squares), per step."""
    places = np.arange(len(values)) - (len(values) - 1) / 2
    return float(places @ np.asarray(values) / (places @ places))


def conclude(curve: RateCurve, setting: str, *, stopped: bool) -> str:
    """Returns what follows from a test, as a sentence.

    Args:
        curve: The loss at each rate.
        setting: How whoever reads it sets the learning rate.
        stopped: True if it was stopped, so that nothing follows.
    """
    if stopped:
        return f"Stopped after {len(curve.rates)} of {STEPS} steps: no suggestion."
    if curve.suggestion is None:
        return (
            f"No suggestion: at no rate does the loss fall by {LEAST_FALL:.0%}. Weights that fit the data already "
            "learn too little in so few steps to tell."
        )
    return (
        f"Try {setting} {curve.suggestion:.2g}: there the loss falls fastest (steepest descent on the logarithmic "
        f"axis). It is lowest at {curve.best:.2g}."
    )
