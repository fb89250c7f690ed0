"""The exported zip: its script runs without this project and detects the same objects."""

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.cli import main
from core.config import Config, ConfigError
from core.data.images import open_image
from core.export.bundle import (
    PACKAGES,
    REQUIREMENTS,
    SCRIPT,
    SETTINGS,
    WEIGHTS,
    build_picture_reader,
    build_script,
    write_bundle,
)
from core.retinanet.model import build_model
from core.retinanet.predict import detect
from core.weights.sources import WeightsError, adopt, build, load_weights, save_weights
from tests.core.networks import CONFIG, NAMES

OWN_CLASSES = ('red "cell"', "it's\na trap')\nraise SystemExit(7)  #", "Thrombozyt ß")


def pixels(*shape: int) -> np.ndarray:
    """Noise of uint8."""
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1)).numpy()


def palette(transparent: int) -> Image.Image:
    picture = Image.fromarray(pixels(75, 110, 3)).quantize(16)
    picture.info["transparency"] = transparent
    return picture


def rotated() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


RGB, GREY = Image.fromarray(pixels(75, 110, 3)), pixels(75, 110)
PICTURES = {  # a picture and how it is saved; all hold noise, in which the built-in detector finds something
    "a.png": (RGB, {}),
    "16 bits.png": (Image.fromarray(GREY.astype(np.uint16) * 200), {}),
    "16 bits.tif": (Image.fromarray(GREY.astype(np.uint16) * 257), {}),
    "32 bits.tif": (Image.fromarray(GREY.astype(np.int32) * 100), {}),
    "fractions.tif": (Image.fromarray(GREY.astype(np.float32) / 255), {}),
    "transparent.png": (Image.fromarray(pixels(75, 110, 4)), {}),
    "grey transparent.png": (Image.fromarray(pixels(75, 110, 2), mode="LA"), {}),
    "palette.png": (palette(3), {}),
    "palette.gif": (palette(5), {"transparency": 5}),
    "colour key.png": (RGB, {"transparency": tuple(pixels(75, 110, 3)[0, 0].tolist())}),
    "four inks.jpg": (Image.fromarray(pixels(75, 110, 4), mode="CMYK"), {}),
    "turned.jpg": (RGB, {"exif": rotated()}),
    "turned 16 bits.png": (Image.fromarray(GREY.astype(np.uint16) * 200), {"exif": rotated()}),
    "grey.jpg": (Image.fromarray(GREY), {}),
    "one bit.png": (Image.fromarray(GREY).convert("1"), {}),
    "film.gif": (RGB, {"save_all": True, "append_images": [Image.new("RGB", (110, 75), "red")]}),
}


@pytest.fixture
def pictures(tmp_path) -> list[Path]:
    for name, (picture, options) in PICTURES.items():
        picture.save(tmp_path / name, **options)
    return [tmp_path / name for name in PICTURES]


def run_script(folder: Path, *pictures: Path) -> subprocess.CompletedProcess:
    """Runs the script in a process that cannot import this project."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-P", str(folder / SCRIPT), *map(str, pictures)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=250)


@pytest.mark.slow
def test_the_script_detects_the_same_objects(tmp_path, pictures):
    weights, exact = load_weights("builtin"), str(tmp_path / "exact.safetensors")
    other = {"anchors.convention": "exact", "inference.score_threshold": 0.02, "inference.image_size": 128}
    config = adopt(Config(), weights).replace(other)
    model = build(config, weights)
    save_weights(exact, model, config, weights.class_names, weights.category_ids)
    settings = ["--weights", exact, "--inference.score_threshold", "0.02"]
    assert main.main(["export", *settings, "--out", str(tmp_path / "mine.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        assert sorted(archive.namelist()) == sorted([WEIGHTS, SETTINGS, SCRIPT, REQUIREMENTS])
        archive.extractall(tmp_path / "home")
    done = run_script(tmp_path / "home", tmp_path / "none.png", *pictures)
    assert done.returncode == 1
    assert done.stderr == f"error: The picture {tmp_path / 'none.png'} does not exist: check the path.\n"
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for picture in pictures:
        expected = detect(model, [open_image(picture)], config)[0]
        found = [line for line in lines if line["picture"] == str(picture)]
        assert [each["label"] for each in found] == expected.labels.tolist()
        assert [each["class"] for each in found] == [weights.class_names[label] for label in expected.labels]
        assert torch.allclose(torch.tensor([each["score"] for each in found]), expected.scores, atol=1e-5)
        assert torch.allclose(torch.tensor([each["box"] for each in found]).view(-1, 4), expected.boxes, atol=1e-3)
        assert len(found) > 0


def test_the_script_opens_pictures_as_the_library_does(pictures, tmp_path):
    names: dict = {}
    exec(compile(build_picture_reader(), SCRIPT, "exec"), names)
    for picture in pictures:
        assert torch.equal(names["decode_image"](picture), open_image(picture)), picture.name
    (tmp_path / "cut.png").write_bytes(pictures[0].read_bytes()[:3000])
    with pytest.raises(names["PictureError"], match=r"cut\.png cannot be decoded"):
        names["decode_image"](tmp_path / "cut.png")
    with pytest.raises(names["PictureError"], match="too elongated"):
        names["require_usable_sides"](1, 2000, 1333)


def test_the_script_imports_what_it_requires_and_nothing_from_here():
    imported = set()
    for node in ast.walk(ast.parse(build_script(CONFIG, NAMES))):
        if isinstance(node, ast.Import):
            imported |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    assert imported - sys.stdlib_module_names == {"pillow": "PIL"}.keys() ^ {*PACKAGES, "PIL"}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("inference.nms_kind", "soft"),
        ("inference.nms_kind", "diou"),
        ("inference.class_agnostic_nms", True),
        ("inference.tile_size", 256),
        ("inference.precision", "bf16"),
        ("inference.test_time_flip", True),
    ],
)
def test_what_torchvision_cannot_do_is_refused(setting, value, tmp_path):
    with torch.device("meta"):
        model = build_model(CONFIG.model, num_classes=3, anchors_per_location=3)
    with pytest.raises(ConfigError, match=rf"{setting} = \w+ is not supported by torchvision's RetinaNet: set it to"):
        write_bundle(tmp_path / "mine.zip", model, CONFIG.replace({setting: value}), NAMES, range(3))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("norm_eps", [1e-5, 0.0])
def test_the_script_builds_the_same_network(norm_eps, monkeypatch):
    """Class names are untrusted: the script contains them as string literals."""
    names: dict = {"__file__": "detect.py", "__name__": "detect"}
    config = CONFIG.replace({"model.norm_eps": norm_eps})
    state = build_model(config.model, num_classes=3, anchors_per_location=3).state_dict()
    monkeypatch.setattr("safetensors.torch.load_file", lambda path: state)
    exec(compile(build_script(config, OWN_CLASSES), SCRIPT, "exec"), names)
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
