"""Small annotation files that would take minutes or gigabytes to read, and long honest ones."""

from pathlib import Path

import pytest

from core.data.folders import read_data_set
from core.data.formats.name_index import MAX_SPLIT, split_path
from core.data.formats.tables import cells
from core.data.formats.texts import read_lines
from core.data.formats.xml_files import read_xml
from core.data.formats.yaml_files import MAX_DEPTH, load_yaml
from core.data.formats.yolo.settings import MAX_SETTINGS
from core.data.untrusted import DataError
from tests.core.made_data import yolo
from tests.effort import little_effort

LEVELS = 60
ALIASES = "\n".join(["a0: &a0 x", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, LEVELS))])
LAST = f"*a{LEVELS - 1}"
LONG = "a/" * 30_000


@pytest.fixture
def folder(tmp_path):
    return yolo(tmp_path / "set", {"train/p": "0 0.5 0.5 0.5 0.5"})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (f"names: {LAST}", "needs the class names"),
        (f"names: {{0: {LAST}}}", "needs the class names"),
        (f"names: [cat]\nnc: {LAST}", r"gives \[\[\[\.\.\.\], .*… classes \(nc\)"),
        (f"names: [cat]\ntrain: {LAST}", r"says that train is at "),
        (f"names: [cat]\ntrain: [{LAST}, {LAST}]", r"says that train is at "),
        (f"names: [cat]\nkpt_shape: {LAST}", "gives the kpt_shape"),
        (f"names: [cat]\nkpt_shape: [{LAST}, {LAST}]", "gives the kpt_shape"),
        (f"names: [cat]\n? {LAST}\n: 3", "is not YAML"),
        ("names: [cat]\ntrain: " + "[" * (MAX_DEPTH + 1), "more than 20 brackets in each other"),
        ("names: [cat]\ntrain: " + "- " * 10_000, "is not YAML"),
    ],
)
def test_settings_that_unfold_are_refused_at_once(setting, message, folder):
    (folder / "data.yaml").write_text(f"{ALIASES}\n{setting}\n")
    with little_effort(2), pytest.raises(DataError, match=message) as error:
        read_data_set(folder)
    assert len(str(error.value)) <= 500


def test_a_path_without_end_is_not_there(folder):
    (folder / "data.yaml").write_text(f"names: [cat]\ntrain: {LONG}\n")
    with little_effort(2):
        assert "says that train is at 'a/a/" in read_data_set(folder).reading


def test_so_many_settings_are_not_read(folder):
    for number in range(MAX_SETTINGS + 1):
        (folder / f"{number}.yaml").write_text("names: [cat]\n")
    with pytest.raises(DataError, match="YAML files that describe a data set: keep one of them"):
        read_data_set(folder)


def test_nesting_in_brackets_has_a_bound():
    assert load_yaml("[" * MAX_DEPTH + "a" + "]" * MAX_DEPTH)
    with pytest.raises(ValueError, match="brackets"):
        load_yaml("{a: " * (MAX_DEPTH + 1))


def test_a_path_longer_than_any_file_has_is_not_split():
    assert split_path("a/b/../c") == ["a", "c"]
    assert split_path("a/" * MAX_SPLIT) == ["a/" * MAX_SPLIT]


@pytest.mark.parametrize("content", [b"<a/>" * (4 * 10**6), b"<b " + b'a=""' * (10**7 + 1) + b"/>"])
def test_xml_of_nothing_but_elements_is_refused_before_it_is_parsed(content, tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(b"<annotations>" + content + b"</annotations>")
    message = r"a\.xml has more elements than are read: split the data set"
    with little_effort(2), pytest.raises(DataError, match=message):
        read_xml(path, 2**30, "export it again")


@pytest.mark.slow
def test_deep_xml_is_read_or_refused(tmp_path):
    (tmp_path / "a.xml").write_bytes(b"<a>" * 200_000 + b"</a>" * 200_000)
    assert read_xml(tmp_path / "a.xml", 2**22, "export it again").tag == "a"


def test_a_list_of_empty_lines_is_refused_before_it_is_split(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\n" * (9 * 10**6))
    with pytest.raises(DataError, match=r"a\.txt has more than 4,000,000 lines: split the data set"):
        read_lines(tmp_path / "a.txt")


def test_a_table_of_empty_cells_is_refused_before_it_is_split(monkeypatch):
    monkeypatch.setattr(cells, "MAX_CELLS", 1000)
    assert cells.read_rows(Path("a.csv"), "a,b\n" * 400, ",")
    with pytest.raises(DataError, match=r"a\.csv has more than 1,000 cells: split the data set"):
        cells.read_rows(Path("a.csv"), "," * 1001, ",")


@pytest.mark.parametrize("count", [1000])
def test_a_thousand_classes_are_read(count, folder):
    names = "\n".join(f"  {number}: a rather long name of class {number}" for number in range(count))
    (folder / "data.yaml").write_text(f"names:\n{names}\n")
    assert len(read_data_set(folder).class_names) == count
