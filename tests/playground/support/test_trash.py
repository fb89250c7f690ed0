import json

import pytest

from core.errors import UserError
from core.io.locks import FileLock
from playground.support import age
from playground.support.trash import FOLDER, LOCK, MOST, SECONDS, WAS, Trash, find_surplus
from tests.killing import kill_at_every_change


def make(place, name="run", content="x"):
    (place / name).mkdir(parents=True)
    (place / name / "config.json").write_text(content)


def names(place):
    """Returns the names of what is in the trash, without its lock."""
    return sorted(path.name for path in (place / FOLDER).glob("*") if path.name != LOCK)


def test_a_deleted_run_is_put_back_whole(tmp_path):
    make(tmp_path, "group/1-seed-0", "kept")
    trash = Trash(tmp_path)
    deleted = trash.put(["group/1-seed-0"], "γ = 2", "somebody", 7)
    assert not (tmp_path / "group/1-seed-0").exists() and trash.entries() == [deleted]
    assert deleted[1:] == ("group/1-seed-0", "γ = 2", "somebody", 7)
    assert trash.put_back(deleted.key) == deleted
    assert (tmp_path / "group/1-seed-0/config.json").read_text() == "kept"
    assert trash.entries() == [] and names(tmp_path) == []


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
    assert names(tmp_path) == []


@pytest.mark.slow
def test_the_oldest_entries_are_removed_when_there_are_many(tmp_path):
    trash = Trash(tmp_path)
    for number in range(MOST + 2):
        make(tmp_path, f"run-{number}")
        trash.put([f"run-{number}"], "")
    assert [each.name for each in trash.entries()] == [f"run-{number}" for number in range(MOST + 1, 1, -1)]
    assert len(names(tmp_path)) == MOST


class Clocks:
    """Replaces the clocks: that on the wall, and that of the computer."""

    def __init__(self):
        self.wall, self.running = 1_000_000_000.0, 5000.0

    def time(self):
        return self.wall

    def time_ns(self):
        return int(self.wall * 1e9)

    def monotonic(self):
        return self.running

    def wait(self, seconds):
        self.wall, self.running = self.wall + seconds, self.running + seconds


@pytest.fixture
def clocks(monkeypatch):
    clocks = Clocks()
    monkeypatch.setattr(age, "time", clocks)
    monkeypatch.setattr("playground.support.trash.time", clocks)
    return clocks


def test_entries_are_removed_after_a_week(tmp_path, clocks):
    trash = Trash(tmp_path)
    make(tmp_path)
    deleted = trash.put(["run"], "run")
    for _ in range(10):
        clocks.wait(SECONDS / 10 - 6)
        assert trash.entries() == [deleted]
    clocks.wait(50)
    assert trash.entries() == [deleted]
    clocks.wait(70)
    assert trash.entries() == [] and names(tmp_path) == []


def test_a_jump_of_the_clock_removes_nothing(tmp_path, clocks):
    trash = Trash(tmp_path)
    make(tmp_path)
    deleted = trash.put(["run"], "run")
    for days in (8, -20, 400, -3650):
        clocks.wall += days * 86400
        assert trash.entries() == [deleted]
        clocks.wait(86400)
        assert trash.entries() == [deleted]
    clocks.wait(3.1 * 86400)
    assert trash.entries() == []


def test_a_restart_of_the_computer_removes_nothing_early(tmp_path, clocks):
    make(tmp_path)
    deleted = Trash(tmp_path).put(["run"], "run")
    clocks.wait(5 * 86400)
    assert Trash(tmp_path).entries() == [deleted]
    clocks.wall, clocks.running = clocks.wall + 86400, 0.0
    assert Trash(tmp_path).entries() == [deleted]
    clocks.wall, clocks.running = clocks.wall + 60, 9 * 86400.0  # the folder is used by another computer
    assert Trash(tmp_path).entries() == [deleted]
    clocks.wait(2.1 * 86400)
    assert Trash(tmp_path).entries() == []


def test_what_is_deleted_after_the_clock_went_back_is_the_latest(tmp_path, clocks):
    trash = Trash(tmp_path, most=2)
    for name in ("a", "b", "c"):
        make(tmp_path, name)
        trash.put([name], name)
        clocks.wall -= 3600
    assert [each.name for each in trash.entries()] == ["c", "b"]


def test_an_entry_of_an_earlier_version_ages_from_now(tmp_path, clocks):
    entry = tmp_path / FOLDER / "123"
    make(entry, "0", "kept")
    (entry / WAS).write_text(json.dumps({"names": ["run", "none"], "title": "run", "owner": "", "size": 0}))
    make(tmp_path, "none")  # by somebody else, since
    assert [each.name for each in Trash(tmp_path).entries()] == ["run"] and (tmp_path / "none").is_dir()
    clocks.wait(6 * 86400)
    assert len(Trash(tmp_path).entries()) == 1
    clocks.wait(2 * 86400)
    assert Trash(tmp_path).entries() == [] and (tmp_path / "none").is_dir()


