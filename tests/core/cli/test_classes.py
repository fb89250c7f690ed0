"""The command line matches classes by name, whatever their order, and refuses those that one side lacks."""

import json
from pathlib import Path

import pytest
import torch

from core.cli import main
from core.config import Config, Scenes
from core.data.folders import open_folder
from core.data.images import to_pil
from core.retinanet.model import build_model
from core.runs.folder import RunFolder
from core.scenes.render import CLASS_NAMES, render_scene
from core.weights.sources import load_weights, save_weights
from tests.core import made_data
from tests.core.tiny import TINY

NETWORK = {key: value for key, value in TINY.items() if key.startswith(("model.", "inference."))}
QUICK = [f"--{key}={value}" for key, value in {**TINY, "training.steps": 1, "training.eval_images": 0}.items()]


def run(*arguments: object) -> int:
    return main.main([str(argument) for argument in arguments])


def write(folder: Path, names: tuple[str, ...], *, order: str = "cat dog cow", splits=("train", "val", "test")) -> Path:
    """Writes a YOLO data set with an object of each name, whose classes are numbered in the order of the names."""
    words = order.split()
    for split in splits:
        rows = {
            f"{split}/{number}": f"{names.index(word)} 0.5 0.5 {0.3 + 0.1 * words.index(word)} 0.5\n"
            for number, word in enumerate(words)
            if word in names
        }
        made_data.yolo(folder, rows, f"names: [{', '.join(names)}]\n")
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    config = Config.from_flat(NETWORK)
    torch.manual_seed(0)
    model = build_model(config.model, num_classes=3, anchors_per_location=config.anchors.per_location)
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_weights(path, model, config, ("cat", "dog", "cow"), (1, 2, 3))
    return path


def metrics(data: Path, weights: object, tmp_path: Path, *more: object) -> dict:
    flags = ("--inference.score_threshold", 0, "--json", tmp_path / "result.json", *more)
    assert run("evaluate", "--data", data, "--weights", weights, *flags) == 0
    return json.loads((tmp_path / "result.json").read_text())


def scenes(folder: Path, names: tuple[str, ...]) -> Path:
    """Writes three rendered scenes as a YOLO data set with the classes in the order of the names."""
    for number in range(3):
        sample = render_scene(Scenes(), number)
        rows = ""
        for box, label in zip((sample.boxes / 256).tolist(), sample.labels.tolist(), strict=True):
            left, top, right, bottom = box
            place = f"{(left + right) / 2} {(top + bottom) / 2} {right - left} {bottom - top}"
            rows += f"{names.index(CLASS_NAMES[label])} {place}\n"
        made_data.yolo(folder, {f"test/{number}": rows}, f"names: [{', '.join(names)}]\n")
        to_pil(sample.image).save(folder / "images" / "test" / f"{number}.png")
    return folder


@pytest.mark.slow
def test_another_order_of_classes_gives_the_same_figures(tmp_path):
    names = (*CLASS_NAMES[2:], *CLASS_NAMES[:2])
    one = metrics(scenes(tmp_path / "a", CLASS_NAMES), "builtin", tmp_path)
    other = metrics(scenes(tmp_path / "b", names), "builtin", tmp_path)
    assert one["metrics"]["ap50"] > 0.3
    assert {**other["metrics"], "per_class": 0} == pytest.approx({**one["metrics"], "per_class": 0})
    assert list(other["metrics"]["per_class"]) == list(names)
    assert other["metrics"]["per_class"] == one["metrics"]["per_class"]
    assert one["reading"].startswith("YOLO, ") and one["left_out"] == {"counts": {}, "examples": {}}


@pytest.mark.slow
def test_a_damaged_picture_is_left_out_of_an_evaluation(tmp_path, capsys):
    data = scenes(tmp_path / "a", CLASS_NAMES)
    cut = data / "images" / "test" / "1.png"
    cut.write_bytes(cut.read_bytes()[:-1000])
    result = metrics(data, "builtin", tmp_path, "--report", tmp_path / "report.json")
    assert result["images"] == 2 and result["left_out"]["counts"] == {"unreadable picture": 1}
    assert "evaluated 2 of 3 pictures" in capsys.readouterr().out
    report = json.loads((tmp_path / "report.json").read_text())
    assert sorted(each["name"] for each in report["pictures"]) == ["0.png", "2.png"]
    assert run("evaluate", "--data", data, "--weights", "builtin", "--strict") == 1
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith(f"error: The picture {cut} cannot be decoded")


