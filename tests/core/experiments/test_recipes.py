import json

import pytest

from core.cli import main, running
from core.config import Config, ConfigError, knobs
from core.experiments.recipes import RECIPES, apply_recipe, list_overridden
from core.runs.folder import RunFolder
from core.weights.architecture import SHAPE_SETTINGS
from core.weights.sources import adopt, load_weights, weights_for
from tests.core.made_data import yolo
from tests.core.tiny import TINY

EVERY = pytest.mark.parametrize("name", RECIPES)


@EVERY
def test_a_recipe_sets_its_values_and_nothing_else(name):
    config = apply_recipe(name, Config())
    differing = {**RECIPES[name].changes, **config.non_default_values()}
    assert differing == dict(RECIPES[name].changes)
    assert all(config.to_flat()[path] == value for path, value in RECIPES[name].changes.items())
    assert list_overridden(name, config) == {}


@EVERY
def test_explicit_settings_win(name):
    path = next(iter(RECIPES[name].changes))
    own = Config.from_flat({path: knobs()[path].default, "training.steps": 7})
    config = apply_recipe(name, own)
    assert config.to_flat()[path] == own.to_flat()[path] and config.training.steps == 7
    assert list_overridden(name, config).keys() <= {path, "training.steps"}
    assert "training.steps" in list_overridden(name, config)


@EVERY
def test_a_recipe_leaves_to_the_weights_what_is_theirs(name):
    theirs = {path for path in load_weights("builtin").settings if not path.startswith("training.")}
    of_weights = (*SHAPE_SETTINGS, *theirs, "model.weights", "model.heads")
    assert not [path for path in RECIPES[name].changes if path in of_weights or path.startswith("anchors.")]


@EVERY
@pytest.mark.parametrize("weights", ["builtin", "random"])
def test_a_recipe_suits_every_start(name, weights):
    config = apply_recipe(name, Config.from_flat({"model.weights": weights}))
    adopted = adopt(config, weights_for(config))
    assert all(adopted.to_flat()[path] == value for path, value in RECIPES[name].changes.items())


def test_the_command_line_applies_it_before_file_and_flags(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"training": {"batch_size": 3}}))
    given = ["train", "--out", "x", "--recipe", "few-pictures", "--config", str(file), "--steps", "7"]
    changes = {**RECIPES["few-pictures"].changes, "training.batch_size": 3, "training.steps": 7}
    assert running.build_config(main.parse(given)) == Config.from_flat(changes)
    assert running.build_config(main.parse(["train", "--out", "x"])) == Config()


def test_an_unknown_recipe_is_refused_and_the_known_are_listed(capsys):
    with pytest.raises(SystemExit):
        main.parse(["train", "--out", "x", "--recipe", "cake"])
    assert "few-pictures" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main.parse(["train", "--help"])
    assert "few-pictures" in capsys.readouterr().out


def test_a_setting_that_contradicts_it_is_named(capsys, tmp_path):
    with pytest.raises(ConfigError, match=r"training\.early_stopping .* needs evaluations"):
        apply_recipe("few-pictures", Config.from_flat({"training.eval_interval": 0, "training.early_stopping": 1}))


@pytest.mark.slow
def test_a_run_notes_its_recipe(tmp_path, capsys):
    data = yolo(tmp_path / "set", {f"p{number}": "0 0.5 0.5 0.5 0.5" for number in range(20)})
    few = {**TINY, "training.steps": 2, "training.early_stopping": 0}
    flags = [f"--{path}={value}" for path, value in few.items() if not path.startswith("scenes.")]
    out = tmp_path / "run"
    command = ["train", "--data", str(data), "--out", str(out), "--workers", "0", *flags]
    assert main.main([*command, "--recipe", "few-pictures"]) == 0
    printed = capsys.readouterr().out
    assert (
        "Recipe few-pictures, a detector from a few pictures: " in printed
        and "Your settings instead: " in printed
        and "training.steps = 2" in printed
    )
    assert RunFolder(out).read_about().recipe == "few-pictures"
    assert main.main([*command, "--resume"]) == 0
    assert RunFolder(out).read_about().recipe == "few-pictures"
