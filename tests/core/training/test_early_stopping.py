import math

import pytest
import torch
from torch import nn

from core.config import Config, ConfigError
from core.runs.checkpoint import load_checkpoint
from core.runs.folder import FINISHED, RunFolder
from core.runs.metrics import find_kept
from core.runs.train import run_training
from core.training.early_stopping import EarlyStopping
from core.training.records import EvaluationRecord, HeldOutLosses
from core.weights.sources import load_weights
from tests.core.tiny import tiny


def small(value: float = 0.0) -> nn.Linear:
    """Returns a stand-in for a network, marked with a value."""
    model = nn.Linear(1, 1)
    nn.init.constant_(model.bias, value)
    return model


def mark(model: nn.Linear) -> float:
    return model.bias.item()


def observe(stopping: EarlyStopping, *losses: float) -> list[bool]:
    due = []
    for number, loss in enumerate(losses, start=1):
        stopping.observe(10 * number, loss, small(number))
        due.append(stopping.is_due)
    return due


def test_it_is_due_after_so_many_evaluations_with_a_risen_loss():
    stopping = EarlyStopping(2)
    assert observe(stopping, 3, 2, 2.5, 1, 1.1, 1.5) == [False, False, False, False, False, True]
    assert stopping.kept_step == 40 and mark(stopping.kept) == 4
    assert stopping.describe_ending(60, 100) == (
        "Stopped early at step 60: the held-out loss has risen since step 40, whose weights are kept."
    )


def test_a_small_rise_is_overlooked_but_does_not_move_the_mark():
    stopping = EarlyStopping(1)
    assert observe(stopping, 1.0, 1.04, 1.05) == [False] * 3
    assert stopping.kept_step == 30 and mark(stopping.kept) == 3
    stopping.observe(40, 1.06, small(4))
    assert stopping.is_due and stopping.kept_step == 30


def test_zero_never_stops_and_keeps_nothing():
    stopping = EarlyStopping(0)
    assert not any(observe(stopping, 1, 2, 3, 4)) and stopping.kept is None
    assert stopping.describe_ending(40, 100) == ""


def test_the_best_may_be_the_last_or_an_earlier_one():
    falling, risen = EarlyStopping(5), EarlyStopping(5)
    observe(falling, 3, 2, 1)
    observe(risen, 3, 1, 2)
    assert falling.describe_ending(30, 30) == ""
    assert risen.describe_ending(30, 30) == "The held-out loss has risen since step 20, whose weights are kept."


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_losses_that_are_no_numbers_have_risen(broken):
    stopping = EarlyStopping(2)
    assert observe(stopping, broken, broken) == [False, True]
    assert stopping.kept is None
    assert stopping.describe_ending(20, 50) == "Stopped early at step 20: the held-out loss has never been a number."
    assert stopping.describe_ending(20, 20) == ""  # it has gone to its end


def test_an_evaluation_that_a_resumed_run_repeats_counts_once():
    stopping = EarlyStopping(1)
    stopping.observe(10, 1.0, small())
    stopping.observe(10, 1.0, small())
    assert not stopping.is_due


def test_the_kept_network_does_not_follow_the_trained_one():
    stopping, model = EarlyStopping(2), small(1)
    stopping.observe(10, 1.0, model)
    nn.init.constant_(model.bias, 2)
    assert mark(stopping.kept) == 1


def test_it_continues_from_its_state():
    whole, begun, resumed = EarlyStopping(2), EarlyStopping(2), EarlyStopping(2)
    observe(whole, 2, 1, 3, 4)
    observe(begun, 2, 1, 3)
    resumed.restore(begun.state(), small(9))
    resumed.observe(40, 4, small(4))
    assert resumed.is_due and whole.is_due
    assert resumed.kept_step == 20 and mark(resumed.kept) == mark(whole.kept) == 2


def test_it_needs_evaluations():
    with pytest.raises(ConfigError, match=r"training\.early_stopping \(3 evaluations\) needs evaluations"):
        Config.from_flat({"training.early_stopping": 3, "training.eval_interval": 0})


def evaluation(step: int, *losses: float | None) -> dict:
    return {"step": step, "metrics": {}, "losses": dict(zip(("classification", "box"), losses, strict=False))}


def test_the_kept_evaluation():
    stopping, plain = tiny(training__early_stopping=1).training, tiny().training
    records = [evaluation(2, 1, 1), evaluation(4, 0.5, 1), evaluation(6, 0.5, 1.02), evaluation(8, 1, 0.75)]
    records += [evaluation(10, None, 0.1)]
    assert find_kept(records, stopping) == records[2]
    assert find_kept(records, plain) == records[4]
    old = [{"step": 2, "metrics": {}}, {"step": 4, "metrics": {}}]  # of earlier versions, without losses
    assert find_kept(old, stopping) == old[1] and find_kept([], stopping) is None


def make_rising(monkeypatch: pytest.MonkeyPatch, losses: dict[int, float]) -> None:
    """Replaces the held-out loss after some steps."""
    observe = EarlyStopping.observe
    monkeypatch.setattr(
        EarlyStopping, "observe", lambda self, step, loss, model: observe(self, step, losses.get(step, math.nan), model)
    )


@pytest.mark.slow
def test_a_run_that_stops_early_keeps_its_best_weights_and_stays_so(tmp_path, monkeypatch):
    make_rising(monkeypatch, {1: 3.0, 2: 1.0, 3: 2.0, 4: 2.0})
    config = tiny(training__steps=9, training__eval_interval=1, training__early_stopping=2)
    whole, folder = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "resumed")
    list(run_training(config, "scenes", whole))
    records = run_training(config, "scenes", folder)
    while not isinstance(record := next(records), EvaluationRecord) or record.step < 3:
        pass
    records.close()
    resumed = list(run_training(config, "scenes", folder, resume=True))
    assert [each.step for each in resumed if isinstance(each, EvaluationRecord)] == [4]
    for each in (whole, folder):
        status = each.read_status()
        assert status.state == FINISHED and status.message.startswith("Stopped early at step 4: ")
        assert "risen since step 2, whose weights are kept" in status.message
    kept, resumed_kept = (load_weights(str(each.weights)).state for each in (whole, folder))
    assert all(torch.equal(value, resumed_kept[name]) for name, value in kept.items())
    last = load_checkpoint(folder.checkpoint)["model"]  # of step 4
    assert not all(torch.equal(value, last[name]) for name, value in kept.items())
    assert list(run_training(config.replace({"training.steps": 20}), "scenes", folder, resume=True)) == []
    assert folder.read_status().message.startswith("Stopped early at step 4: ")


@pytest.mark.slow
def test_the_saved_weights_are_those_of_the_best_evaluation(tmp_path, monkeypatch):
    make_rising(monkeypatch, {2: 1.0, 4: 2.0})
    config = tiny(training__steps=4, training__eval_interval=2, training__early_stopping=5)
    folder = RunFolder(tmp_path / "run")
    models = {}
    for record in run_training(config, "scenes", folder):
        if isinstance(record, EvaluationRecord):
            models[record.step] = load_weights(str(folder.weights)).state
            assert isinstance(record.losses, HeldOutLosses) and record.losses.total > 0
    final = load_weights(str(folder.weights)).state
    assert all(torch.equal(value, models[2][name]) for name, value in final.items())
    assert folder.read_status().message == "The held-out loss has risen since step 2, whose weights are kept."
