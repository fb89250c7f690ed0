"""A journal keeps what was added, whatever happens, and nothing else."""

import zlib

import pytest

from core.io.atomic import OutputError
from core.io.journal import Journal
from tests.killing import kill_at_every_change


def make(path, *, keep: bool = True) -> Journal:
    journal = Journal(path, keep=keep)
    if not journal.header:
        journal.begin({"version": 1})
    return journal


def test_records_are_found_by_key_and_survive(tmp_path):
    with make(tmp_path / "j") as journal:
        journal.add("a", {"value": 1})
        journal.add("\udcff ü", {"value": 2})  # a name that is not UTF-8
        journal.add("a", {"value": 3})
        assert journal.find("a")["value"] == 3 and journal.find("b") is None
    with make(tmp_path / "j") as journal:
        assert journal.count == 2 and journal.header == {"version": 1}
        assert journal.find("a")["value"] == 3 and journal.find("\udcff ü")["value"] == 2


def line(text: bytes) -> bytes:
    return b"%08x %s\n" % (zlib.crc32(text), text)


class NearlyFull:
    """A file on a disk with room for three more bytes."""

    def __init__(self, file):
        self._file, self._room = file, 3
        self.seek, self.truncate = file.seek, file.truncate

    def write(self, content):
        if not self._room:
            raise OSError(28, "No space left on device")
        self._room = 0
        return self._file.write(content[:3])


DAMAGED = [
    b'{"key": "b", "val', b'{"key": "b"}', b"\xff\n", b"[1]\n{}\n", b'{"key": "b"}\n', line(b"[1]"), line(b"letter"),
    line(b'{"key": "b"}')[:-1], line(b'{"key": "b"}').replace(b"b", b"d"), b"\n", line(b'{"key": "b"}')[1:],
]  # fmt: skip


@pytest.mark.parametrize("end", DAMAGED)
def test_a_cut_or_damaged_end_is_dropped(end, tmp_path):
    with make(tmp_path / "j") as journal:
        journal.add("a", {})
    content = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(content + end)
    with make(tmp_path / "j") as journal:
        assert journal.count == 1
        journal.add("c", {})
    assert (tmp_path / "j").read_bytes() == content + line(b'{"key": "c"}')


def test_a_new_journal_forgets_the_old_one(tmp_path):
    with make(tmp_path / "j") as journal:
        journal.add("a", {})
    with make(tmp_path / "j", keep=False) as journal:
        assert journal.count == 0 and journal.header == {"version": 1}


def test_files_that_are_no_journal_are_kept(tmp_path):
    (tmp_path / "j").write_text("a letter\n")
    with pytest.raises(OutputError, match="holds something else than the state of a run"):
        make(tmp_path / "j")
    assert (tmp_path / "j").read_text() == "a letter\n"


def test_a_record_that_found_no_room_can_be_added_later(tmp_path, monkeypatch):
    with make(tmp_path / "j") as journal:
        journal.add("a", {"value": 1})
        with monkeypatch.context() as patch:
            patch.setattr(journal, "_file", NearlyFull(journal._file))
            with pytest.raises(OSError, match="No space left"):
                journal.add("b", {"value": 2})
        assert journal.find("b") is None and journal.count == 1
        journal.add("b", {"value": 3})
    with make(tmp_path / "j") as journal:
        assert journal.find("a")["value"] == 1 and journal.find("b")["value"] == 3


def test_records_added_and_killed_at_any_change_are_all_there_but_the_last(tmp_path):
    (tmp_path / "folder").mkdir()

    def add(folder):
        with make(folder / "j") as journal:
            journal.add("a", {})

    for _, copy in kill_at_every_change(tmp_path / "folder", add):
        add(copy)
        with make(copy / "j") as journal:
            assert journal.count == 1 and journal.header == {"version": 1}


def test_one_process_at_a_time(tmp_path):
    with make(tmp_path / "j"), pytest.raises(OutputError, match="is used by another run"):
        make(tmp_path / "j")
