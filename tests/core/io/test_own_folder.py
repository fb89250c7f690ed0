"""A folder of a process goes with it; what killed ones left goes with the next, and never what a living one has."""

import os

from core.io.parts import LOCK, OwnFolder


def test_a_folder_is_made_when_it_is_needed_and_goes_in_the_end(tmp_path):
    mine = OwnFolder("mine", lambda: tmp_path / "home")
    assert mine.folder is None and not list(tmp_path.iterdir())
    one, two = mine.make_folder(), mine.make_folder()
    assert one != two and one.parent == two.parent == mine.folder and mine.folder.stat().st_mode & 0o777 == 0o700
    (one / "a").touch()
    mine.close()
    mine.close()
    assert mine.folder is None and not list((tmp_path / "home").iterdir())


def test_a_folder_that_a_system_has_removed_is_made_anew(tmp_path):
    mine = OwnFolder("mine", lambda: tmp_path)
    mine.make_folder()
    before = mine.folder
    before.rename(tmp_path / "gone")
    assert mine.make_folder().is_dir() and mine.folder != before
    mine.close()


def test_a_sweep_leaves_what_belongs_to_a_living_process(tmp_path):
    mine, dead = OwnFolder("mine", lambda: tmp_path), tmp_path / ".mine.dead.part"
    (mine.make_folder() / "a").touch()
    dead.mkdir()
    (dead / LOCK).touch()
    for name in (".other.1.part", "mine.part"):
        (tmp_path / name).mkdir()
    other = OwnFolder("mine", lambda: tmp_path)
    other.make_folder()
    assert mine.folder.is_dir() and not dead.exists()
    mine.close()
    other.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == [".other.1.part", "mine.part"]


def test_a_forked_process_leaves_the_folder_to_its_parent(tmp_path, monkeypatch):
    mine = OwnFolder("mine", lambda: tmp_path)
    made = mine.make_folder()
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: -1)
        mine.close()
    assert made.is_dir()
