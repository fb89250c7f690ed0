"""The command `find-lr`."""

import json
import signal

import pytest

from core.cli import main
from core.cli.training import find_lr as command
from core.cli.training.find_lr import format_curve
from core.training.rate_finder import STEPS, RateCurve
from core.training.records import StepRecord
from tests.core.tiny import TINY

LOSSES = [2.0] * 40 + [2 - 0.1 * step for step in range(10)] + [1.0] * 20 + [1.0 + step for step in range(30)]


@pytest.fixture
def replayed(monkeypatch):
    """Replaces the test by given losses; the rates are those of ten steps a decade from 1e-5 on."""

    def replace(losses: list[float], *, then=lambda: None) -> list[dict]:
        asked = []

        def find_rates(config, source, accelerator, **options):
            asked.append({"config": config, "source": source, **options})
            for step, loss in enumerate(losses):
                yield StepRecord(step + 1, loss - 0.25, 0.25, 1e-5 * 10 ** (step / 10), 1, 1.0, 1.0)
                then()

        monkeypatch.setattr(command, "find_rates", find_rates)
        return asked

    return replace


def test_it_prints_the_curve_and_the_suggestion(replayed, tmp_path, capsys):
    asked = replayed(LOSSES)
    assert main.main(["find-lr", "--data", "mine", "--workers", "3", "--json", str(tmp_path / "r.json")]) == 0
    output = capsys.readouterr().out
    assert "Try --training.learning_rate 0.32: there the loss falls fastest" in output  # step 45: 1e-5 · 10^4.5
    assert "It is lowest at 3.2." in output
    assert sum("← suggestion" in line for line in output.splitlines()) == 1
    assert asked[0]["source"] == "mine" and asked[0]["workers"] == 3
    result = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert result["losses"] == pytest.approx(LOSSES) and len(result["rates"]) == len(result["averages"]) == 100
    assert result["suggestion"] == pytest.approx(10**-0.5) and not result["stopped"]


def test_without_a_clear_fall_it_suggests_nothing(replayed, capsys):
    replayed([1.0] * 50)
    assert main.main(["find-lr"]) == 0
    output = capsys.readouterr().out
    assert "No suggestion: at no rate does the loss fall by 20%." in output and "←" not in output


def test_it_can_be_stopped(replayed, tmp_path, capsys):
    replayed(LOSSES, then=lambda: signal.raise_signal(signal.SIGINT))
    assert main.main(["find-lr", "--json", str(tmp_path / "r.json")]) == 0
    assert f"Stopped after 2 of {STEPS} steps: no suggestion." in capsys.readouterr().out
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["stopped"]


def test_flags_without_effect_are_named(replayed, capsys):
    replayed([1.0])
    assert main.main(["find-lr", "--training.learning_rate", "0.1", "--steps", "9", "--training.optimizer", "sgd"]) == 0
    notes = capsys.readouterr().err
    assert "--training.learning_rate has no effect: find-lr does not use it." in notes
    assert "--training.steps has no effect" in notes and "optimizer" not in notes


def test_the_curve_is_drawn_by_hand(monkeypatch):
    curve = RateCurve((1e-6, 1e-5, 1e-4), (4.0, 1.0, 9.0), (4.0, 1.0, 9.0), 1e-5, 1e-5)
    monkeypatch.setattr(command, "EVERY", 1)
    assert format_curve(curve).splitlines() == [
        "learning rate   loss",
        f"      1.0e-06      4  {'█' * 40}",
        f"      1.0e-05      1  {'█' * 10}  ← suggestion",
        f"      1.0e-04      9  {'█' * 48}…",
    ]
    assert format_curve(RateCurve((), (), (), None, None)) == "learning rate   loss"


@pytest.mark.slow
def test_a_real_test_is_repeatable_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("core.training.rate_finder.STEPS", 3)
    flags = [f"--{path}={value}" for path, value in {**TINY, "training.eval_interval": 0}.items()]
    for name in ("one.json", "two.json"):
        assert main.main(["find-lr", *flags, "--json", name]) == 0
    one, two = (json.loads((tmp_path / name).read_text("utf-8")) for name in ("one.json", "two.json"))
    assert one == two and len(one["losses"]) >= 3 and one["rates"][0] == 1e-6
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one.json", "two.json"]
