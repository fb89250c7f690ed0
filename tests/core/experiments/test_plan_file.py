"""A comparison's folder tells which settings its runs were started with, and refuses others."""

import json

import pytest

from core.config import Config
from core.experiments.comparison import run_comparison
from core.experiments.plan_file import NAME, keep_plan
from core.experiments.presets import PRESETS
from core.runs.folder import RunError


def config(**settings) -> Config:
    return Config.from_flat({path.replace("__", "."): value for path, value in settings.items()})


def test_the_same_settings_and_further_runs_are_welcome(tmp_path):
    folder = tmp_path / "new" / "comparison"
    one = config(training__steps=5, anchors__ratios=(0.5, 1.0, 2.0))
    keep_plan(folder, {"1-seed-0": one})
    keep_plan(folder, {"1-seed-0": one, "1-seed-1": config(training__steps=5, training__seed=1)})
    keep_plan(folder, {"1-seed-0": one})
    assert set(json.loads((folder / NAME).read_text("utf-8"))) == {"1-seed-0", "1-seed-1"}


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (config(training__steps=6), "training.steps = 5, not 6"),
        (config(), "training.steps = 5, not the default"),
        (config(training__steps=5, loss__gamma=1), "loss.gamma = the default, not 1"),
    ],
)
def test_other_settings_are_refused_and_change_nothing(tmp_path, other, told):
    keep_plan(tmp_path, {"1-seed-0": config(training__steps=5)})
    (tmp_path / "1-seed-0").mkdir()
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(RunError, match=told):
        keep_plan(tmp_path, {"2-seed-0": config(), "1-seed-0": other})
    assert (tmp_path / NAME).read_bytes() == before


def test_settings_with_which_nothing_was_trained_can_be_changed(tmp_path):
    keep_plan(tmp_path, {"1-seed-0": config(model__weights="not-there.pth")})
    keep_plan(tmp_path, {"1-seed-0": config()})
    (tmp_path / "1-seed-0").mkdir()
    keep_plan(tmp_path, {"1-seed-0": config()})


@pytest.mark.parametrize("damage", ["", "[]", '{"1-seed-0": 3}', "{" * 100_000])
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path, damage):
    (tmp_path / NAME).write_text(damage)
    with pytest.raises(RunError, match="cannot be read"):
        keep_plan(tmp_path, {"1-seed-0": config()})


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be begun"):
        keep_plan(tmp_path / "file" / "comparison", {"1-seed-0": config()})


def test_runs_of_another_preset_are_not_taken_for_those_of_this_one(tmp_path):
    keep_plan(tmp_path, {"1-seed-0": PRESETS["loss"].config(PRESETS["loss"].variants[0], 0)})
    (tmp_path / "1-seed-0").mkdir()
    with pytest.raises(RunError, match="was started with"):
        next(run_comparison(PRESETS["gamma"], tmp_path))
