"""Files are replaced, moved and removed although somebody reads them, on systems that refuse that for a moment."""

import errno
import math
import os

import pytest

from core.io import moving
from core.io.atomic import write_text
from core.io.troubles import explain


class Guard:
    """A system that refuses to replace, move and remove what is open; `reading` has each path's refusals to come."""

    def __init__(self, monkeypatch):
        self.reading, self.refused = {}, 0
        for name in ("replace", "rename", "unlink", "rmdir"):
            monkeypatch.setattr(os, name, self.guard(getattr(os, name)))
        monkeypatch.setattr("shutil._use_fd_functions", False)  # as on Windows
        monkeypatch.setattr(moving, "GUARDS_OPEN_FILES", True)

    def guard(self, act):
        def guarded(*paths, **options):
            for path in paths:
                for each, left in self.reading.items():
                    if left and os.path.realpath(each).startswith(os.path.realpath(path)):
                        self.reading[each] -= 1
                        self.refused += 1
                        raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))
            return act(*paths, **options)

        return guarded


@pytest.fixture
def guard(monkeypatch):
    return Guard(monkeypatch)


@pytest.fixture
def file(tmp_path):
    write_text(tmp_path / "a.json", "old")
    return tmp_path / "a.json"


def test_a_file_is_replaced_once_its_reader_has_closed_it(guard, file):
    guard.reading[file] = 3
    write_text(file, "new")
    assert file.read_text() == "new" and guard.refused == 3


def test_a_file_is_removed_once_its_reader_has_closed_it(guard, file):
    guard.reading[file] = 3
    moving.remove(file)
    assert not file.exists() and guard.refused == 3
    moving.remove(file)  # does nothing


def test_a_folder_moves_once_nobody_reads_a_file_in_it(guard, file, tmp_path):
    (tmp_path / "run").mkdir()
    file.rename(tmp_path / "run" / "a.json")
    guard.reading[tmp_path / "run" / "a.json"] = 3
    moving.rename(tmp_path / "run", tmp_path / "moved")
    assert (tmp_path / "moved" / "a.json").read_text() == "old" and guard.refused == 3


def test_a_folder_is_removed_once_nobody_reads_a_file_in_it(guard, file, tmp_path):
    guard.reading[file] = 3
    moving.remove_tree(tmp_path)
    assert not tmp_path.exists() and guard.refused == 3
    moving.remove_tree(tmp_path)  # does nothing


def test_a_folder_replaces_an_empty_one_only(guard, tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    new.mkdir(), old.mkdir(), (new / "a").touch()
    moving.replace(new, old)
    assert [path.name for path in tmp_path.rglob("*")] == ["old", "a"]
    new.mkdir()
    with pytest.raises(OSError):
        moving.replace(new, old)
    assert (old / "a").exists()


def test_a_file_that_stays_open_is_named_with_the_remedy(guard, file, monkeypatch):
    monkeypatch.setattr(moving, "PATIENCE", 0.02)
    guard.reading[file] = math.inf
    with pytest.raises(OSError) as caught:
        write_text(file, "new")
    assert caught.value.filename == str(file) and file.read_text() == "old"
    assert explain(caught.value) == (
        "Another program has it open, or this user may not change it. Close what uses it and try again."
    )
    assert [path.name for path in file.parent.iterdir()] == ["a.json"]
    moving.remove_tree(file.parent)  # as far as that is possible
    assert file.exists()


def test_other_systems_do_not_try_again(file, monkeypatch):
    tried = []

    def refuse(*paths):
        tried.append(paths)
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        moving.replace(file, file.with_name("b.json"))
    assert len(tried) == 1
