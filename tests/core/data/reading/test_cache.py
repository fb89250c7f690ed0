"""What was read of a data set is kept until any of its files changes."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from core.data.files import list_files
from core.data.folders import examine_data_set, split_folder
from core.data.reading import cache, storage
from tests.core.data.layouts import NAMES, coco_single, write_pictures


@pytest.fixture
def folder(tmp_path):
    coco_single(tmp_path, "", "annotations.json")
    return tmp_path


def age(folder: Path) -> None:
    """Sets the times of all files back, as if they had not just been written."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 60,) * 2)


def test_a_second_opening_reads_nothing_again(folder, monkeypatch, tmp_path_factory):
    stored = tmp_path_factory.mktemp("stored")
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(stored))
    monkeypatch.setattr(cache, "MIN_IMAGES", 1)
    monkeypatch.setattr(cache, "CONTENTS", cache.ContentsCache())
    monkeypatch.setattr("core.data.folders.CONTENTS", cache.CONTENTS)
    (folder / NAMES[0]).unlink()
    age(folder)
    first = examine_data_set(folder)
    assert examine_data_set(folder) is first
    (path,) = stored.glob("*.npz")
    monkeypatch.setattr("core.data.folders.CONTENTS", cache.ContentsCache())
    monkeypatch.setattr("core.data.folders.read_in_its_format", lambda *_, **__: pytest.fail("it was read again"))
    second = examine_data_set(folder)
    assert second[4:] == first[4:] and second.format == first.format and second.splits.keys() == first.splits.keys()
    for one, other in zip(first.images, second.images, strict=True):
        assert one[:4] == other[:4] and one.relative == other.relative
        assert all(np.array_equal(one[field], other[field]) for field in (4, 5, 6))
    monkeypatch.undo()
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(stored))
    monkeypatch.setattr("core.data.folders.CONTENTS", cache.ContentsCache())
    for damaged in (b"", b"PK\x03\x04", path.read_bytes()[:-200], b"\x93NUMPY"):
        path.write_bytes(damaged)
        assert examine_data_set(folder).left_out == first.left_out
        monkeypatch.setattr("core.data.folders.CONTENTS", cache.ContentsCache())


@pytest.mark.parametrize("change", ["add", "remove", "touch", "split"])
def test_any_change_is_read_anew(folder, change):
    age(folder)
    before = examine_data_set(folder)
    if change == "add":
        write_pictures(folder, ["new.jpg"])
    elif change == "remove":
        (folder / NAMES[0]).unlink()
    elif change == "touch":
        os.utime(folder / NAMES[0], (1, 1))
    else:
        split_folder(folder, "random", (0.5, 0.5, 0), 0)
        age(folder)
    assert examine_data_set(folder) is not before


def test_what_has_just_been_written_is_not_kept(folder):
    assert examine_data_set(folder) is not examine_data_set(folder)


def test_times_in_the_future_are_kept(folder):
    for path in folder.rglob("*"):
        os.utime(path, (time.time() + 10**6,) * 2)
    assert examine_data_set(folder) is examine_data_set(folder)


def test_what_other_code_has_stored_is_read_again(folder, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(storage, "PACKAGE", tmp_path_factory.mktemp("code"))
    hashes = []
    for text in ("a", "b"):
        (storage.PACKAGE / "a.py").write_text(text)
        storage.hash_rules.cache_clear()
        hashes.append(storage.hash_rules())
    contents = examine_data_set(folder)
    storage.save_contents(folder / "x.npz", contents, folder)
    assert storage.load_contents(folder / "x.npz", list_files(folder)) is not None
    (storage.PACKAGE / "a.py").write_text("c")
    storage.hash_rules.cache_clear()
    assert storage.load_contents(folder / "x.npz", list_files(folder)) is None
    storage.hash_rules.cache_clear()
    assert hashes[0] != hashes[1]


def test_the_cache_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path / "stored"))
    monkeypatch.setattr(cache, "MIN_IMAGES", 1)
    monkeypatch.setattr(cache, "MAX_FILES", 2)
    monkeypatch.setattr("core.data.folders.CONTENTS", cache.ContentsCache())
    for number in range(4):
        coco_single(tmp_path / str(number), "", "annotations.json")
        age(tmp_path / str(number))
        examine_data_set(tmp_path / str(number))
    assert len(list((tmp_path / "stored").iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_no_obstacle(folder, tmp_path_factory, monkeypatch):
    blocked = tmp_path_factory.mktemp("x") / "file"
    blocked.touch()
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(blocked))
    monkeypatch.setattr(cache, "MIN_IMAGES", 1)
    age(folder)
    assert examine_data_set(folder).images
