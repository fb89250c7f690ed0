"""What is logged to trackers: tested with a fake tracker, and with TensorBoard's files if it is installed."""

import importlib.util
import json
import math

import pytest
from accelerate import tracking as accelerates

from core.cli import main
from core.evaluation.coco_metrics import evaluate
from core.runs import tracking
from core.runs.folder import RunFolder
from core.runs.tracking import PROJECT, record_values
from core.training.records import EvaluationProgress, EvaluationRecord, HeldOutLosses, StepRecord

TINY = {
    "model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 0, "model.freeze_stages": 5,
    "model.batch_norm": "frozen", "inference.image_size": 64, "scenes.image_size": 64, "scenes.min_size": 0.3,
    "training.batch_size": 1, "training.steps": 2, "training.eval_images": 1,
}  # fmt: skip
FLAGS = ["--workers=0", *(f"--{path}={value}" for path, value in TINY.items())]


class FakeTracker(accelerates.GeneralTracker):
    """A fake tracker that records what is logged."""

    name, requires_logging_directory, main_process_only = "fake", False, True
    runs: list["FakeTracker"] = []  # noqa: RUF012 (of the test that uses it)
    tracker = None

    def __init__(self, run_name, **_):
        super().__init__()
        self.run_name, self.settings, self.records, self.finished = run_name, {}, [], 0

    def start(self):
        self.runs.append(self)

    def store_init_configuration(self, values):
        self.settings = values

    def log(self, values, step, **_):
        self.records.append((step, values))

    def finish(self):
        self.finished += 1


class Broken(FakeTracker):
    name = "fake"

    def start(self):
        raise RuntimeError("no key:\nlog in")


@pytest.fixture
def tracked(monkeypatch):
    """The runs logged to the fake tracker."""
    monkeypatch.setitem(accelerates.LOGGER_TYPE_TO_CLASS, "fake", FakeTracker)
    monkeypatch.setattr("core.cli.flags.TRACKERS", ("fake",))
    monkeypatch.setattr("core.runs.tracking.require_installed", lambda _: None)
    monkeypatch.setattr(FakeTracker, "runs", [])
    return FakeTracker.runs


@pytest.mark.slow
def test_steps_evaluations_and_settings_are_logged(tmp_path, tracked):
    assert main.main(["train", "--out", str(tmp_path / "run"), "--track", "fake", *FLAGS]) == 0
    (run,) = tracked
    assert run.run_name == PROJECT and run.finished == 1
    assert run.settings["model.fpn_channels"] == 32 and run.settings["anchors.ratios"] == "0.5,1.0,2.0"
    assert [step for step, _ in run.records] == [1, 2, 2]
    metrics = RunFolder(tmp_path / "run").read_metrics()
    first = {f"training/{key}": value for key, value in metrics[0].items() if f"training/{key}" in run.records[0][1]}
    assert run.records[0][1] == first and "training/classification" in first and "training/learning_rate" in first
    assert all(name.startswith("evaluation/") for name in run.records[2][1])


@pytest.mark.slow
def test_a_tracker_that_does_not_start_is_named(tmp_path, tracked, monkeypatch, capsys):
    monkeypatch.setitem(accelerates.LOGGER_TYPE_TO_CLASS, "fake", Broken)
    assert main.main(["train", "--out", str(tmp_path / "run"), "--track", "fake", *FLAGS]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == "error: fake does not start (no key: log in): set it up, or omit --track."


def test_a_tracker_that_is_not_installed_is_named_before_anything_is_made(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tracking.importlib.util, "find_spec", lambda name: None)
    assert main.main(["train", "--out", str(tmp_path / "run"), "--track", "wandb", *FLAGS]) == 1
    assert "error: wandb is not installed: pip install -r requirements-trackers.txt." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_there_are_three(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main.main(["train", "--out", str(tmp_path / "run"), "--track", "paper"])
    assert "'tensorboard', 'wandb', 'trackio'" in capsys.readouterr().err


def test_undefined_metrics_are_not_logged():
    nothing = EvaluationRecord(3, evaluate([], [], ("a",)), HeldOutLosses(math.nan, math.nan))
    assert record_values(nothing) == {}
    losses = {"evaluation/classification_loss": 0.5, "evaluation/box_loss": 0.25}
    assert record_values(nothing._replace(losses=HeldOutLosses(0.5, 0.25))) == losses
    assert record_values(nothing._replace(rare_ap=0.5)) == {"evaluation/rare_ap": 0.5}
    step = StepRecord(1, 2.0, 0.5, 0.1, 7, 1.5, 4.0)
    assert set(record_values(step)) == {f"training/{name}" for name in StepRecord._fields[1:-1]}  # not the shares
    assert EvaluationProgress not in (type(nothing), type(step))


@pytest.mark.skipif(
    importlib.util.find_spec("tensorboard") is None,
    reason="TensorBoard is not installed: pip install -r requirements-trackers.txt",
)
def test_tensorboard_reads_back_what_was_logged(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert main.main(["train", "--out", str(tmp_path / "run"), "--track", "tensorboard", *FLAGS]) == 0
    events = EventAccumulator(str(tmp_path / "run" / PROJECT)).Reload()
    kept = [(each.step, each.value) for each in events.Scalars("training/classification")]
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    steps = [each for each in map(json.loads, lines) if "classification" in each]
    assert kept == [(each["step"], pytest.approx(each["classification"])) for each in steps] and len(kept) == 2
