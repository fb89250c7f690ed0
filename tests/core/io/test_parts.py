"""Parts belong to the process that makes them, by lock; a kill leaves only what a sweep removes."""

import os
import shutil

from core.io.atomic import write_text
from core.io.locks import FileLock
from core.io.parts import LOCK, make_part, sweep_parts
from tests.killing import kill_at_every_change


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_part_is_removed_in_the_end_with_all_beside_it(tmp_path):
    with make_part(tmp_path / "a.txt") as part:
        assert part.name == "a.txt" and part.parent.parent == tmp_path
        part.write_text("a")
        part.with_name("b").write_text("what a library puts there")
        part.replace(tmp_path / "a.txt")
    assert names(tmp_path) == ["a.txt"]


def test_a_sweep_keeps_what_is_being_made(tmp_path):
    with make_part(tmp_path / "a") as part:
        part.mkdir()
        os.utime(part.parent, (0, 0))  # age does not count
        assert sweep_parts(tmp_path) == 0 and part.is_dir()
        part.rename(tmp_path / "a")
    assert names(tmp_path) == ["a"]


def test_a_sweep_removes_what_belongs_to_nobody_and_nothing_else(tmp_path):
    for name in (".made", "made.part", ".other"):
        (tmp_path / name).mkdir()
    (tmp_path / ".begun.x.part").mkdir()
    (tmp_path / ".run.y.part").mkdir()
    (tmp_path / ".run.y.part" / LOCK).touch()
    (tmp_path / ".run.y.part" / "config.json").touch()
    (tmp_path / ".earlier.1234.part").write_bytes(b"half")
    (tmp_path / ".earlier.5678.part").touch()
    with FileLock.acquire(tmp_path / ".earlier.5678.part"):
        assert sweep_parts(tmp_path) == 3
    assert names(tmp_path) == [".earlier.5678.part", ".made", ".other", "made.part"]
    assert sweep_parts(tmp_path / "none") == 0


def test_a_sweep_for_a_name_leaves_the_parts_of_others(tmp_path):
    long = "x" * 60
    for name in (".set.1.part", ".sets.1.part", ".other.set.1.part", f".{long[:40]}.1.part"):
        (tmp_path / name).mkdir()
    assert sweep_parts(tmp_path, "set") == 1 and sweep_parts(tmp_path, long) == 1
    assert names(tmp_path) == [".other.set.1.part", ".sets.1.part"]


def test_a_part_begins_anew_when_a_sweep_came_in_between(tmp_path, monkeypatch):
    real, swept = FileLock.acquire, []

    def acquire(path):
        lock = real(path)
        if len(swept) < 2:
            swept.append(path)
            shutil.rmtree(path.parent)
        return lock

    monkeypatch.setattr(FileLock, "acquire", acquire)
    with make_part(tmp_path / "a") as part:
        assert len(swept) == 2 and part.parent.is_dir() and len(names(tmp_path)) == 1


def test_a_file_killed_at_any_change_is_old_or_new_and_leaves_nothing(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    write_text(folder / "a.txt", "old")
    found = []
    for _, copy in kill_at_every_change(folder, lambda copy: write_text(copy / "a.txt", "new")):
        found.append((copy / "a.txt").read_text())
        sweep_parts(copy)
        assert names(copy) == ["a.txt"]
    assert found == sorted(found, reverse=True) and {"old", "new"} == set(found) and len(found) > 6
