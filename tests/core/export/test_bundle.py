"""The exported zip: its script runs without this project and detects the same objects."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from core.cli import main
from core.config import Config
from core.data.images import open_image
from core.export.bundle import PACKAGES, REQUIREMENTS, SCRIPT, SETTINGS, WEIGHTS, build_script, write_bundle
from core.retinanet.model import build_model
from core.retinanet.predict import detect
from core.weights.sources import WeightsError, adopt, build, load_weights, save_weights
from tests.core.networks import CONFIG, NAMES

OWN_CLASSES = ('red "cell"', "it's\na trap')\nraise SystemExit(7)  #", "Thrombozyt ß")


@pytest.fixture
def picture(tmp_path) -> Path:
    pixels = torch.randint(256, (75, 110, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    Image.fromarray(pixels.numpy()).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def run_script(folder: Path, picture: Path) -> list[dict]:
    """Runs the script in a process that cannot import this project."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-P", str(folder / SCRIPT), str(picture)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_the_script_detects_the_same_objects(tmp_path, picture):
    assert main.main(["export", "--weights", "builtin", "--out", str(tmp_path / "mine.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        assert sorted(archive.namelist()) == sorted([WEIGHTS, SETTINGS, SCRIPT, REQUIREMENTS])
        archive.extractall(tmp_path / "home")
    weights = load_weights("builtin")
    config = adopt(Config(), weights)
    expected = detect(build(config, weights), [open_image(picture)], config)[0]
    found = run_script(tmp_path / "home", picture)
    assert [each["class"] for each in found] == [weights.class_names[label] for label in expected.labels]
    assert torch.allclose(torch.tensor([each["score"] for each in found]), expected.scores, atol=1e-5)
    assert torch.allclose(torch.tensor([each["box"] for each in found]).view(-1, 4), expected.boxes, atol=1e-3)
    assert len(found) > 0 and {each["picture"] for each in found} == {str(picture)}


def test_the_settings_match_the_weights(tmp_path):
    model = build_model(CONFIG.model, num_classes=3, anchors_per_location=3)
    write_bundle(tmp_path / "mine.zip", model, CONFIG, NAMES, range(3))
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        archive.extractall(tmp_path)
    config = Config.from_file(tmp_path / SETTINGS)
    assert config == CONFIG.replace({"model.weights": WEIGHTS})
    loaded = load_weights(str(tmp_path / WEIGHTS))
    assert loaded.class_names == NAMES and adopt(config.replace({"model.weights": str(tmp_path / WEIGHTS)}), loaded)
    wanted = (tmp_path / REQUIREMENTS).read_text().splitlines()
    assert [line.split("==")[0] for line in wanted] == list(PACKAGES) and not any("+" in line for line in wanted)


@pytest.mark.parametrize("norm_eps", [1e-5, 0.0])
def test_the_script_builds_the_same_network(norm_eps, monkeypatch):
    """Class names are untrusted: the script contains them as string literals."""
    names: dict = {"__file__": "detect.py", "__name__": "detect"}
    state = build_model(CONFIG.model, num_classes=3, anchors_per_location=3, norm_eps=norm_eps).state_dict()
    monkeypatch.setattr("safetensors.torch.load_file", lambda path: state)
    exec(compile(build_script(CONFIG, OWN_CLASSES, norm_eps=norm_eps), SCRIPT, "exec"), names)
    assert names["CLASSES"] == OWN_CLASSES
    assert names["model"].backbone.body["bn1"].eps == norm_eps and not names["model"].training


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    model = build_model(CONFIG.model, num_classes=3, anchors_per_location=3)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.export.bundle.save_weights", full)
    with pytest.raises(WeightsError, match=r"mine\.zip cannot be written"):
        write_bundle(tmp_path / "mine.zip", model, CONFIG, NAMES, range(3))
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_other_endings(tmp_path, capsys):
    save_weights(
        tmp_path / "w.safetensors",
        build_model(CONFIG.model, num_classes=3, anchors_per_location=3),
        CONFIG,
        NAMES,
        range(3),
    )
    for name in ("a.exe", "zip"):
        assert main.main(["export", "--weights", str(tmp_path / "w.safetensors"), "--out", str(tmp_path / name)]) == 1
        assert "it must end in .safetensors, .pth, .pt, .zip, .onnx" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["w.safetensors"]
