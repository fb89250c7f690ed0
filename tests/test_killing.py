"""The tool that kills processes at their changes sees every change, and nothing after it happens."""

import shutil
from pathlib import Path

import pytest

from tests.killing import kill_at_every_change


def act(folder: Path) -> None:
    (folder / "part").write_text("whole", "utf-8")
    (folder / "part").replace(folder / "file")
    (folder / "old").unlink()
    shutil.rmtree(folder / "tree")


def test_every_change_is_the_last_one_once(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").touch()
    (folder / "tree").mkdir()
    (folder / "tree" / "leaf").touch()
    left = [sorted(path.name for path in copy.rglob("*")) for _, copy in kill_at_every_change(folder, act)]
    tree = ["leaf", "tree"]
    assert left == [
        ["leaf", "old", "part", "tree"],
        ["leaf", "old", "part", "tree"],
        ["file", "leaf", "old", "tree"],
        ["file", *tree],
        ["file", "tree"],
        ["file"],
    ]


def test_an_action_that_fails_by_itself_is_no_kill(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(AssertionError, match="failed by itself"):
        list(kill_at_every_change(folder, lambda copy: 1 / 0))
