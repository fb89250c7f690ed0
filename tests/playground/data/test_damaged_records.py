"""Records of data sets that were damaged or changed: each costs its own data set, never the list."""

import json
import os
from pathlib import Path

import pytest

from core.analysis.dataset_check import DataCheck, SplitSummary
from core.analysis.size_check import ClassSizes
from core.data.untrusted import DataError
from playground.data.datasets import DataSets
from playground.data.stored.bounds import Bounds
from playground.data.stored.library import DataSetLibrary
from playground.data.stored.records import StoredDataSet, write_record
from playground.support.visitors import VISITORS

SIZES = ClassSizes(3, (1.0, 2.0, 3.0), (0.5, 1.0, 2.0), 0.7, 0)
CHECK = DataCheck("COCO", ("a",), {"train": SplitSummary(2, 0, {"a": 3}, 0)}, {"a": SIZES}, ())
ODD = (None, "x", [], {}, [1], {"a": 1}, 10**400, float("nan"), "\ud800", "\0", "x" * 5000, [[[]]])


@pytest.fixture
def folder(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_record(tmp_path / f"{name}.json", StoredDataSet(name, tmp_path / name, True, 10, 0, CHECK))
    return tmp_path


def names(folder: Path) -> tuple[str, ...]:
    """Looks at everything that the page shows of each data set."""
    library = DataSetLibrary(folder, Bounds())
    for name in library.names():
        found = library.get(name)
        assert sum(each for each in found.splits.values()) >= 0 and found.check.left_out.counts is not None
        assert f"{found.size:,}" and json.dumps(found.check.to_dict())
    return library.names()


def test_a_record_survives_being_written_and_read(folder):
    assert names(folder) == ("one", "two") and DataCheck.from_dict(json.loads(json.dumps(CHECK.to_dict()))) == CHECK


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"[" * 200_000, b"9" * 5000, bytes(range(256))])
def test_a_damaged_record_costs_its_own_data_set(folder, content):
    (folder / "one.json").write_bytes(content)
    assert names(folder) == ("two",)
    library = DataSetLibrary(folder, Bounds())
    assert library.list_unread() == ["one"]
    with pytest.raises(DataError, match=r"^The data set 'one' cannot be read, because its record is damaged: delete"):
        library.get("one")


def test_what_is_no_file_costs_its_own_data_set(folder):
    for number, make in enumerate((os.mkdir, os.mkfifo, lambda path: os.symlink(path, path))):
        make(folder / f"odd-{number}.json")
    os.symlink(folder / "nothing", folder / "aa.json")  # before the others
    assert names(folder) == ("one", "two")
    assert DataSetLibrary(folder, Bounds()).list_unread() == ["aa", "odd-0", "odd-1", "odd-2"]


def test_a_data_set_that_cannot_be_read_is_deleted_and_put_back(folder, monkeypatch):
    content = (folder / "one.json").read_text()
    (folder / "one.json").write_text("{")
    data = DataSets(folder)
    with monkeypatch.context() as patched, pytest.raises(DataError, match="only the operator of the server can delete"):
        patched.setattr(VISITORS, "apart", True)
        assert data.list_unread() == []
        data.delete_unread("one")
    with pytest.raises(DataError, match="no data set 'two' here that cannot be read"):
        data.delete_unread("two")
    data.protect(lambda data_set: data_set.folder == folder / "one")
    with pytest.raises(DataError, match="one is in use by a run"):
        data.delete_unread("one")
    data.protect()
    assert data.list_unread() == ["one"] and data.delete_unread("one").title == "one"
    assert data.list_unread() == [] and not (folder / "one").exists() and data.library.names() == ("two",)
    with pytest.raises(DataError, match="one is back, but it still cannot be read"):
        data.restore()
    assert data.list_unread() == ["one"] and (folder / "one").is_dir()
    (folder / "one.json").write_text(content)
    assert data.library.names() == ("one", "two")


def test_a_record_that_cannot_be_read_for_a_while_keeps_the_undo_of_its_split(folder):
    content = (folder / "one.json").read_text()
    library = DataSetLibrary(folder, Bounds())
    library.splits.note("one", None, b"lists")
    assert library.splits.names() == {"one"}
    (folder / "one.json").write_text("{")
    library.sweep(1)
    (folder / "one.json").write_text(content)
    assert library.splits.names() == {"one"}
    (folder / "one.json").unlink()
    library.sweep(1)
    assert library.splits.names() == set()


def test_a_folder_that_cannot_be_read_says_so(folder, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(DataError, match="cannot read its folder of data sets: ask its operator"):
        DataSetLibrary(folder, Bounds()).get("one")


@pytest.mark.parametrize("key", ["folder", "size", "check", "owner", "format", "lists"])
def test_odd_values_cost_at_most_their_own_data_set(folder, key):
    record = json.loads((folder / "one.json").read_text())
    for odd in ODD:
        (folder / "one.json").write_text(json.dumps({**record, key: odd}))
        assert "two" in names(folder)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["format", "class_names", "splits", "sizes", "issues"])
def test_odd_values_of_a_check_cost_at_most_their_own_data_set(folder, key):
    record = json.loads((folder / "one.json").read_text())
    inner = (
        {"train": {"pictures": "x"}},
        {"other": {"pictures": 1, "empty": 0, "objects": {}, "crowds": 0}},
        {"a": SIZES},
    )
    for odd in (*ODD, *inner):
        (folder / "one.json").write_text(json.dumps({**record, "check": {**record["check"], key: odd}}))
        assert "two" in names(folder)
