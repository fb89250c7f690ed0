"""Errors of the system name their file and say what to do."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.io.atomic import write_atomically, write_text
from core.io.journal import Journal
from core.io.troubles import PlaceError, explain, naming, require_usable


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "No space left on device. Free some space on the disk."),
        (errno.EDQUOT, "Disk quota exceeded. Free some space on the disk."),
        (errno.EFBIG, "File too large. Raise the limit of the size of files (ulimit -f), or use another disk."),
        (errno.EROFS, "Read-only file system. Let this user write there, or name another place."),
        (errno.EACCES, "Permission denied. Let this user write there, or name another place."),
        (errno.EMFILE, "Too many open files. Raise the limit of open files (ulimit -n)."),
        (errno.ENOTTY, "Inappropriate ioctl for device."),
    ],
)
def test_an_error_is_explained_with_its_remedy(number, remedy):
    assert explain(OSError(number, os.strerror(number))) == remedy


def test_a_write_that_fails_names_the_file_and_not_its_part(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left") as failed:
        write_text(tmp_path / "a.json", "{}")
    assert failed.value.filename == str(tmp_path / "a.json") and not list(tmp_path.iterdir())


def test_a_part_that_cannot_be_made_names_the_file(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError) as failed:
        write_text(tmp_path / "none" / "a.json", "{}")
    assert failed.value.filename == str(tmp_path / "none" / "a.json")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotADirectoryError) as failed, write_atomically(Path("a.json")) as part:
        (part / "inside").read_text()
    assert failed.value.filename == "a.json"


def test_other_names_stay(tmp_path):
    with pytest.raises(FileNotFoundError) as failed, naming(tmp_path / "a"):
        (tmp_path / "source").read_text()
    assert failed.value.filename == str(tmp_path / "source")
    with pytest.raises(OSError, match="no number") as unnumbered, naming(tmp_path / "a"):
        raise OSError("no number")
    assert unnumbered.value.filename is None


def test_a_record_that_cannot_be_added_names_the_journal(tmp_path, monkeypatch):
    with Journal(tmp_path / "a", keep=False) as journal:
        journal.begin({})
        with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left") as failed:
            patched.setattr(journal, "_file", SimpleNamespace(seek=lambda *_: 0, write=full, truncate=lambda _: None))
            journal.add("a", {})
    assert failed.value.filename == str(tmp_path / "a")


def test_a_folder_can_be_used_if_it_or_its_parent_can_be_written(tmp_path):
    require_usable(tmp_path)
    require_usable(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "none")
    for name in ("file", "file/a", "link"):
        with pytest.raises(PlaceError, match=rf"The folder {tmp_path / name} cannot be used: "):
            require_usable(tmp_path / name)
