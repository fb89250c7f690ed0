"""The command line, called in this process except where a process of its own is tested."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO
from safetensors.torch import load_file
from torchvision.models.detection import RetinaNet as TorchvisionRetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.resnet import resnet18
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from core.cli import main, running
from core.config import Config, knobs
from core.data.images import open_image
from core.retinanet import predict
from core.retinanet.predict import detect
from core.runs.folder import FINISHED, RunFolder
from core.scenes.render import CLASS_NAMES
from core.training.distributed import make_accelerator
from core.weights.sources import adopt, build, load_weights, save_weights
from tests.core import made_data
from tests.core.networks import spread_scores

SHAPE = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "model.batch_norm": "frozen"}
SIZES = {"inference.image_size": 64, "scenes.image_size": 64, "scenes.min_size": 0.3}
SHORT = {"training.batch_size": 2, "training.steps": 2, "training.eval_images": 2, "training.warmup_steps": 0}
TINY = {**SHAPE, **SIZES, **SHORT}
IDS = (2, 5, 9)  # category ids of the data set
ROOT = Path(__file__).parents[3]


def flags(settings: dict) -> list[str]:
    return [f"--{path}={value}" for path, value in settings.items()]


def run(*arguments: object) -> None:
    assert main.main([str(argument) for argument in arguments]) == 0


def refused(capsys, *arguments: object) -> tuple[int, str]:
    """Returns the exit status and the only line of the error output."""
    capsys.readouterr()
    try:
        status = main.main([str(argument) for argument in arguments])
    except SystemExit as end:  # how argparse refuses
        status = end.code
    *nothing, line = capsys.readouterr().err.splitlines()
    assert not nothing and line.startswith("error: ") and "Traceback" not in line
    return status, line


def remains(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def categories_content() -> dict:
    content = made_data.coco_content()
    content["categories"].append({"id": 5, "name": "bird"})
    content["annotations"].append({"id": 3, "image_id": 3, "category_id": 5, "bbox": [5, 5, 20, 20], "iscrowd": 0})
    return content


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A data set in COCO format with three classes."""
    folder = tmp_path_factory.mktemp("data")
    for split in ("train", "val", "test"):
        made_data.coco(folder / split, categories_content(), split)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run on scenes, with the result written by --json."""
    folder = tmp_path_factory.mktemp("trained")
    run(
        "train",
        "--data",
        "scenes",
        "--out",
        folder / "run",
        "--json",
        folder / "run.json",
        "--workers",
        0,
        *flags(TINY),
    )
    return folder


@pytest.fixture(scope="module")
def weights(trained) -> Path:
    return trained / "run" / "weights.safetensors"


@pytest.fixture(scope="module")
def tuned(weights, data, tmp_path_factory) -> Path:
    """The run's weights trained on the data set's classes, at a learning rate of 0."""
    folder = tmp_path_factory.mktemp("tuned")
    settings = {"model.batch_norm": "frozen", "training.learning_rate": 0, **SIZES, **SHORT}
    run("train", "--data", data, "--weights", weights, "--out", folder / "run", "--workers", 0, *flags(settings))
    return folder / "run" / "weights.safetensors"


@pytest.fixture
def picture(tmp_path) -> Path:
    made_data.picture(tmp_path / "photo.png", (90, 60))
    return tmp_path / "photo.png"


# Flags.


@pytest.mark.parametrize("command", ["train", "evaluate", "detect", "export"])
def test_every_hyperparameter_is_a_flag_with_its_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        main.main([command, "--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert [path for path in knobs() if f"--{path} " not in text] == []
    assert "--weights" in text and "--steps" in text and "--images" in text
    assert "how strongly easy examples are down-weighted" in " ".join(text.split()).lower()


def other_value(knob) -> object:
    if knob.kind == "choice":
        return next(choice for choice in knob.choices if choice != knob.default)
    if knob.kind == "bool":
        return not knob.default
    if knob.kind == "text":
        return "random"
    if knob.kind == "list":
        return knob.default[:1] if len(knob.default) > 1 else (*knob.default, 2 * knob.default[0])
    return knob.ge if knob.default != knob.ge else knob.le


@pytest.mark.slow
def test_every_flag_sets_its_hyperparameter():
    for path, knob in knobs().items():
        value = other_value(knob)
        settings = {path: value}
        if path == "matching.fg_iou_threshold":
            settings["matching.bg_iou_threshold"] = value
        elif path == "scenes.max_size":
            settings["scenes.min_size"] = value
        elif path == "scenes.max_objects":
            settings["scenes.min_objects"] = value
        elif path == "training.cache_features":
            settings["model.freeze_stages"] = 5
        text = {key: ",".join(map(str, each)) if isinstance(each, tuple) else each for key, each in settings.items()}
        found = running.build_config(main.parse(["export", "--out", "x", *flags(text)]))
        assert found == Config.from_flat(settings), path
        assert found.to_flat()[path] != knob.default, path


def test_short_flags_and_settings_from_a_file(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"loss": {"gamma": 1, "alpha": 0.5}, "training": {"steps": 7}}))
    given = ["--config", str(file), "--steps=9", "--loss.alpha", "0.75", "--weights", "random", "--images", "5"]
    found = running.build_config(main.parse(["train", "--out", "x", *given]))
    expected = {"loss.gamma": 1, "loss.alpha": 0.75, "training.steps": 9, "training.eval_images": 5}
    assert found == Config.from_flat({**expected, "model.weights": "random"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--loss.kind", "focl"], "loss.kind = 'focl' is not allowed: it must be one of focal, cross_entropy"),
        (["--loss.gamma", "-1"], "loss.gamma = '-1' is not allowed: it must be a number from 0 to 8"),
        (["--steps", "many"], "training.steps = 'many' is not allowed: it must be a whole number from 1"),
        (["--scenes.min_size", "0.9"], "scenes.min_size (0.9) must not be above scenes.max_size (0.5)"),
        (["--loss.gama", "1"], "--loss.gama is not a known argument: did you mean --loss.gamma?"),
        (["--loss.gam", "1"], "--loss.gam is not a known argument: did you mean --loss.gamma?"),  # no abbreviations
        (["--frobnicate"], "--frobnicate is not a known argument: python -m core train --help lists the flags."),
        (["--steps"], "expected one argument"),
        (["--workers", "-1"], "'-1' is not a whole number from 0"),
        (["--config", "none.json"], "The settings file none.json cannot be read"),
    ],
)
def test_settings_that_are_wrong(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, line = refused(capsys, "train", "--out", "run", "--json", "result.json", *arguments)
    assert status == 2 and message in line
    assert remains(tmp_path) == set()


def test_commands_that_are_incomplete(capsys):
    for arguments, message in (
        ([], "required: command"),
        (["paint"], "invalid choice: 'paint'"),
        (["train"], "required: --out"),
        (["detect"], "required: PICTURE"),
        (["export"], "required: --out"),
    ):
        status, line = refused(capsys, *arguments)
        assert status == 2 and message in line


# Train.


@pytest.mark.slow
def test_train_leaves_a_run_and_its_result(trained, weights):
    result = json.loads((trained / "run.json").read_text())
    assert result["run"] == str(trained / "run") and result["stopped"] is False
    assert result["step"]["step"] == 2 and result["evaluation"]["step"] == 2
    assert 0 <= result["evaluation"]["metrics"]["ap50"] <= 1
    assert RunFolder(trained / "run").read_status().state == FINISHED
    assert load_weights(str(weights)).class_names == CLASS_NAMES
    assert not list(trained.rglob("*.part"))


@pytest.mark.slow
def test_train_on_other_classes_starts_their_layer_anew(weights, tuned):
    before, after = load_weights(str(weights)), load_weights(str(tuned))
    assert after.class_names == ("cat", "bird", "dog") and after.category_ids == IDS
    layer = "head.classification_head.cls_logits."
    for key, value in after.state.items():
        assert key.startswith(layer) or torch.equal(value, before.state[key]), key  # the learning rate was 0
    assert after.state[layer + "weight"].shape == (9 * 3, 32, 3, 3)
    assert torch.allclose(after.state[layer + "bias"], torch.tensor(-math.log((1 - 0.01) / 0.01)))


@pytest.mark.slow
def test_train_resumes_with_the_settings_of_the_run(trained, tmp_path, data, capsys):
    shutil.copytree(trained / "run", tmp_path / "run")
    again = ("train", "--out", tmp_path / "run", "--resume", "--workers", 0, "--steps", 3)
    status, line = refused(capsys, *again, "--model.fpn_channels", 64)
    assert status == 1 and "was started with model.fpn_channels = 32 and cannot be resumed with 64" in line
    status, line = refused(capsys, *again, "--data", data)
    assert status == 1 and "but this data set has cat, bird, dog" in line
    run(*again)
    assert [record["step"] for record in RunFolder(tmp_path / "run").read_metrics()] == [1, 2, 2, 3, 3]


# Evaluate.


@pytest.mark.slow
def test_evaluate_prints_and_writes_the_figures(weights, tmp_path, capsys):
    where = ("--data", "scenes", "--images", 2, "--json", tmp_path / "figures.json", *flags(SIZES))
    run("evaluate", "--weights", weights, *where)
    result = json.loads((tmp_path / "figures.json").read_text())
    assert result["weights"] == str(weights) and result["split"] == "test"
    assert list(result["metrics"]["per_class"]) == list(CLASS_NAMES)
    printed, bar = capsys.readouterr()
    summary, *lines = printed.splitlines()
    assert summary == "evaluated 2 of 2 pictures"
    assert [line.split()[0] for line in lines] == list(result["metrics"])[:-1]
    assert bar == ""


@pytest.mark.slow
def test_evaluate_the_builtin_weights_on_a_few_scenes(tmp_path):
    run("evaluate", "--weights", "builtin", "--images", 4, "--json", tmp_path / "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text())["metrics"]["ap50"] > 0.1


@pytest.mark.slow
def test_evaluate_a_split_of_a_folder(tuned, data, tmp_path):
    run("evaluate", "--weights", tuned, "--data", data, "--split", "val", "--json", tmp_path / "figures.json")
    result = json.loads((tmp_path / "figures.json").read_text())
    assert result["images"] == 2 and list(result["metrics"]["per_class"]) == ["cat", "bird", "dog"]


@pytest.mark.slow
def test_evaluate_explains_itself(tuned, data, tmp_path, capsys):
    where = ("--weights", tuned, "--data", data, "--inference.score_threshold", 0)
    run("evaluate", *where, "--json", tmp_path / "figures.json", "--at-score", 0.25)
    assert "note: --at-score does nothing without --report.\n" in capsys.readouterr().err
    run("evaluate", *where, "--report", tmp_path / "report.json", "--at-score", 0.25, "--at-iou", 0.75)
    report, figures = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("report", "figures"))
    assert {key: report[key] for key in figures} == figures
    assert list(report["classes"]) == ["cat", "bird", "dog"]
    assert (report["confusion"]["score"], report["confusion"]["iou"]) == (0.25, 0.75)
    assert {each["name"] for each in report["pictures"]} == {"a.png", "b.png"}
    assert {each["image_id"] for each in report["pictures"]} == {7, 3}
    assert "AP50 if fixed" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "half"])
def test_a_score_of_the_report_is_a_share(value, capsys):
    status, line = refused(capsys, "evaluate", "--report", "report.json", f"--at-score={value}")
    assert status == 2 and f"'{value}' is not a number from 0 to 1" in line


def test_a_report_that_cannot_be_written_is_refused_at_once(tmp_path, capsys):
    status, line = refused(capsys, "evaluate", "--report", tmp_path / "none" / "report.json")
    assert status == 1 and "the folder" in line and "does not exist" in line


# Detect.


@pytest.mark.slow
def test_detect_writes_what_pycocotools_loads(tuned, data, tmp_path):
    results, drawn = tmp_path / "found.json", tmp_path / "drawn"
    pictures = sorted((data / "test" / "images").iterdir())
    every = ("--inference.score_threshold", 0, "--inference.max_detections", 20)
    run("detect", *pictures, "--weights", tuned, "--json", results, "--annotate", drawn, *every)
    written = json.loads(results.read_text())
    found = written["annotations"]
    assert {entry["image_id"] for entry in found} == {1, 2}
    assert [each["file_name"] for each in written["images"]] == ["a.png", "b.png"]
    assert {(each["width"], each["height"]) for each in written["images"]} == {(40, 30)}
    assert {entry["category_id"] for entry in found} == set(IDS)
    assert all(set(entry) >= {"image_id", "category_id", "bbox", "score"} for entry in found)

    dataset = COCO()
    dataset.dataset = {
        "images": [{"id": 1, "width": 40, "height": 30}, {"id": 2, "width": 40, "height": 30}],
        "categories": categories_content()["categories"],
        "annotations": [],
    }
    dataset.createIndex()
    loaded = dataset.loadRes(found)
    assert len(loaded.getAnnIds(imgIds=[1])) == len(loaded.getAnnIds(imgIds=[2])) == 20

    tuned_weights = load_weights(str(tuned))
    config = adopt(Config.from_flat({"inference.score_threshold": 0, "inference.max_detections": 20}), tuned_weights)
    model = build(config, tuned_weights).to(make_accelerator().device)  # as the command does
    reference = detect(model, [open_image(pictures[0])], config)[0]
    for entry, box, score in zip(found, reference.boxes.tolist(), reference.scores.tolist(), strict=False):
        x, y, width, height = entry["bbox"]
        assert [x, y, x + width, y + height] == pytest.approx(box, abs=1e-4)
        assert entry["score"] == pytest.approx(score)

    assert remains(drawn) == {"a.png", "b.png"}
    with Image.open(drawn / "a.png") as picture:
        assert picture.size == (40, 30) and (230, 159, 0) in {colour for _, colour in picture.getcolors(10_000)}


@pytest.mark.slow
def test_image_size_is_the_shorter_side(weights, picture, monkeypatch):
    seen = []
    prepare = predict.prepare
    monkeypatch.setattr(predict, "prepare", lambda *given: seen.append(prepare(*given)) or seen[-1])
    run("detect", picture, "--weights", weights, "--inference.image_size", 96)
    assert seen[0].originals == ((60, 90),) and seen[0].sizes == ((96, 144),)


@pytest.mark.slow
def test_drawings_of_pictures_with_equal_names_are_numbered(weights, tmp_path, capsys):
    for folder in ("x", "y"):
        made_data.picture(tmp_path / folder / "1.png")
    made_data.picture(tmp_path / "1.jpg")
    pictures = [tmp_path / "x" / "1.png", tmp_path / "y" / "1.png", tmp_path / "1.jpg"]
    run("detect", *pictures, "--weights", weights, "--annotate", tmp_path / "drawn")
    assert remains(tmp_path / "drawn") == {"1-1.png", "2-1.png", "3-1.png"}
    before = pictures[0].read_bytes()
    status, line = refused(capsys, "detect", pictures[0], "--weights", weights, "--annotate", tmp_path / "x")
    assert status == 1 and "would replace a picture: choose another folder" in line
    assert pictures[0].read_bytes() == before


# Export.


def torchvision_network() -> TorchvisionRetinaNet:
    stages = {"layer2": "0", "layer3": "1", "layer4": "2"}
    backbone = BackboneWithFPN(resnet18(weights=None), stages, [128, 256, 512], 32, LastLevelP6P7(512, 32))
    sizes = tuple((int(x), int(x * 2 ** (1 / 3)), int(x * 2 ** (2 / 3))) for x in Config().anchors.sizes)
    anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5)
    return TorchvisionRetinaNet(backbone, len(CLASS_NAMES), min_size=64, score_thresh=0, anchor_generator=anchors)


@pytest.fixture(scope="module")
def four_convs(tmp_path_factory) -> Path:
    """A file of weights whose heads have four convolutions, as torchvision's always do."""
    file = tmp_path_factory.mktemp("four") / "weights.safetensors"
    plain = {"model.weights": "random", "model.fpn_channels": 32, "model.head_norm": "none"}
    config = Config.from_flat({**SIZES, **plain})
    network = build(config, load_weights("random"), num_classes=len(CLASS_NAMES))
    spread_scores(network, torch.rand(3, 64, 64), config)
    save_weights(file, network, config, CLASS_NAMES, range(1, 1 + len(CLASS_NAMES)))
    return file


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_export_opens_in_torchvision_with_the_same_detections(ending, four_convs, tmp_path, picture):
    file = tmp_path / f"model{ending}"
    run("export", "--weights", four_convs, "--out", file, "--json", tmp_path / "export.json")
    described = json.loads((tmp_path / "export.json").read_text())
    assert described["classes"] == list(CLASS_NAMES) and described["model"]["fpn_channels"] == 32

    theirs = torchvision_network().eval()
    theirs.load_state_dict(load_file(file) if ending == ".safetensors" else torch.load(file))  # strict
    with torch.inference_mode():
        expected = theirs([open_image(picture) / 255])[0]
    every = ("--inference.score_threshold", 0, "--inference.max_detections", 300)
    run("detect", picture, "--weights", four_convs, *every, "--json", tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text())["annotations"]
    assert len(found) == len(expected["scores"]) > 20
    values = (expected[key].tolist() for key in ("boxes", "scores", "labels"))
    for entry, box, score, label in zip(found, *values, strict=True):
        x, y, width, height = entry["bbox"]
        assert [x, y, x + width, y + height] == pytest.approx(box, abs=0.01)
        assert (entry["score"], entry["category_id"]) == (pytest.approx(score, abs=1e-5), label + 1)


