"""`detect` on files, folders, patterns and lists; what it writes, and how it continues."""

import json
from pathlib import Path

import pytest
import torch
from pycocotools.coco import COCO

from core.cli import main
from core.cli.detect import command
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
    assert [each["image_id"] for each in found["annotations"]] == [each["id"] for each in found["images"]]
    assert not Path("found.json.progress").exists()
    return status, [f"{each['id']} {each['file_name']}" for each in found["images"]]


@pytest.mark.slow
def test_a_folder_is_its_pictures_at_any_depth(folder, weights, capsys):
    status, names = detect(weights, "in", "--annotate", "drawn")
    assert (status, names) == (0, ["1 2.GIF", "2 a/1.JPG", "3 b/1.png"])
    assert "3 detections in 3 pictures; other files left out: 1 (letter.txt)\n" in capsys.readouterr().out
    assert {path.name for path in Path("drawn").iterdir()} == {"1-2.png", "2-1.png", "3-1.png"}


@pytest.mark.slow
def test_drawings_of_an_earlier_call_are_no_pictures(folder, weights):
    for _ in range(2):
        assert detect(weights, "in", "--annotate", "in/drawn")[1] == ["1 2.GIF", "2 a/1.JPG", "3 b/1.png"]


@pytest.mark.slow
def test_files_with_equal_names_are_named_by_their_paths(folder, weights):
    assert detect(weights, "in/b/1.png", "in/a")[1] == ["1 1.png", "2 1.JPG"]
    made_data.picture(folder / "1.png")
    assert detect(weights, "in/b/1.png", "in/1.png")[1] == ["1 in/b/1.png", "2 in/1.png"]


@pytest.mark.slow
@pytest.mark.parametrize("other", ["B.png", "b.jpg"])
def test_drawings_whose_names_differ_in_case_or_suffix_alone_are_numbered(other, folder, weights):
    made_data.picture(folder / "c" / "b.png")
    made_data.picture(folder / "c" / other)
    detect(weights, "in/c", "--annotate", "drawn")
    assert {path.name[0] for path in Path("drawn").iterdir()} == {"1", "2"}


@pytest.mark.slow
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


@pytest.mark.slow
def test_damaged_pictures_are_left_out_and_counted(folder, weights, capsys):
    (folder / "a" / "0.png").write_bytes((folder / "b" / "1.png").read_bytes()[:60])
    assert detect(weights, "in", "--annotate", "drawn") == (1, ["1 2.GIF", "3 a/1.JPG", "4 b/1.png"])
    captured = capsys.readouterr()
    assert "Left out: The picture in/a/0.png cannot be decoded" in captured.out
    assert captured.err.startswith("error: 1 of 4 pictures cannot be used. The first: The picture in/a/0.png cannot be")
    assert captured.err.count("\n") == 1
    assert len(list(Path("drawn").iterdir())) == 3


@pytest.mark.slow
def test_strict_stops_at_the_first_damaged_picture(folder, weights, capsys):
    (folder / "a" / "0.png").write_bytes((folder / "b" / "1.png").read_bytes()[:60])
    assert detect(weights, "in", "--strict") == (1, [])
    assert capsys.readouterr().err.startswith("error: The picture in/a/0.png cannot be decoded")


@pytest.mark.slow
def test_only_damaged_pictures_are_no_result(folder, weights, capsys):
    for name in ("x.png", "y.png"):
        (folder / "c").mkdir(exist_ok=True)
        (folder / "c" / name).write_text("a letter")
    assert detect(weights, "in/c") == (1, [])
    assert "error: 2 of 2 pictures cannot be used. The first: The file in/c/x.png is not" in capsys.readouterr().err


