"""Overfitting in words."""

import math
from typing import Any

from core.config import Training
from core.runs.metrics import read_held_out
from core.runs.overfitting import describe_overfitting
from core.training.records import StepRecord


def trained(losses: dict[int, float]) -> list[dict[str, Any]]:
    """Records of 300 steps; the classification loss is that of the last step named, the box loss half of it."""
    found, records = 1.0, []
    for step in range(1, 301):
        found = losses.get(step, found)
        records.append(StepRecord(step, found, found / 2, 0.1, 3, 1.0, 8.0)._asdict())
    return records


def evaluated(step: int, classification: float | None, box: float | None, ap: float | None = 0.5) -> dict[str, Any]:
    losses = {"classification": classification, "box": box}
    return {"step": step, "metrics": {"ap": ap, "ap50": ap}, "losses": losses}


FALLING = trained({101: 0.8, 201: 0.2})
RISEN = [evaluated(100, 0.5, 0.5), evaluated(200, 0.4, 0.2, ap=0.41), evaluated(300, 0.7, 0.2, ap=0.4)]


def test_by_hand():
    assert describe_overfitting(FALLING, RISEN, Training()) == (
        "Overfitting: since step 200 the held-out loss has risen from 0.6 to 0.9 (classification 0.4 → 0.7, box 0.2 → "
        "0.2) while the training loss fell from 1.2 to 0.3. AP went from 0.410 to 0.400. More pictures, stronger "
        "augmentation or fewer steps help; early stopping would keep the weights from before."
    )
    stopped = describe_overfitting(FALLING, RISEN, Training(early_stopping=1))
    assert stopped.endswith("or fewer steps help.")


def test_ap_may_rise_meanwhile():
    better = [*RISEN[:2], evaluated(300, 0.7, 0.2, ap=0.45)]
    assert " AP still rose, from 0.410 to 0.450: the scores" in describe_overfitting(FALLING, better, Training())
    unknown = [*RISEN[:2], evaluated(300, 0.7, 0.2, ap=None)]
    assert " AP " not in describe_overfitting(FALLING, unknown, Training())


def test_what_is_not_overfitting():
    def says(steps: list[dict[str, Any]], evaluations: list[dict[str, Any]]) -> str:
        return describe_overfitting(steps, evaluations, Training())

    assert not says(FALLING, RISEN[:2]) and not says(FALLING, []) and not says([], RISEN)
    assert not says(FALLING, [*RISEN[:2], evaluated(300, 0.42, 0.205)])  # within 5%
    assert says(FALLING, [*RISEN[:2], evaluated(300, 0.44, 0.2)])
    assert not says(trained({}), RISEN)  # both rise: the training is at fault, not the number of pictures
    assert not says(trained({201: 0.97}), RISEN)  # by less than 5%
    assert not says(FALLING, [*RISEN, evaluated(300, 0.4, 0.1)])  # it has come back


def test_losses_that_are_no_numbers_are_left_out():
    broken = evaluated(250, None, None)
    assert read_held_out(broken) is None and read_held_out({"step": 1, "metrics": {}}) is None
    assert describe_overfitting(FALLING, [broken], Training()) == ""
    assert describe_overfitting(FALLING, [*RISEN, broken], Training()) == describe_overfitting(
        FALLING, RISEN, Training()
    )


def test_a_record_may_hold_any_number():
    for large in (1e100, 10**100, math.inf, -math.inf, math.nan):
        describe_overfitting(trained({1: large, 101: -large, 201: 0.2}), RISEN, Training())
        describe_overfitting(FALLING, [*RISEN[:2], evaluated(300, large, large)], Training())
        describe_overfitting(FALLING, [evaluated(100, large, -large), *RISEN], Training())
