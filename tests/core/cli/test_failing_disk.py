"""Every command on a disk that takes no output: one sentence with the remedy, status 1, and no half-written file."""

import errno
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli import main
from tests.core.made_data import yolo
from tests.core.tiny import TINY
from tests.failing import failing

pytestmark = pytest.mark.slow

FLAGS = [f"--{path}={value}" for path, value in TINY.items()]
REMEDY = re.compile("Free some space|Let this user write there|name another|name a f(ile|older)|create it first"
                    "|Move the f|already exists")  # fmt: skip
Words = Callable[[Path, Path], list[object]]

# What each command writes to a path, of the data set in a folder.
COMMANDS: dict[str, Words] = {
    "train": lambda home, out: ["train", "--out", out, *FLAGS],
    "compare": lambda home, out: ["compare", "thresholds", "--out", out, *FLAGS],
    "anchors": lambda home, out: ["anchors", "--data", home / "set", "--json", out],
    "evaluate": lambda home, out: ["evaluate", "--images", 1, "--json", out],
    "a report": lambda home, out: ["evaluate", "--images", 1, "--report", out],
    "detect": lambda home, out: ["detect", home / "set" / "images", "--json", out],
    "drawings": lambda home, out: ["detect", home / "set" / "images", "--annotate", out],
    "weights": lambda home, out: ["export", "--out", out.with_suffix(".safetensors")],
    "pickled weights": lambda home, out: ["export", "--out", out.with_suffix(".pth")],
    "a bundle": lambda home, out: ["export", "--out", out.with_suffix(".zip")],
    "check": lambda home, out: ["check", "--data", home / "set", "--json", out],
    "unpack": lambda home, out: ["unpack", home / "set.zip", "--out", out],
    "convert": lambda home, out: ["convert", "--data", home / "set", "--to", "coco", "--out", out],
}
FOLDERS = ("train", "compare", "drawings")  # which may be left, with what can be resumed or is complete
RESUMED = {"detect": {"result.progress"}}  # what is done, with which --resume continues


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    made = yolo(home / "set", {f"p{number}": "0 0.5 0.5 0.5 0.5" for number in range(4)})
    with zipfile.ZipFile(home / "set.zip", "w") as content:
        for path in made.rglob("*"):
            content.write(path, path.relative_to(made))
    return home


def require_refused(words: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([str(word) for word in words]) in (1, 2)
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(said) == 1 and REMEDY.search(said[0]) and "Errno" not in said[0] and said[0].endswith("."), said


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_disk_that_takes_nothing_leaves_nothing(name, number, home, tmp_path, capsys) -> None:
    for first in (1, 2, 4):
        out = tmp_path / f"out-{first}"
        out.mkdir()
        with failing([out], number, first) as failed:
            status = main.main([str(word) for word in COMMANDS[name](home, out / "result")])
        said = capsys.readouterr().err
        if not failed:
            assert status == 0
            continue
        assert status == 1 and REMEDY.search(said) and "Traceback" not in said and "Errno" not in said, said
        # A disk that becomes read-only meanwhile keeps the hidden folder that was begun: nothing can be removed either.
        left = [each.name for each in out.iterdir() if number != errno.EROFS or not each.name.startswith(".")]
        assert name in FOLDERS or set(left) <= RESUMED.get(name, set())


@pytest.mark.parametrize("name", COMMANDS)
def test_an_output_that_cannot_be_is_refused_before_any_work(name, home, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("torch.optim.SGD.step", None)  # no training is begun
    (tmp_path / "file").touch()
    require_refused(COMMANDS[name](home, tmp_path / "file" / "result"), capsys)
    words = COMMANDS[name](home, tmp_path / "result")
    out = next(word for word in words if isinstance(word, Path) and word.is_relative_to(tmp_path))
    if name in ("train", "compare", "drawings", "unpack", "convert"):  # which make folders
        out.touch()
    else:
        out.mkdir()
        require_refused(COMMANDS[name](home, tmp_path / "none" / "result"), capsys)
    require_refused(words, capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["file", out.name])


def test_a_split_that_cannot_be_written_changes_nothing(tmp_path, capsys) -> None:
    made = yolo(tmp_path / "set", {f"p{number}": "0 0.5 0.5 0.5 0.5" for number in range(4)})
    before = sorted(made.rglob("*"))
    for number in (errno.ENOSPC, errno.EROFS):
        with failing([made], number):
            require_refused(["split", "--data", made, "--by", "random"], capsys)
    assert sorted(made.rglob("*")) == before
