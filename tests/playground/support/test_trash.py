import json

import pytest

from core.errors import UserError
from playground.support import trash as module
from playground.support.trash import FOLDER, MOST, WAS, Trash


def make(place, name="run", content="x"):
    (place / name).mkdir(parents=True)
    (place / name / "config.json").write_text(content)


def test_a_run_goes_and_comes_back_whole(tmp_path):
    make(tmp_path, "group/1-seed-0", "kept")
    trash = Trash(tmp_path)
    deleted = trash.put(["group/1-seed-0"], "γ = 2", "somebody", 7)
    assert not (tmp_path / "group/1-seed-0").exists() and trash.things() == [deleted]
    assert deleted[1:] == ("group/1-seed-0", "γ = 2", "somebody", 7)
    assert trash.put_back(deleted.key) == deleted
    assert (tmp_path / "group/1-seed-0/config.json").read_text() == "kept"
    assert trash.things() == [] and not list((tmp_path / FOLDER).iterdir())


def test_what_belongs_together_goes_and_comes_back_together(tmp_path):
    make(tmp_path, "set")
    (tmp_path / "set.json").write_text("record")
    trash = Trash(tmp_path)
    deleted = trash.put(["set.json", "set"], "set")
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER] and deleted.name == "set.json"
    make(tmp_path, "set", "another")
    with pytest.raises(UserError, match=r"set\.json cannot be put back because another has that place"):
        trash.put_back(deleted.key)
    assert not (tmp_path / "set.json").exists()
    (tmp_path / "set" / "config.json").unlink()
    (tmp_path / "set").rmdir()
    trash.put_back(deleted.key)
    assert (tmp_path / "set.json").read_text() == "record" and (tmp_path / "set/config.json").read_text() == "x"
    named = trash.put(
        ["set.json", "elsewhere"], "set"
    )  # of a data set in a folder of the server there is a record only
    assert trash.put_back(named.key) == named and trash.things() == []


def test_what_is_not_there_any_more_is_said(tmp_path):
    trash = Trash(tmp_path)
    for key in ("1", "../..", "", WAS):
        with pytest.raises(UserError, match="not in the trash any more"):
            trash.put_back(key)
    make(tmp_path)
    deleted = trash.put(["run"], "run")
    make(tmp_path)
    with pytest.raises(UserError, match="another has that place"):
        trash.put_back(deleted.key)
    assert trash.things() == [deleted]


def test_a_run_that_cannot_be_moved_leaves_nothing_behind(tmp_path):
    with pytest.raises(FileNotFoundError):
        Trash(tmp_path).put(["none"], "none")
    assert not list((tmp_path / FOLDER).iterdir())


def test_the_oldest_go_for_good_when_there_are_many(tmp_path):
    trash = Trash(tmp_path)
    for number in range(MOST + 2):
        make(tmp_path, f"run-{number}")
        trash.put([f"run-{number}"], "")
    assert [each.name for each in trash.things()] == [f"run-{number}" for number in range(MOST + 1, 1, -1)]
    assert len(list((tmp_path / FOLDER).iterdir())) == MOST


def test_after_a_week_they_go_for_good(tmp_path, monkeypatch):
    trash, now = Trash(tmp_path), module.time.time_ns()
    make(tmp_path)
    deleted = trash.put(["run"], "run")
    monkeypatch.setattr(module.time, "time_ns", lambda: now + (module.SECONDS - 60) * 10**9)
    assert trash.things() == [deleted]
    monkeypatch.setattr(module.time, "time_ns", lambda: now + (module.SECONDS + 60) * 10**9)
    assert trash.things() == [] and not list((tmp_path / FOLDER).iterdir())


@pytest.mark.parametrize("name", ["../outside", "/etc", "a/../../b"])
def test_nothing_is_put_outside_of_the_runs(tmp_path, name):
    place = tmp_path / "runs"
    make(place)
    deleted = Trash(place).put(["run"], "run")
    (place / FOLDER / deleted.key / WAS).write_text(
        json.dumps({"names": ["run", name], "title": "x", "owner": "", "size": 0})
    )
    assert Trash(place).things() == []
    with pytest.raises(UserError, match="not in the trash"):
        Trash(place).put_back(deleted.key)