@pytest.mark.slow
def test_export_in_half_the_bits(weights, tmp_path, capsys):
    run("export", "--weights", weights, "--out", tmp_path / "half.safetensors", "--half")
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * weights.stat().st_size
    status, line = refused(capsys, "export", "--weights", weights, "--out", tmp_path / "half.pth", "--half")
    assert status == 2 and "--half is available for .safetensors files only" in line
    assert remains(tmp_path) == {"half.safetensors"}


# Failures: one line, status 1, and nothing left behind.


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """The current folder, with one valid and several invalid files."""
    made_data.picture(tmp_path / "photo.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "photo.png").read_bytes()[:70])
    (tmp_path / "text.png").write_text("a letter")
    (tmp_path / "text.pth").write_text("a letter")
    (tmp_path / "text.safetensors").write_text("a letter")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("detect photo.png none.png --weights WEIGHTS", "The picture none.png does not exist"),
        ("detect cut.png --weights WEIGHTS", "The picture cut.png cannot be decoded"),
        ("detect text.png --weights WEIGHTS", "The file text.png is not a picture in a known format"),
        ("detect photo.png --weights text.pth", "text.pth is text and not a weights file"),
        ("detect photo.png --weights text.safetensors", "text.safetensors is text and not a weights file"),
        ("detect photo.png --weights none.pth", "The weights file none.pth does not exist"),
        ("detect photo.png --weights photo.png", "photo.png is not a weights file: its name must end in"),
        ("detect photo.png --weights random", "The weights random are not those of a detector"),
        ("detect photo.png --weights WEIGHTS --model.depth 50", "model.depth = 50 contradicts the weights"),
        ("detect photo.png --weights WEIGHTS --annotate photo.png", "photo.png cannot be created: File exists."),
        ("evaluate --weights WEIGHTS --data DATA", " do not know the classes cat, bird, dog: train on this"),
        ("evaluate --weights WEIGHTS --data none", "There is no data set 'none'"),
        ("evaluate --weights WEIGHTS --data full", "The folder full holds no data set in a known format"),
        ("evaluate --weights WEIGHTS --split all", "There is no split 'all': choose one of train, val, test."),
        ("export --weights WEIGHTS --out none/a.pth", "a.pth cannot be written because the folder none does not exist"),
        ("export --weights WEIGHTS --out full", "full is a folder: name a file."),
        ("export --weights WEIGHTS --out a.bin", "a.bin has an unsupported extension"),
        ("train --weights WEIGHTS --out full",
         "The folder full is not empty: choose another, or continue the run in it with --resume."),
        ("train --weights WEIGHTS --out photo.png/run", "The folder photo.png/run cannot be created"),
        ("train --weights WEIGHTS --out run --resume", "no checkpoint run/checkpoint.safetensors to resume from"),
        ("train --weights WEIGHTS --out run --data full", "The folder full holds no data set in a known format"),
        ("train --weights text.pth --out run", "text.pth is text and not a weights file"),
    ],
)  # fmt: skip
def test_failures_are_one_line_and_leave_nothing_behind(arguments, message, place, weights, data, capsys):
    before = remains(place)
    filled = arguments.replace("WEIGHTS", str(weights)).replace("DATA", str(data)).split()
    status, line = refused(capsys, *filled, "--json", "result.json")
    assert status == 1 and message in line
    assert remains(place) == before


