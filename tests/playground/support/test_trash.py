import json

import pytest

from core.errors import UserError
from playground.support import trash as module
from playground.support.trash import FOLDER, MOST, WAS, Trash


def make(place, name="run", content="x"):
    (place / name).mkdir(parents=True)
    (place / name / "config.json").write_text(content)


def test_a_deleted_run_is_put_back_whole(tmp_path):
    make(tmp_path, "group/1-seed-0", "kept")
    trash = Trash(tmp_path)
    deleted = trash.put(["group/1-seed-0"], "γ = 2", "somebody", 7)
    assert not (tmp_path / "group/1-seed-0").exists() and trash.entries() == [deleted]
    assert deleted[1:] == ("group/1-seed-0", "γ = 2", "somebody", 7)
    assert trash.put_back(deleted.key) == deleted
    assert (tmp_path / "group/1-seed-0/config.json").read_text() == "kept"
    assert trash.entries() == [] and not list((tmp_path / FOLDER).iterdir())


def test_the_paths_of_an_entry_are_moved_together(tmp_path):
    make(tmp_path, "set")
    (tmp_path / "set.json").write_text("record")
    trash = Trash(tmp_path)
    deleted = trash.put(["set.json", "set"], "set")
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER] and deleted.name == "set.json"
    make(tmp_path, "set", "another")
    with pytest.raises(UserError, match=r"set\.json cannot be put back because its name is taken"):
        trash.put_back(deleted.key)
    assert not (tmp_path / "set.json").exists()
    (tmp_path / "set" / "config.json").unlink()
    (tmp_path / "set").rmdir()
    trash.put_back(deleted.key)
    assert (tmp_path / "set.json").read_text() == "record" and (tmp_path / "set/config.json").read_text() == "x"
    named = trash.put(["set.json", "elsewhere"], "set")  # a data set in a folder of the server has only a record
    assert trash.put_back(named.key) == named and trash.entries() == []


def test_an_entry_that_is_gone_is_refused(tmp_path):
    trash = Trash(tmp_path)
    for key in ("1", "../..", "", WAS):
        with pytest.raises(UserError, match="no longer in the trash"):
            trash.put_back(key)
    make(tmp_path)
    deleted = trash.put(["run"], "run")
    make(tmp_path)
    with pytest.raises(UserError, match="its name is taken"):
        trash.put_back(deleted.key)
    assert trash.entries() == [deleted]


def test_a_run_that_cannot_be_moved_leaves_nothing_behind(tmp_path):
    with pytest.raises(FileNotFoundError):
        Trash(tmp_path).put(["none"], "none")
    assert not list((tmp_path / FOLDER).iterdir())


def test_the_oldest_entries_are_removed_when_there_are_many(tmp_path):
    trash = Trash(tmp_path)
    for number in range(MOST + 2):
        make(tmp_path, f"run-{number}")
        trash.put([f"run-{number}"], "")
    assert [each.name for each in trash.entries()] == [f"run-{number}" for number in range(MOST + 1, 1, -1)]
    assert len(list((tmp_path / FOLDER).iterdir())) == MOST


def test_entries_are_removed_after_a_week(tmp_path, monkeypatch):
    trash, now = Trash(tmp_path), module.time.time_ns()
    make(tmp_path)
    deleted = trash.put(["run"], "run")
    monkeypatch.setattr(module.time, "time_ns", lambda: now + (module.SECONDS - 60) * 10**9)
    assert trash.entries() == [deleted]
    monkeypatch.setattr(module.time, "time_ns", lambda: now + (module.SECONDS + 60) * 10**9)
    assert trash.entries() == [] and not list((tmp_path / FOLDER).iterdir())


@pytest.mark.parametrize("name", ["../outside", "/etc", "a/../../b"])
def test_no_path_outside_of_the_folder_is_put_back(tmp_path, name):
    place = tmp_path / "runs"
    make(place)
    deleted = Trash(place).put(["run"], "run")
    (place / FOLDER / deleted.key / WAS).write_text(
        json.dumps({"names": ["run", name], "title": "x", "owner": "", "size": 0})
    )
    assert Trash(place).entries() == []
    with pytest.raises(UserError, match="no longer in the trash"):
        Trash(place).put_back(deleted.key)


@pytest.mark.parametrize(
    "damage", [{"size": float("inf")}, {"size": None}, {"names": ["a\0b"]}, {"names": ["\ud800"]}, {"names": []}]
)
def test_an_entry_with_a_damaged_description_is_ignored(tmp_path, damage):
    make(tmp_path)
    trash = Trash(tmp_path)
    path = tmp_path / FOLDER / trash.put(["run"], "run").key / WAS
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    assert trash.entries() == []
