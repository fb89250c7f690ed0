"""`detect` on files, folders and patterns."""

import json
from pathlib import Path

import pytest
import torch

from core.cli import main
from core.retinanet.model import build_model
from core.weights.sources import save_weights
from tests.core import made_data
from tests.core.networks import CONFIG, NAMES


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    model = build_model(CONFIG.model, num_classes=3, anchors_per_location=3)
    file = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_weights(file, model, CONFIG.replace({"inference.image_size": 32}), NAMES, range(3))
    return file


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with three pictures at two depths, junk, and a letter."""
    monkeypatch.chdir(tmp_path)
    made_data.picture(tmp_path / "in" / "b" / "1.png")
    made_data.picture(tmp_path / "in" / "a" / "1.JPG")
    made_data.picture(tmp_path / "in" / "2.GIF")
    for junk in ("._2.png", "__MACOSX/1.png", ".DS_Store", "Thumbs.db"):
        (tmp_path / "in" / junk).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / junk).write_text("junk")
    (tmp_path / "in" / "a" / "letter.txt").write_text("a letter")
    return tmp_path / "in"


def detect(weights: Path, *arguments: str) -> tuple[int, list[str]]:
    """Returns the exit status and the names of the pictures by their number."""
    Path("found.json").unlink(missing_ok=True)
    every = ["--inference.score_threshold", "0", "--inference.max_detections", "1"]
    status = main.main(["detect", *arguments, "--weights", str(weights), "--json", "found.json", *every])
    if not Path("found.json").exists():
        return status, []
    found = json.loads(Path("found.json").read_text())
    return status, [f"{each['image_id']} {each['file_name']}" for each in found]


def test_a_folder_is_its_pictures_at_any_depth(folder, weights, capsys):
    status, names = detect(weights, "in", "--annotate", "drawn")
    assert (status, names) == (0, ["1 2.GIF", "2 a/1.JPG", "3 b/1.png"])
    assert "3 detections in 3 pictures; other files left out: 1 (letter.txt)\n" in capsys.readouterr().out
    assert {path.name for path in Path("drawn").iterdir()} == {"1-2.png", "2-1.png", "3-1.png"}


def test_drawings_of_an_earlier_call_are_no_pictures(folder, weights):
    for _ in range(2):
        assert detect(weights, "in", "--annotate", "in/drawn")[1] == ["1 2.GIF", "2 a/1.JPG", "3 b/1.png"]


def test_files_with_equal_names_are_named_by_their_paths(folder, weights):
    assert detect(weights, "in/b/1.png", "in/a")[1] == ["1 1.png", "2 1.JPG"]
    made_data.picture(folder / "1.png")
    assert detect(weights, "in/b/1.png", "in/1.png")[1] == ["1 in/b/1.png", "2 in/1.png"]


@pytest.mark.parametrize("other", ["B.png", "b.jpg"])
def test_drawings_whose_names_differ_in_case_or_suffix_alone_are_numbered(other, folder, weights):
    made_data.picture(folder / "c" / "b.png")
    made_data.picture(folder / "c" / other)
    detect(weights, "in/c", "--annotate", "drawn")
    assert {path.name[0] for path in Path("drawn").iterdir()} == {"1", "2"}


def test_patterns_that_the_shell_passes_on(folder, weights, capsys):
    assert detect(weights, "in/*/1.*")[1] == ["1 1.JPG", "2 1.png"]
    assert detect(weights, "in/**/*.png")[1] == ["1 1.png"]
    made_data.picture(folder / "[x].png")
    assert detect(weights, "in/[x].png")[1] == ["1 [x].png"]
    assert detect(weights, "in/*.bmp") == (1, [])
    assert capsys.readouterr().err == "error: No file matches in/*.bmp: check the pattern.\n"


def test_a_folder_without_pictures_is_refused(folder, weights, capsys):
    (folder / "empty").mkdir()
    assert detect(weights, "in/empty") == (1, [])
    assert "error: The folder in/empty holds no pictures (JPEG, PNG, " in capsys.readouterr().err


def test_damaged_pictures_are_left_out_and_counted(folder, weights, capsys):
    (folder / "a" / "0.png").write_bytes((folder / "b" / "1.png").read_bytes()[:60])
    assert detect(weights, "in", "--annotate", "drawn") == (1, ["1 2.GIF", "3 a/1.JPG", "4 b/1.png"])
    captured = capsys.readouterr()
    assert "Left out: The picture in/a/0.png cannot be decoded" in captured.out
    assert captured.err.startswith("error: 1 of 4 pictures cannot be used. The first: The picture in/a/0.png cannot be")
    assert captured.err.count("\n") == 1
    assert len(list(Path("drawn").iterdir())) == 3


def test_strict_stops_at_the_first_damaged_picture(folder, weights, capsys):
    (folder / "a" / "0.png").write_bytes((folder / "b" / "1.png").read_bytes()[:60])
    assert detect(weights, "in", "--strict") == (1, [])
    assert capsys.readouterr().err.startswith("error: The picture in/a/0.png cannot be decoded")


def test_only_damaged_pictures_are_no_result(folder, weights, capsys):
    for name in ("x.png", "y.png"):
        (folder / "c").mkdir(exist_ok=True)
        (folder / "c" / name).write_text("a letter")
    assert detect(weights, "in/c") == (1, [])
    assert "error: 2 of 2 pictures cannot be used. The first: The file in/c/x.png is not" in capsys.readouterr().err