def test_a_sweep_has_no_tracker(place, capsys):
    status, line = refused(capsys, "compare", "freeze", "--out", "run", "--ray", "local", "--track", "wandb")
    assert status == 2 and "--track cannot be combined with --ray" in line and not (place / "run").exists()


@pytest.mark.parametrize(
    ("file", "message"),
    [("none/a.json", "because the folder none does not exist: create it first."), ("full", "is a folder")],
)
def test_a_result_that_cannot_be_written_is_refused_first(file, message, place, capsys):
    status, line = refused(capsys, "train", "--out", "run", "--json", file)
    assert status == 1 and message in line
    assert not (place / "run").exists()


@pytest.mark.slow
def test_an_earlier_result_survives_a_failure(place, weights, capsys):
    (place / "result.json").write_text("[]")
    refused(capsys, "detect", "none.png", "--weights", weights, "--json", "result.json")
    assert (place / "result.json").read_text() == "[]"


# As a process.


@pytest.mark.slow
def test_as_a_process_without_a_terminal(weights, picture, tmp_path):
    command = [sys.executable, "-m", "core", "detect", str(picture), "--weights", str(weights), "--json", "found.json"]
    process = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=240
    )
    assert process.returncode == 0 and process.stderr == ""  # no progress bar
    assert process.stdout.endswith(" detections in 1 picture\n")
    assert len(json.loads((tmp_path / "found.json").read_text())["images"]) == 1


