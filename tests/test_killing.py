"""The tool that kills processes at their changes sees every change, and nothing after it happens."""

import os
import shutil
import time
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


def test_an_action_that_does_not_end_leaves_no_process_and_no_copy(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    children, wait = [], os.waitpid

    def waitpid(child: int, options: int) -> tuple[int, int]:
        children.append(child)
        if len(children) == 1:
            raise KeyboardInterrupt
        return wait(child, options)

    monkeypatch.setattr("tests.killing.os.waitpid", waitpid)
    with pytest.raises(KeyboardInterrupt):
        next(kill_at_every_change(folder, lambda copy: time.sleep(600)))
    with pytest.raises(ChildProcessError):
        wait(children[0], 0)
    assert list(tmp_path.iterdir()) == [folder]
