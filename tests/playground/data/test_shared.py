"""Two pages over one folder see, bound and spare each other's data sets; a disk that takes nothing changes nothing."""

import errno
import os
from pathlib import Path

import pytest

from core.data.untrusted import DataError
from core.data.zips.importing import unpacked
from playground.data.datasets import DataSets
from playground.data.stored import library as module
from playground.data.stored.access import LOCKS
from playground.data.stored.bounds import Bounds
from tests.core.made_data import yolo
from tests.playground.data.test_datasets import CONFIG, LINE, list_files, zipped

HALVES = (0.5, 0.5, 0)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return zipped(yolo(tmp_path_factory.mktemp("made") / "set", {"p0": LINE, "p1": LINE}))


@pytest.fixture
def pages(tmp_path):
    return DataSets(tmp_path / "kept", Bounds(sets=2)), DataSets(tmp_path / "kept", Bounds(sets=2))


def fail(number):
    def raise_error(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return raise_error


def test_each_page_sees_what_the_other_does(pages, archive):
    one, other = pages
    assert other.library.names() == ()
    one.add_zip(archive, "a", CONFIG)
    assert other.library.names() == ("a",) and other.open_split("a", "train")
    before = other.library.get("a").splits
    after = one.split("a", "random", HALVES, CONFIG)
    assert other.library.get("a") == after and other.last_split() == "a"
    assert other.undo_split(CONFIG).splits == before == one.library.get("a").splits and one.last_split() == ""
    other.delete("a")
    assert one.library.names() == () and one.restore() == other.library.get("a")


def test_a_split_that_the_other_page_has_replaced_is_not_undone(pages, archive):
    one, other = pages
    one.add_zip(archive, "a", CONFIG)
    one.split("a", "random", HALVES, CONFIG)
    other.split("a", "random", (1, 0, 0), CONFIG)
    assert one.undo_split(CONFIG).splits == {"train": 1, "val": 1}
    with pytest.raises(DataError, match="no split of yours to undo"):
        one.undo_split(CONFIG)


def test_both_share_the_bounds_and_the_order_of_use(pages, archive):
    one, other = pages
    one.add_zip(archive, "a", CONFIG)
    other.add_zip(archive, "b", CONFIG)
    other.open_split("a", "train")
    one.add_zip(archive, "c", CONFIG)
    assert other.library.names() == one.library.names() == ("a", "c")


def test_what_one_page_uses_the_other_does_not_change(pages, archive):
    one, other = pages
    for name in "ab":
        one.add_zip(archive, name, CONFIG)
    with one.library.hold("a"), other.library.hold("a"):
        for change in (
            lambda: other.delete("a"),
            lambda: other.split("a", "random", HALVES, CONFIG),
            lambda: one.delete("a"),
        ):
            with pytest.raises(DataError, match="in use by a run or an evaluation"):
                change()
        other.add_zip(archive, "c", CONFIG)
    assert one.library.names() == ("a", "c")
    with other.library.alone("a"), pytest.raises(DataError, match="is being split or deleted: try again"):
        one.library.hold("a")
    with pytest.raises(DataError, match="no data set 'b' here"):
        one.library.hold("b")
    other.delete("a")
    assert sorted(path.name for path in (one.library.folder / LOCKS).iterdir()) == [".library", "c"]


@pytest.mark.slow
def test_a_page_that_starts_spares_what_another_imports(tmp_path, archive):
    folder = tmp_path / "kept"
    folder.mkdir()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with unpacked(archive, folder / "upload") as root:
            os.write(writing, b"1")
            while (folder / "wait").exists() or not (folder / ".locks").exists():
                pass
            root.rename(folder / "whole")
        os._exit(0)
    (folder / "wait").touch()
    os.read(reading, 1)
    assert DataSets(folder).library.names() == ()
    DataSets(folder).add_zip(archive, "mine", CONFIG)
    (folder / "wait").unlink()
    assert os.waitpid(child, 0)[1] == 0
    assert len(list((folder / "whole" / "images").iterdir())) == 2 and not list(folder.glob(".*.part"))


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "disk is full: delete what you no longer need"), (errno.EROFS, "ask its operator to allow that")],
)
def test_a_disk_that_takes_nothing_changes_nothing(pages, archive, monkeypatch, number, remedy):
    data = pages[0]
    before = data.add_zip(archive, "a", CONFIG)
    data.split("a", "random", HALVES, CONFIG)
    lists = data.library.get("a")
    files = list_files(data)
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_record", fail(number))
        for change in (
            lambda: data.add_zip(archive, "b", CONFIG),
            lambda: data.split("a", "random", (1, 0, 0), CONFIG),
            lambda: data.undo_split(CONFIG),
        ):
            with pytest.raises(DataError, match=remedy) as error:
                change()
            assert str(data.library.folder) not in str(error.value)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail(number))
        for change in (lambda: data.add_zip(archive, "b", CONFIG), lambda: data.delete("a")):
            with pytest.raises(DataError, match=remedy):
                change()
    assert data.library.get("a") == lists and list_files(data)[-2:] == files[-2:] == ["a", "a.json"]
    assert data.undo_split(CONFIG).splits == before.splits


def test_a_library_that_cannot_be_changed_can_be_read(pages, archive, monkeypatch):
    pages[0].add_zip(archive, "a", CONFIG)
    monkeypatch.setattr(os, "utime", fail(errno.EROFS))
    monkeypatch.setattr("playground.support.shared_folder.FileLock.try_acquire", fail(errno.EROFS))
    data = DataSets(pages[0].library.folder)
    assert data.library.names() == ("a",) and len(data.open_split("a", "train")) == 1
    with data.library.hold("a"):
        pass


def test_a_folder_that_is_added_again_stays_as_it_is_while_it_is_used(tmp_path):
    made = yolo(tmp_path / "server" / "set", {"p0": LINE, "p1": LINE})
    one, other = DataSets(tmp_path / "kept"), DataSets(tmp_path / "kept")
    for each in (one, other):
        each.allow_folder(tmp_path / "server")
    first = one.add_folder("set", CONFIG, owner="ann")
    with other.library.hold(first.name):
        assert one.add_folder("set", CONFIG, owner="bob") == first  # nothing has changed
        next((made / "labels").rglob("p0.txt")).write_text(f"{LINE}{LINE}")
        with pytest.raises(DataError, match="is in use by a run or an evaluation"):
            one.add_folder("set", CONFIG, owner="ann")
        assert other.library.get(first.name).check == first.check
    assert one.add_folder("set", CONFIG, owner="ann").check != first.check