@pytest.mark.slow
def test_help_and_refusals_do_not_wait_for_pytorch():
    """PyTorch takes seconds to import."""
    code = (
        "import sys; from core.cli import main as cli\n"
        "assert cli.main(['train', '--out', 'x', '--loss.gamma', '9']) == 2\n"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=240).returncode == 0


@pytest.mark.slow
def test_compare_prints_a_table_and_writes_it(tmp_path, capsys):
    own = {**TINY, "model.heads": "loaded", "training.eval_interval": 0}
    out, written = tmp_path / "runs", tmp_path / "found.json"
    run("compare", "anchors", "--out", out, "--json", written, "--seeds", 2, "--workers", 0, *flags(own))
    found = json.loads(written.read_text())
    assert [row["runs"] for row in found["rows"]] == [2, 2] and not found["stopped"]
    assert [each["state"] for each in found["runs"]] == ["finished"] * 4
    printed = capsys.readouterr().out
    assert "one anchor per location" in printed and "nine anchors per location" in printed
    assert Config.from_file(out / "2-seed-1" / "config.json").anchors.per_location == 1


def test_compare_refuses_what_is_no_preset(tmp_path, capsys):
    status, line = refused(capsys, "compare", "gama", "--out", tmp_path / "runs")
    assert status == 2 and "gamma" in line and not remains(tmp_path)