@pytest.mark.slow
def test_the_report_has_the_data_sets_classes(weights, tmp_path):
    data = write(tmp_path / "a", ("cow", "cat"))
    metrics(data, weights, tmp_path, "--report", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert list(report["classes"]) == ["cow", "cat"] and report["confusion"]["names"] == ["cow", "cat", "background"]


@pytest.mark.slow
def test_foreign_classes_are_refused_with_what_to_do(weights, tmp_path, capsys):
    data = write(tmp_path / "a", ("Cat", "lion"), order="Cat lion")
    assert run("evaluate", "--data", data, "--weights", weights) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert f"The weights {weights} do not know the classes Cat, lion" in error
    assert "('Cat' and 'cat' differ only in capitals, spaces or punctuation): train on this data set first" in error


@pytest.mark.slow
def test_training_continues_with_the_class_layer_whatever_the_order(weights, tmp_path):
    data = write(tmp_path / "a", ("cow", "cat", "dog"))
    flags = [*QUICK, f"--weights={weights}", "--training.learning_rate=0", "--workers=0"]
    assert run("train", "--data", data, "--out", tmp_path / "run", *flags) == 0
    after, before = load_weights(str(tmp_path / "run" / "weights.safetensors")), load_weights(str(weights))
    assert after.class_names == before.class_names
    key = "head.classification_head.cls_logits.weight"
    assert torch.equal(after.state[key], before.state[key])
    (_, evaluation) = RunFolder(tmp_path / "run").read_metrics()
    assert list(evaluation["metrics"]["per_class"]) == ["cat", "dog", "cow"]


@pytest.mark.slow
def test_a_run_resumes_on_reordered_classes_but_not_on_others(tmp_path, capsys):
    data = write(tmp_path / "a", ("cat", "dog", "cow"))
    again = ("train", "--out", tmp_path / "run", "--workers=0")
    assert run(*again, "--data", data, "--format", "yolo", *QUICK) == 0
    assert RunFolder(tmp_path / "run").read_about().format == "yolo"
    assert RunFolder(tmp_path / "run").read_about().reading.startswith("YOLO, ")
    other = write(tmp_path / "b", ("dog", "cow", "cat"))
    assert run(*again, "--data", other, "--resume", "--steps", 2) == 0
    assert load_weights(str(tmp_path / "run" / "weights.safetensors")).class_names == ("cat", "dog", "cow")
    capsys.readouterr()
    assert run(*again, "--data", write(tmp_path / "c", ("cat", "dog", "owl"), order="cat dog owl"), "--resume") == 1
    assert "was started with the classes cat, dog, cow" in capsys.readouterr().err
    assert run(*again, "--data", data, "--resume", "--format", "coco") == 1
    assert "was started with --format yolo and cannot be resumed with coco" in capsys.readouterr().err


def test_boxes_that_leave_their_pictures_are_told_before_training(tmp_path):
    rows = {f"train/{number}": "0 0.5 0.5 0.4 0.4\n" for number in range(9)} | {"train/9": "0 0.9 0.5 0.4 0.4\n"}
    data = open_folder(made_data.yolo(tmp_path, rows, "names: [cat]\n"), "train")
    assert data.reading.endswith(" 1 box exceeds its picture and is clipped, the first in 9.png.")
    content = made_data.coco_content()
    content["annotations"] = [
        {"id": n, "image_id": 7, "category_id": 9, "bbox": [1, 2, 38 + over, 20]}
        for n, over in enumerate((0, 1, 1.9, 3, 1, 1, 1, 1, 1))
    ]
    data = open_folder(made_data.coco(tmp_path / "coco", content), "train")
    assert data.reading.endswith(" 1 box exceeds its picture and is clipped, the first in a.png.")