@pytest.mark.slow
def test_a_list_names_a_picture_in_each_line(folder, weights, capsys):
    Path("list.txt").write_text("in/2.GIF\r\n\n  in/b/1.png \nin/none.png\nin/2.GIF\n", encoding="utf-8-sig")
    status, names = detect(weights, "@list.txt", "in/a")
    assert (status, names) == (1, ["1 2.GIF", "2 1.png", "4 1.JPG"])
    captured = capsys.readouterr()
    assert "3 detections in 3 pictures" in captured.out and "named more than once: 1" in captured.out
    assert "Left out: The picture in/none.png does not exist: check the path." in captured.out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a.png\nb.png\n", "None of the 2 files in the list list.txt exists: write a path in each line, absolute or"),
        (b"\n", "The list list.txt is empty: write a path in each line"),
        (b"\x89PNG\0\0", "The list list.txt is not a text file with the path of a picture in each of at most"),
        (b"x" * 5000, "The list list.txt is not a text file"),
    ],
)
def test_lists_that_are_none_are_refused(content, message, folder, weights, capsys):
    Path("list.txt").write_bytes(content)
    assert detect(weights, "@list.txt") == (1, [])
    assert f"error: {message}" in capsys.readouterr().err


@pytest.mark.slow
def test_a_missing_list_is_named_and_a_picture_may_begin_with_the_mark(folder, weights, capsys):
    assert detect(weights, "@none.txt") == (1, [])
    assert "none.txt does not exist" in capsys.readouterr().err
    made_data.picture(Path("@x.png"))
    assert detect(weights, "@x.png") == (0, ["1 @x.png"])


@pytest.mark.slow
def test_pictures_that_are_named_twice_are_seen_once(folder, weights, capsys):
    assert detect(weights, "in", "in/b/1.png", "in/b")[1] == ["1 2.GIF", "2 a/1.JPG", "3 b/1.png"]
    assert "named more than once: 2" in capsys.readouterr().out
    Path("list.txt").write_bytes(b"\xef\xbb\xbfin/2.GIF\r\n./in/b/../2.GIF\r\n" + bytes(folder / "2.GIF") + b"\n")
    assert detect(weights, "@list.txt", str(folder / "2.GIF"), "in/*.GIF") == (0, ["1 2.GIF"])
    assert "named more than once: 4" in capsys.readouterr().out


@pytest.mark.slow
def test_the_file_names_left_out_pictures_and_opens_as_annotations(folder, weights):
    (folder / "a" / "0.png").write_text("a letter")
    detect(weights, "in")
    found = json.loads(Path("found.json").read_text())
    assert list(found) == ["categories", "images", "annotations", "left_out"]
    assert found["categories"] == [{"id": index, "name": name} for index, name in enumerate(NAMES)]
    (left_out,) = found["left_out"]
    assert (left_out["id"], left_out["file_name"]) == (2, "a/0.png") and "is not a picture" in left_out["problem"]
    loaded = COCO("found.json")
    assert len(loaded.getAnnIds()) == 3 and loaded.loadImgs([4])[0]["file_name"] == "b/1.png"
    assert len(loaded.loadRes(found["annotations"]).getAnnIds(imgIds=[1])) == 1


class Interrupted:
    """Stops the detection by Ctrl-C before the picture of this number, and counts the others."""

    def __init__(self, monkeypatch, at: int = 0) -> None:
        self.seen, self._run, self._at = 0, command.run_detector, at
        monkeypatch.setattr(command, "run_detector", self)

    def __call__(self, *given):
        if self.seen + 1 == self._at:
            raise KeyboardInterrupt
        self.seen += 1
        return self._run(*given)


def interrupt(monkeypatch, weights: Path, *arguments: str) -> int:
    with monkeypatch.context() as patch:
        Interrupted(patch, at=3)
        return detect(weights, *arguments)[0]


@pytest.mark.slow
def test_an_interrupted_call_continues_where_it_stopped(folder, weights, monkeypatch, capsys):
    assert detect(weights, "in")[0] == 0
    expected = json.loads(Path("found.json").read_text())
    assert interrupt(monkeypatch, weights, "in") == 130
    assert "note: 2 of 3 pictures are kept in found.json.progress: the same command with --resume continues." in (
        capsys.readouterr().err
    )
    with Path("found.json.progress").open("a") as file:
        file.write('{"key": "in/b/1.png", "wid')  # a crash while it is written
    later = Interrupted(monkeypatch)
    assert detect(weights, "in", "--resume") == (0, ["1 2.GIF", "2 a/1.JPG", "3 b/1.png"])
    assert later.seen == 1 and json.loads(Path("found.json").read_text()) == expected


