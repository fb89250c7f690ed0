"""Several handlers can wait for the same upload, and each takes a file of its own."""

import errno
import os
import time
from pathlib import Path

import pytest

from playground.sharing import uploads
from playground.sharing.uploads import UploadError, Uploads, find_upload


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "hash").mkdir()
    return tmp_path


@pytest.fixture
def shared(folder):
    path = folder / "hash" / "a.zip"
    path.write_text("content")
    return path


def test_only_paths_inside_the_folder_name_uploads(folder, shared):
    assert find_upload(str(shared)) == shared.resolve()
    for other in ("coco", "", "a.zip", str(folder.parent), f"{folder}/../b", f"{shared}\0", "/" + "x" * 10_000):
        assert find_upload(other) is None


def test_each_takes_a_file_of_its_own(shared):
    mine = Uploads()
    one, two = mine.take(shared), mine.take(shared)
    assert one != two and one.name == two.name == "a.zip"
    mine.drop(one)
    shared.unlink()
    assert not one.exists() and two.read_text() == "content"


def test_replacing_the_upload_leaves_what_was_taken(shared):
    mine = Uploads()
    own = mine.take(shared)
    other = shared.with_name("b")
    other.write_text("another")
    other.replace(shared)
    assert own.read_text() == "content"


def test_a_system_without_hard_links_copies(shared, monkeypatch):
    def refuse(*_):
        raise PermissionError("not here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    mine = Uploads()
    assert mine.take(shared).read_text() == "content"


def test_a_full_disk_is_one_sentence(folder, shared, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(uploads, "link_or_copy", refuse)
    with pytest.raises(UploadError, match=r"^The server cannot take a\.zip, because its disk is full: delete .*\.$"):
        Uploads().take(shared)
    assert list(folder.rglob("a.zip")) == [shared]


def test_an_upload_that_is_gone_leaves_nothing(folder, shared):
    mine = Uploads()
    with pytest.raises(UploadError, match=r"^b\.zip did not arrive: upload it again\.$"):
        mine.take(folder / "hash" / "b.zip")
    kept = [each for each in folder.rglob("*") if each.is_file() and each.name != ".lock"]
    assert kept == [shared]


def test_only_what_was_taken_is_removed(shared):
    mine = Uploads()
    mine.drop(shared)
    mine.take(shared)
    mine.drop(shared)
    assert shared.exists()


def test_the_end_removes_all_and_a_start_what_a_kill_left(folder, shared):
    ended, killed, living = Uploads(), Uploads(), Uploads()
    for each in (ended, killed):
        each.take(shared)
    ended.close()
    assert len(list(folder.glob(".own.*"))) == 1
    lock = next(folder.glob(".own.*"))
    killed.close()
    lock.mkdir()
    (lock / "own").mkdir()  # without a lock that a process holds
    living.take(shared)
    assert not lock.exists() and len(list(folder.glob(".own.*"))) == 1


def test_an_upload_that_nothing_can_be_waiting_for_is_removed(shared, folder):
    weights = folder / "hash" / "a.pth"
    weights.write_text("weights")
    mine = Uploads()
    mine.take(shared)
    assert shared.exists()
    old = time.time() - uploads.WAITING_SECONDS - 1
    empty, arriving, fresh = (folder / name for name in ("tmp1", "tmp2", "tmp3"))
    for each in (empty, fresh):
        each.touch()
    arriving.write_text("a part of a zip")
    for each in (shared, weights, empty, arriving):
        os.utime(each, (old, old))
    new = shared.with_name("new.zip")
    new.write_text("new")
    mine.take(new)
    assert not shared.exists() and weights.exists() and new.exists()
    assert [each.exists() for each in (empty, arriving, fresh)] == [False, True, True]
