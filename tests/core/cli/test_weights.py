"""What the commands say about weights that do not say it themselves, and settings that contradict weights."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from core.cli import main
from core.config import Config
from core.io.text import join_names
from core.retinanet.model import build_model
from core.runs.folder import RunFolder
from core.scenes.render import CLASS_NAMES
from core.weights.assumptions import describe_names
from core.weights.sources import load_weights, save_weights

TINY = {"model.fpn_channels": 32, "model.num_convs": 0, "model.head_norm": "none"}
STATED = ("--inference.image_size", 64, "--inference.max_image_size", 1333, "--model.norm_eps", "1e-5")
ONE = ("--images", 1, "--scenes.image_size", 64, "--scenes.min_size", 0.3)


def call(*arguments: object) -> int:
    return main.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """A state dict without a description, wrapped as Lightning does."""
    torch.manual_seed(0)
    model = build_model(Config.from_flat(TINY).model, num_classes=len(CLASS_NAMES), anchors_per_location=9)
    path = tmp_path_factory.mktemp("bare") / "last.ckpt"
    torch.save({"epoch": 1, "state_dict": {f"model.{key}": value for key, value in model.state_dict().items()}}, path)
    return path


@pytest.fixture(scope="module")
def described(tmp_path_factory) -> Path:
    config = Config.from_flat({**TINY, "inference.image_size": 64, "anchors.size_p3": 20})
    model = build_model(config.model, num_classes=len(CLASS_NAMES), anchors_per_location=9)
    path = tmp_path_factory.mktemp("described") / "mine.pth"
    save_weights(path, model, config, CLASS_NAMES, range(1, len(CLASS_NAMES) + 1))
    return path


@pytest.mark.slow
def test_evaluate_says_and_records_what_is_assumed(bare, tmp_path, capsys):
    record = tmp_path / "result.json"
    assert call("evaluate", "--weights", bare, *ONE, *STATED, "--json", record) == 0
    settings, names = capsys.readouterr().err.removeprefix("note: ").removesuffix("\n").split("\nnote: ")
    first, *lines, last = settings.splitlines()
    assert first.startswith(f"{bare} does not say with which settings it was trained. Those of torchvision are")
    assert lines[0].startswith("  --anchors.size_p3 32.0, --anchors.size_p4 64.0") and "image_size" not in settings
    assert max(map(len, lines)) <= 100 and last == "  Override any that are wrong."
    assert names.endswith(
        f"those of the data set are assumed, in its order ({join_names(CLASS_NAMES)}). On the command line, --classes "
        "names them; export writes them to a file."
    )
    found = json.loads(record.read_text())["about_weights"]
    assert found["assumed"]["anchors.size_p7"] == 512 and found["assumed"]["classes"] == list(CLASS_NAMES)
    assert found["notes"] == [settings, names]


@pytest.mark.slow
def test_export_writes_what_was_stated(bare, tmp_path, capsys):
    anchors = [
        each for level, size in zip("34567", (16, 32, 64, 128, 256), strict=True)
        for each in (f"--anchors.size_p{level}", size)
    ]  # fmt: skip
    rest = ("--anchors.scales", "1,1.26,1.587", "--anchors.ratios", "2,1,0.5", "--anchors.convention", "exact")
    out, names = tmp_path / "mine.safetensors", ",".join(f"c{label}" for label in range(len(CLASS_NAMES)))
    assert call("export", "--weights", bare, *STATED, *anchors, *rest, "--classes", names, "--out", out) == 0
    assert capsys.readouterr().err == f"note: {describe_names('--classes', names.split(','))}\n"
    found = load_weights(str(out))
    assert found.assumed == () and ",".join(found.class_names) == names
    assert found.settings["anchors.ratios"] == (2.0, 1.0, 0.5) and found.settings["anchors.scales"] == (
        1.0,
        1.26,
        1.587,
    )


@pytest.mark.slow
def test_detect_names_classes(bare, tmp_path, capsys):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    assert call("detect", tmp_path / "a.png", "--weights", bare, "--classes", "a,b") == 2
    assert "--classes names 2 classes, but the weights" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        call("detect", tmp_path / "a.png", "--weights", bare, "--classes", "a,,b")
    assert "is not a list of different names" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--anchors.ratios", "2,1,0.5"), "anchors.ratios = 2.0,1.0,0.5 contradicts"),
        (("--anchors.size_p3", 16), "anchors.size_p3 = 16.0 contradicts"),
        (("--model.norm_eps", 0), "model.norm_eps = 0.0 contradicts"),
        (("--anchors.convention", "exact"), "anchors.convention = exact contradicts"),
    ],
)
def test_contradicting_flags_are_refused_by_every_command(described, tmp_path, capsys, flags, message):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    for command in (
        ("evaluate", *ONE),
        ("detect", tmp_path / "a.png"),
        ("export", "--out", tmp_path / "b.pth"),
        ("train", "--out", tmp_path / "run"),
    ):
        assert call(*command, "--weights", described, *flags) == 1
        line = capsys.readouterr().err
        assert line.startswith(f"error: {message} the weights {described}, which were trained with ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.slow
def test_settings_copied_from_another_run_are_no_exception(described, tmp_path, capsys):
    copied = Config.from_flat({**TINY, "inference.image_size": 64})  # trained with another size of anchors
    (tmp_path / "config.json").write_text(copied.to_json())
    assert call("evaluate", *ONE, "--weights", described, "--config", tmp_path / "config.json") == 1
    assert "anchors.size_p3 = 16.0 contradicts the weights" in capsys.readouterr().err


@pytest.mark.slow
def test_another_picture_size_is_noted(described, capsys):
    assert call("evaluate", *ONE, "--weights", described, "--inference.image_size", 96) == 0
    assert capsys.readouterr().err == f"note: --inference.image_size is 96, but {described} was trained with 64.\n"


@pytest.mark.slow
def test_train_says_and_records_what_is_assumed(bare, described, tmp_path, capsys):
    short = ("--steps", 1, "--training.batch_size", 1, "--training.warmup_steps", 0, *ONE, "--workers", 0)
    assert call("train", "--weights", bare, *STATED, *short, "--out", tmp_path / "run") == 0
    shown = "".join(
        line for line in capsys.readouterr().err.splitlines(True) if line.startswith(("note: ", "  --", "  Over"))
    )
    notes = shown.removeprefix("note: ").removesuffix("\n").split("\nnote: ")
    assert "--anchors.size_p3 32.0" in notes[0] and "does not name its" in notes[1]
    assert notes[2:] == [f"The classes are not those of {bare}: the last class layer starts anew."]
    about = RunFolder(tmp_path / "run").read_about()
    assert about.weights["notes"] == notes and about.weights["assumed"]["anchors.size_p3"] == 32
    assert call("train", "--weights", described, *short, "--model.heads", "new", "--anchors.size_p3", 12,
                "--out", tmp_path / "new") == 0  # fmt: skip
    assert RunFolder(tmp_path / "new").read_about().weights == {"assumed": {}, "notes": []}
    found = load_weights(str(tmp_path / "new" / "weights.safetensors"))
    assert found.settings["anchors.size_p3"] == 12 and found.assumed == ()


@pytest.mark.slow
def test_the_settings_of_a_run_are_those_of_its_weights(tmp_path, capsys):
    """Live batch norms change an ε of 0; the run says so, and is resumed and evaluated with its own settings."""
    config = Config.from_flat({**TINY, "inference.image_size": 64, "model.norm_eps": 0.0})
    model = build_model(config.model, num_classes=len(CLASS_NAMES), anchors_per_location=9)
    save_weights(tmp_path / "zero.pth", model, config, CLASS_NAMES, range(len(CLASS_NAMES)))
    run, short = tmp_path / "run", ("--training.batch_size", 2, "--training.warmup_steps", 0, *ONE, "--workers", 0)
    assert call("train", "--weights", tmp_path / "zero.pth", "--steps", 1, *short, "--out", run) == 0
    assert Config.from_file(run / "config.json").model.norm_eps == 1e-5
    assert load_weights(str(run / "weights.safetensors")).settings["model.norm_eps"] == 1e-5
    assert call("train", "--steps", 2, "--out", run, "--resume", "--workers", 0) == 0
    given = ("--config", run / "config.json", "--weights", run / "weights.safetensors")
    assert call("evaluate", *given, "--images", 1) == 0
    assert "error" not in capsys.readouterr().err