@pytest.mark.slow
def test_a_changed_record_is_computed_again(folder, weights, monkeypatch, capsys):
    assert detect(weights, "in")[0] == 0
    expected = json.loads(Path("found.json").read_text())
    assert interrupt(monkeypatch, weights, "in") == 130
    state = Path("found.json.progress")
    state.write_bytes(state.read_bytes().replace(b'"width": 40', b'"width": 41', 1))
    assert detect(weights, "in", "--resume")[0] == 0
    assert json.loads(Path("found.json").read_text()) == expected
    assert "note: kept from the interrupted call: 0 pictures." in capsys.readouterr().err


@pytest.mark.slow
def test_pictures_that_came_changed_or_lack_their_drawing_are_computed(folder, weights, monkeypatch):
    assert interrupt(monkeypatch, weights, "in", "--annotate", "drawn") == 130
    made_data.picture(folder / "0.png")  # shifts the numbers
    (Path("drawn") / "1-2.png").rename(Path("drawn") / "2-2.png")
    later = Interrupted(monkeypatch)
    assert detect(weights, "in", "--annotate", "drawn", "--resume")[1] == [
        "1 0.png",
        "2 2.GIF",
        "3 a/1.JPG",
        "4 b/1.png",
    ]
    assert later.seen == 3  # all but 2.GIF, whose drawing is there


@pytest.mark.slow
def test_pictures_that_are_mended_are_all_that_a_resumed_call_computes(folder, weights, monkeypatch):
    content = (folder / "b" / "1.png").read_bytes()
    (folder / "b" / "1.png").write_text("a letter")
    assert main.main(["detect", "in", "--weights", str(weights), "--json", "found.json", "--resume"]) == 1
    (folder / "b" / "1.png").write_bytes(content)
    later = Interrupted(monkeypatch)
    assert main.main(["detect", "in", "--weights", str(weights), "--json", "found.json", "--resume"]) == 0
    assert later.seen == 1 and not Path("found.json.progress").exists()


@pytest.mark.slow
def test_other_settings_or_weights_do_not_continue_a_call(folder, weights, monkeypatch, capsys, tmp_path):
    interrupt(monkeypatch, weights, "in")
    state = Path("found.json.progress").read_bytes()
    assert detect(weights, "in", "--resume", "--inference.nms_threshold", "0.3") == (2, [])
    error = (
        "error: found.json.progress was begun with other settings (inference.nms_threshold = 0.5, not 0.3): give the"
    )
    assert error in capsys.readouterr().err
    torch.manual_seed(1)
    other = build_model(CONFIG.model, num_classes=3, anchors_per_location=3)
    save_weights(tmp_path / "o.safetensors", other, CONFIG.replace({"inference.image_size": 32}), NAMES, range(3))
    assert detect(tmp_path / "o.safetensors", "in", "--resume") == (2, [])
    assert "was begun with other weights: give the same" in capsys.readouterr().err
    assert Path("found.json.progress").read_bytes() == state
    assert detect(weights, "in")[0] == 0  # anew
    assert "is replaced; --resume would have continued it" in capsys.readouterr().err


def test_resuming_needs_a_file(folder, weights, capsys):
    assert main.main(["detect", "in", "--weights", str(weights), "--resume"]) == 2
    assert "--resume needs --json FILE" in capsys.readouterr().err


@pytest.mark.slow
def test_tiles_are_counted_among_the_reasons_why_a_picture_cannot_be_used(folder, weights, monkeypatch, capsys):
    monkeypatch.setattr("core.retinanet.tiles.MAX_TILES", 1)
    made_data.picture(folder / "large.png", size=(90, 60))
    status, _ = detect(weights, "in", "--inference.tile_size", "64")
    assert status == 1 and "Left out: in/large.png: A picture of 90×60 px has 2 tiles" in capsys.readouterr().out