@pytest.mark.slow
def test_anchors_are_measured_and_fitted(data, tmp_path, capsys):
    written = tmp_path / "found.json"
    settings = {"model.weights": "random", "inference.image_size": 64}
    run("anchors", "--data", data, "--json", written, *flags(settings))
    found = json.loads(written.read_text())
    assert found["objects"] >= 2 and len(found["after"]["scales"]) == 3
    assert (
        found["after"]["mean_iou"] + found["after"]["recall"] >= found["before"]["mean_iou"] + found["before"]["recall"]
    )
    assert "--anchors.scales" in capsys.readouterr().out


def test_anchors_need_objects(tmp_path, capsys):
    settings = {"model.weights": "random", "scenes.empty_share": 1, "scenes.image_size": 64, "training.eval_images": 2}
    assert "has no objects" in refused(capsys, "anchors", *flags(settings))[1]


# Rescue.


@pytest.mark.slow
def test_rescue_prints_and_writes_what_would_undo_faults(tuned, data, tmp_path, capsys):
    out = tmp_path / "rescues.json"
    run("rescue", "--weights", tuned, "--data", data, "--json", out, "--inference.score_threshold", 0.3)
    found = json.loads(out.read_text())["rescues"]
    printed = capsys.readouterr().out
    assert f"searched {found['pictures']} of {found['pictures']} pictures" in printed and found["kinds"]
    for kind in found["kinds"]:
        assert f"{kind['kind']}: {kind['faults']}, undone by one hyperparameter: {kind['undone']}" in printed
        for best in kind["best"]:
            assert f"--{best['path']} " in printed and best in found["tried"]
            assert 0 < best["undone"][kind["kind"]] <= kind["undone"] <= kind["faults"]