def contents(place):
    """Returns the paths of all files, without the trash's own notes."""
    own = (WAS, "age.json", LOCK)
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file() and path.name not in own)


IN_PLACE, NAMES = ["set.json", "set/config.json"], ["set.json", "set"]


@pytest.fixture
def place(tmp_path):
    place = tmp_path / "place"
    make(place, "set")
    (place / "set.json").write_text("record")
    return place


def test_a_deletion_killed_at_any_change_loses_nothing_and_leaves_nothing(place):
    seen = set()
    for _, copy in kill_at_every_change(place, lambda copy: Trash(copy).put(NAMES, "set")):
        trash = Trash(copy)
        entries = trash.entries()
        seen.add(len(entries))
        if entries:
            assert not (copy / "set").exists()  # the deletion is finished
            trash.put_back(entries[0].key)
        assert contents(copy) == IN_PLACE and trash.entries() == [] and names(copy) == []
    assert seen == {0, 1}


def test_a_put_back_killed_at_any_change_can_be_repeated(place):
    key = Trash(place).put(NAMES, "set").key
    seen = set()
    for _, copy in kill_at_every_change(place, lambda copy: Trash(copy).put_back(key)):
        trash = Trash(copy)
        entries = trash.entries()
        seen.add(len(entries))
        assert len(contents(copy)) == 2
        if entries:
            trash.put_back(key)
        assert contents(copy) == IN_PLACE and trash.entries() == [] and names(copy) == []
    assert seen == {0, 1}


def test_a_put_back_killed_at_any_change_can_be_repeated_at_once(place):
    """The page that repeats it has not looked at the trash before."""
    key = Trash(place).put(NAMES, "set").key
    for _, copy in kill_at_every_change(place, lambda copy: Trash(copy).put_back(key)):
        try:
            Trash(copy).put_back(key)
        except UserError as error:
            assert "already been put back" in str(error)
        assert Trash(copy).entries() == [] and contents(copy) == IN_PLACE


@pytest.mark.slow
def test_a_removal_killed_at_any_change_leaves_a_whole_entry_or_nothing(place):
    for name in "ab":
        make(place / "set", name)
    whole = contents(place)
    key = Trash(place).put(NAMES, "set").key
    seen = set()
    for _, copy in kill_at_every_change(place, lambda copy: Trash(copy).remove(key)):
        entries = Trash(copy).entries()
        seen.add(len(entries))
        if entries:
            Trash(copy).put_back(key)
            assert contents(copy) == whole
        else:
            assert names(copy) == [] and contents(copy) == []
    assert seen == {0, 1}


@pytest.mark.slow
def test_tidying_killed_at_any_change_removes_only_what_is_too_much(place):
    for name in "abc":
        make(place, name)
        Trash(place).put([name], name)
    for _, copy in kill_at_every_change(place, lambda copy: Trash(copy, most=1).entries()):
        assert [each.name for each in Trash(copy, most=1).entries()] == ["c"]
        assert len(names(copy)) == 1 and len(contents(copy)) == 3


def test_an_entry_that_another_page_makes_is_not_removed(tmp_path):
    (tmp_path / FOLDER / "5").mkdir(parents=True)  # its note is not written yet
    with FileLock.acquire(tmp_path / FOLDER / LOCK):
        assert Trash(tmp_path).entries() == []
        assert (tmp_path / FOLDER / "5").is_dir()
    assert Trash(tmp_path).entries() == [] and not (tmp_path / FOLDER / "5").exists()


def test_a_full_disk_leaves_everything_in_place(place, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playground.support.trash.write_text", full)
    with pytest.raises(OSError, match="No space left"):
        Trash(place).put(NAMES, "set")
    assert contents(place) == IN_PLACE and names(place) == []


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


@pytest.mark.parametrize(
    ("owners", "most", "total", "expected"),
    [
        ("", 2, 9, ""), ("aaa", 2, 9, "2"), ("abab", 2, 9, ""), ("aaab", 2, 9, "2"), ("baaa", 1, 9, "23"),
        ("aabb", 2, 3, "1"), ("abbb", 3, 3, "3"), ("abc", 3, 2, "0"),
    ],
)  # fmt: skip
def test_a_visitor_pushes_only_their_own_entries_out(owners, most, total, expected):
    assert find_surplus(list(owners), most, total) == set(map(int, expected))
