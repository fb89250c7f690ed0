"""Records of data sets that were damaged or changed: each costs its own data set, never the list."""

import json
import os
from pathlib import Path

import pytest

from core.analysis.dataset_check import DataCheck, SplitSummary
from core.analysis.size_check import ClassSizes
from playground.data.stored.library import Bounds, DataSetLibrary
from playground.data.stored.records import StoredDataSet, write_record

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


def test_what_is_no_file_costs_its_own_data_set(folder):
    for number, make in enumerate((os.mkdir, os.mkfifo, lambda path: os.symlink(path, path))):
        make(folder / f"odd-{number}.json")
    os.symlink(folder / "nothing", folder / "aa.json")  # before the others
    assert names(folder) == ("one", "two")


@pytest.mark.parametrize("key", ["folder", "size", "check", "owner", "format", "lists"])
def test_odd_values_cost_at_most_their_own_data_set(folder, key):
    record = json.loads((folder / "one.json").read_text())
    for odd in ODD:
        (folder / "one.json").write_text(json.dumps({**record, key: odd}))
        assert "two" in names(folder)


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
