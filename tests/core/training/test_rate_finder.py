"""The test of learning rates: the rates by hand, where it ends, and what it suggests."""

import math
from itertools import islice

import numpy as np
import pytest
import torch

from core.config import Config, Training
from core.data.sources import SceneData
from core.retinanet.model import build_model
from core.training.optimization.optimizer import Schedule
from core.training.rate_finder import (
    EXPLODED,
    HIGHEST,
    LATEST,
    LOWEST,
    STEPS,
    RisingRates,
    describe_rates,
    fit_slope,
    run_range_test,
    settings_of_test,
)
from core.training.records import DivergedError, StepRecord, TrainingError
from core.training.trainer import Trainer
from tests.core.networks import make_small_body
from tests.core.tiny import tiny

RATES = [RisingRates(Training()).rate(step) for step in range(STEPS)]


def test_the_rates_grow_exponentially_whatever_the_schedule_is():
    assert RATES[0] == 1e-6 and RATES[-1] == pytest.approx(10)
    assert RATES[33] == pytest.approx(1e-6 * 10 ** (7 / 3))  # a third of the seven decades
    factors = np.diff(np.log(RATES))
    assert np.allclose(factors, math.log(HIGHEST / LOWEST) / (STEPS - 1))
    other = RisingRates(Training(schedule="step", learning_rate=0.5, warmup_steps=50))
    assert [other.rate(step) for step in range(STEPS)] == RATES


def test_a_slope_is_that_of_the_best_line():
    values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0]
    assert fit_slope(values) == pytest.approx(np.polyfit(range(7), values, 1)[0])
    assert fit_slope([2.0, 1.5, 1.0]) == -0.5


def test_a_curve_by_hand():
    """Flat at 2, then down by 0.1 a step from step 40 to 50, flat at 1 up to step 70, and up again."""
    losses = [2.0] * 40 + [2 - 0.1 * step for step in range(10)] + [1.0] * 20 + [1.0 + step for step in range(30)]
    curve = describe_rates(RATES, losses)
    assert curve.averages[0] == 2 and curve.averages[60] == 1
    assert curve.averages[45] == pytest.approx(1.5)  # the mean of 2.0, 1.9, …, 1.0
    assert curve.suggestion == RATES[45]
    assert curve.best == RATES[55]  # the first of which all steps within REACH are 1
    assert curve.rates == tuple(RATES) and curve.losses == tuple(losses)


def test_averages_at_the_ends_are_of_the_steps_that_there_are():
    curve = describe_rates(RATES[:3], [1.0, 2.0, 6.0])
    assert curve.averages == (3.0, 3.0, 3.0) and curve.suggestion is None
    assert describe_rates([], []) == ((), (), (), None, None)


@pytest.mark.parametrize(("fall", "suggests"), [(0.19, False), (0.21, True)])
def test_a_loss_that_hardly_falls_suggests_nothing(fall, suggests):
    losses = [1.0] * 30 + [1 - fall] * 40 + [3.0] * 30
    assert (describe_rates(RATES, losses).suggestion is not None) == suggests


def test_noise_does_not_move_the_suggestion_far():
    rng = np.random.default_rng(0)
    decades = np.log10(RATES)
    losses = 2 - 1 / (1 + np.exp(-4 * (decades + 3.5))) + np.where(decades > -1, 3 * (decades + 1), 0)
    for _ in range(50):
        curve = describe_rates(RATES, (losses + rng.normal(0, 0.05, STEPS)).tolist())
        assert abs(math.log10(curve.suggestion) + 3.5) < 0.5
        assert -3 < math.log10(curve.best) < -0.5


def test_the_steepest_descent_is_before_the_lowest_loss():
    """A diverging run may fall again, which is no sign of a good rate."""
    losses = [2.0] * 30 + [1.5] * 20 + [9.0] * 10 + [2.0] * 40
    assert describe_rates(RATES, losses).suggestion < RATES[36]


class Replayed:
    """A trainer whose steps have given losses; NaN is a run that diverges."""

    def __init__(self, losses: list[float]) -> None:
        self.losses, self.closed = losses, False

    def run(self, train, validation, *, workers: int, strict: bool):
        try:
            for step, loss in enumerate(self.losses):
                if math.isnan(loss):
                    raise DivergedError("It diverged.")
                yield StepRecord(step + 1, loss, 0.0, RATES[step], 1, 1.0, 1.0)
            raise AssertionError("An evaluation would follow.")
        finally:
            self.closed = True


def steps_of(losses: list[float]) -> int:
    trainer = Replayed(losses)
    count = sum(1 for _ in run_range_test(trainer, None, None))  # type: ignore[arg-type]
    assert trainer.closed
    return count


def test_it_ends_when_the_loss_explodes():
    assert steps_of([1.0] * STEPS) == STEPS
    assert steps_of([1.0] * 50 + [math.nan]) == 50
    # The mean of five losses is above 4 once (4 + x) / 5 > 4.
    assert EXPLODED == 4 and LATEST == 5
    assert steps_of([1.0] * 50 + [16.1] * 50) == 51
    assert steps_of([1.0] * 50 + [15.9] + [1.0] * 49) == STEPS
    assert steps_of([9.0, 1.0, 1.0, 1.0, 1.0, 1.0] + [1.0] * 94) == STEPS


def test_a_first_step_that_diverges_is_an_error():
    """No learning rate has been used by then: the cause is in the data or the settings, and the message names it."""
    with pytest.raises(DivergedError):
        steps_of([math.nan])


def test_other_errors_are_not_the_end_of_a_test():
    class Broken(Replayed):
        def run(self, *arguments, **options):
            yield StepRecord(1, 1.0, 0.0, RATES[0], 1, 1.0, 1.0)
            raise TrainingError("Use fewer --workers.")

    with pytest.raises(TrainingError, match="fewer"):
        list(run_range_test(Broken([]), None, None))  # type: ignore[arg-type]


def test_what_only_longer_runs_have_is_switched_off():
    config = tiny(training__early_stopping=3, training__ema_decay=0.9, training__optimizer="sgd")
    settings = settings_of_test(config).training
    assert (settings.steps, settings.eval_interval, settings.early_stopping, settings.ema_decay) == (STEPS, 0, 0, 0)
    assert settings.optimizer == "sgd" and config.training.early_stopping == 3
    cached = Config.from_flat({"model.freeze_stages": 5, "training.cache_features": 100})
    assert settings_of_test(cached).training.cache_features == 0


@pytest.mark.slow
def test_its_steps_are_those_of_a_run_with_these_rates():
    """The same data, network and arithmetic: only the schedule differs, and the seed makes it repeatable."""
    config = settings_of_test(tiny(training__batch_size=2, training__learning_rate=0.7, training__schedule="cosine"))

    class ByHand(Schedule):
        def rate(self, step: int) -> float:
            return RATES[step]

    def trainer(schedule: Schedule) -> Trainer:
        torch.manual_seed(0)
        network = build_model(config.model, num_classes=6, anchors_per_location=9, body=make_small_body())
        return Trainer(network, config, schedule=schedule)

    train, validation = (SceneData(config.scenes, 20, split) for split in ("train", "val"))
    tested = list(islice(run_range_test(trainer(RisingRates(config.training)), train, validation), 6))
    run = list(islice(trainer(ByHand(config.training)).run(train, validation), 6))
    assert [each._replace(images_per_second=0) for each in tested] == [
        each._replace(images_per_second=0) for each in run
    ]
    assert [each.learning_rate for each in tested] == RATES[:6]
