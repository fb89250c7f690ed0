import io
import json
import sys
import zipfile

import pytest

from core.cli import main, running
from tests.core.made_data import coco, coco_content, yolo

LINE = "0 0.5 0.5 0.5 0.5"


def run(*arguments: object) -> int:
    return main.main([str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path):
    return yolo(tmp_path / "set", {f"p{number}": LINE for number in range(20)})


@pytest.fixture
def archive(tmp_path, folder):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as content:
        for path in folder.rglob("*"):
            content.write(path, path.relative_to(folder.parent))
    return tmp_path / "set.zip"


@pytest.mark.slow
def test_check(folder, tmp_path, capsys):
    assert run("check", "--data", folder, "--json", tmp_path / "check.json") == 0
    found = json.loads((tmp_path / "check.json").read_text())
    assert (found["format"], found["usable"]) == ("YOLO", True)
    assert found["splits"]["train"] == {"pictures": 16, "empty": 0, "objects": {"cat": 16, "dog": 0}, "crowds": 0}
    assert "It can be trained on." in capsys.readouterr().out
    (folder / "labels" / "p3.txt").write_text("9 1 1 1 1")
    assert run("check", "--data", folder) == 0
    assert "STOPS TRAINING: 1 object of an unknown class" in capsys.readouterr().out


@pytest.mark.slow
def test_unpack(archive, tmp_path, capsys):
    assert run("unpack", archive, "--out", tmp_path / "new", "--json", tmp_path / "unpacked.json") == 0
    assert json.loads((tmp_path / "unpacked.json").read_text())["folder"] == str(tmp_path / "new")
    assert run("check", "--data", tmp_path / "new") == 0
    capsys.readouterr()
    assert run("unpack", archive, "--out", tmp_path / "new") == 1
    assert "already exists" in capsys.readouterr().err


def test_unpack_refuses_an_unusable_data_set(tmp_path, capsys):
    content = coco_content()
    content["annotations"][0]["category_id"] = 77
    made = coco(tmp_path / "made", content)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for path in made.rglob("*"):
            archive.write(path, path.relative_to(made))
    assert run("unpack", tmp_path / "bad.zip", "--out", tmp_path / "new") == 1
    printed = capsys.readouterr()
    assert "bad.zip is not imported because of 1 object of an unknown class" in printed.err
    assert "annotation 1 (id 1) has the unknown category_id 77" in printed.out
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".*"))


def test_unpack_accepts_a_data_set_without_validation_pictures(tmp_path, capsys):
    made = coco(tmp_path / "made", coco_content())
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in made.rglob("*"):
            archive.write(path, path.relative_to(made))
    assert run("unpack", tmp_path / "set.zip", "--out", tmp_path / "new") == 0
    assert "create splits: split --by stratified" in capsys.readouterr().out


def test_split(folder, tmp_path, capsys):
    where = ("split", "--data", folder, "--json", tmp_path / "split.json")
    for by in ("random", "stratified"):
        assert run(*where, "--by", by, "--shares", "0.5,0.3,0.2") == 0
        found = json.loads((tmp_path / "split.json").read_text())["splits"]
        assert [found[name]["pictures"] for name in ("train", "val", "test")] == [10, 6, 4]
    before = (folder / "splits.json").read_bytes()
    assert run(*where, "--by", "stratified", "--shares", "0.5,0.3,0.2") == 0
    assert (folder / "splits.json").read_bytes() == before
    assert run(*where, "--by", "stratified", "--shares", "0.5,0.3,0.2", "--training.seed", 1) == 0
    assert (folder / "splits.json").read_bytes() != before
    assert run(*where, "--by", "given") == 0
    assert json.loads((tmp_path / "split.json").read_text())["splits"]["train"]["pictures"] == 16
    assert not (folder / "splits.json").exists()


@pytest.mark.parametrize("shares", ["0.5,0.5", "0.5,0.5,0.5", "1,a,0", "1.5,-0.5,0"])
def test_invalid_shares(folder, shares, capsys):
    with pytest.raises(SystemExit) as end:
        run("split", "--data", folder, "--by", "random", "--shares", shares)
    assert end.value.code == 2 and "is not" in capsys.readouterr().err


def test_folders_without_a_data_set(tmp_path, capsys):
    for command in (("check",), ("split", "--by", "random")):
        for folder, message in ((tmp_path / "none", "There is no data set"), (tmp_path, "holds no data set")):
            assert run(*command, "--data", folder) == 1
            assert message in capsys.readouterr().err


def test_the_name_of_a_file_that_no_encoding_accepts_is_printed(folder, monkeypatch):
    monkeypatch.setattr(running, "_run_command", lambda config, options: print(options.data))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))
    assert run("check", "--data", "set\udcff") == 0
    sys.stdout.flush()
    assert sys.stdout.buffer.getvalue() == b"set\\udcff\n"
