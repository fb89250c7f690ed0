import math

import pytest

from core.training.divergence import DivergedStep, ExplosionDetector, explain_divergence, usual_learning_rate
from tests.core.tiny import tiny

CALM = {
    "training__learning_rate": 0.001, "training__optimizer": "adamw", "training__warmup_steps": 20,
    "training__clip_norm": 10.0, "training__batch_size": 8, "model__prior_probability": 0.01,
}  # fmt: skip


def explain(step: int = 5, box: float = math.nan, flat: int = 0, **changes) -> str:
    config = tiny(**{**CALM, **changes})
    return explain_divergence(config, DivergedStep(step, 1.0, box, math.inf, config.training.learning_rate, flat))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"training__optimizer": "sgd", "training__learning_rate": 0.1}, "learning_rate = 0.1 is high for sgd"),
        ({"training__learning_rate": 0.03}, "learning_rate = 0.03 is high for adamw with batches of 8: try 0.001."),
        ({"training__warmup_steps": 0}, "set training.warmup_steps"),
        ({"model__prior_probability": 0.5}, "model.prior_probability = 0.5"),
        ({"training__clip_norm": 0}, "set training.clip_norm"),
        ({"training__batch_size": 2, "model__batch_norm": "live"}, "set model.batch_norm to frozen"),
        ({"matching__fg_iou_threshold": 0.9}, "set loss.normaliser to moving_average"),
        ({"training__precision": "bf16"}, "set training.precision to fp32"),
        ({"flat": 2}, "2 objects of this batch have boxes without area"),
        ({}, "Lower training.learning_rate (0.001), raise training.warmup_steps (20) or lower"),
    ],
)  # fmt: skip
def test_each_cause_names_its_knob(changes, message):
    assert message in explain(**changes)


def test_a_normaliser_without_effect_is_no_cause():
    """GHM-C divides the box loss alone, and that is off."""
    text = explain(matching__fg_iou_threshold=0.9, loss__kind="ghm", loss__box_weight=0)
    assert "loss.normaliser" not in text


def test_the_most_certain_cause_comes_first_and_at_most_two_are_given():
    text = explain(
        model__prior_probability=0.5, training__learning_rate=1.0, training__warmup_steps=0, training__clip_norm=0
    )
    assert text.index("prior_probability") < text.index("learning_rate") and "warmup" not in text


def test_causes_that_are_ruled_out_are_not_named():
    assert "full learning rate" not in explain(step=500, training__warmup_steps=0)
    assert "prior" not in explain(step=500, model__prior_probability=0.5)
    assert "area" not in explain(flat=2, box=0.5)  # the box loss is finite
    trained = explain(model__prior_probability=0.5, model__weights="builtin", model__heads="loaded")
    assert "prior" not in trained  # loaded heads do not start at π


def test_the_papers_rate_grows_with_the_batch():
    assert usual_learning_rate(tiny(training__optimizer="sgd", training__batch_size=16)) == 0.01
    assert usual_learning_rate(tiny(training__optimizer="sgd", training__batch_size=4)) == 0.0025
    assert usual_learning_rate(tiny(training__optimizer="adam")) == 0.001


def test_an_explosion_is_a_loss_that_stays_far_above_the_first():
    detector = ExplosionDetector()
    assert not any(detector.observe(loss) for loss in (50.0, 6000.0, 6000.0, 40.0, 6000.0, 6000.0))
    assert detector.observe(6000.0)


def test_a_first_loss_near_zero_is_raised_to_the_minimum():
    detector = ExplosionDetector()
    assert not any(detector.observe(loss) for loss in (0.0, 900.0, 900.0, 900.0))
    assert [detector.observe(loss) for loss in (2e3, 2e3, 2e3)] == [False, False, True]


def test_the_state_of_the_detector_is_restored():
    detector, other = ExplosionDetector(), ExplosionDetector()
    for loss in (10.0, 2000.0, 2000.0):
        detector.observe(loss)
    other.restore(detector.state())
    assert other.observe(2000.0)
