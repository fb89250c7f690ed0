"""Records of albums that were damaged or changed: each costs its own album, never another visitor's."""

import errno
import json
import os

import pytest

from playground.albums import storage
from playground.albums.album import ALL, AlbumError
from playground.albums.followers import UNDO_SECONDS
from playground.albums.service import ALBUMS
from playground.albums.storage import DAMAGED, PICTURES, PREVIOUS, RECORD, AlbumStorage
from playground.canvas.canvas import payload
from playground.canvas.view import View
from playground.data.albums import find_again
from playground.data.image_ref import ImageRef
from playground.server.album_state import describe_audience
from tests.playground.made_albums import albums_at, fill_album

ANN, BOB = "a" * 32, "b" * 32
ODD = (
    None, True, -1, 3.5, "x", [], {}, [1], {"a": 1}, float("nan"), float("inf"), 10**400, "\ud800", "\0", "../x",
    "x" * 5000, [[[]]], [None], [["a", "b", "c", "d"]], [[0, 0, float("nan"), 1]],
)  # fmt: skip


@pytest.fixture
def keys(tmp_path):
    with albums_at(tmp_path / "albums"):
        found = [fill_album(visitor, tmp_path).key for visitor in (ANN, BOB)]
        for key in found:
            (ALBUMS.folder / key / PREVIOUS).unlink()
        yield found


def look() -> None:
    """Ann's album may be gone; Bob's is not."""
    for visitor in (ANN, BOB):
        album = ALBUMS.of(visitor)
        assert album or visitor == ANN
        if album:
            assert json.dumps(album._asdict(), allow_nan=False) and ALBUMS.split_stamp(album.key, ALL, visitor)
            for index, picture in enumerate(album.pictures):
                find_again(album, ImageRef(album.key, ALL, index), "")
                assert payload(View("data:x", picture.width, picture.height))
    assert len(ALBUMS.of(BOB).pictures) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"[" * 200_000, b"9" * 5000, bytes(range(256))])
def test_a_damaged_record_costs_its_own_album(keys, content):
    (ALBUMS.folder / keys[0] / RECORD).write_bytes(content)
    look()
    with pytest.raises(AlbumError, match="cannot be read, because their record is damaged: ask the operator"):
        ALBUMS.get(keys[0], ANN)
    with pytest.raises(AlbumError, match=f"^The album {keys[0]} cannot be read, because its record is damaged: "):
        ALBUMS.clean()
    assert (ALBUMS.folder / keys[0]).is_dir()


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink(path, path)])
def test_what_is_no_file_costs_its_own_album(keys, make):
    path = ALBUMS.folder / keys[0] / RECORD
    path.unlink()
    make(path)
    look()


@pytest.mark.parametrize(
    "name",
    ["file", "title", "width", "height", "boxes", "labels", "labelled", "rejected", "split", "made", "scaled"],
)
def test_odd_values_of_a_picture_cost_at_most_their_own_album(keys, name):
    path = ALBUMS.folder / keys[0] / RECORD
    record = json.loads(path.read_text())
    for odd in ODD:
        path.write_text(json.dumps({**record, "pictures": [{**record["pictures"][0], name: odd}]}))
        look()


@pytest.mark.parametrize("name", ["key", "owner", "shared", "class_names", "class_colours"])
def test_odd_values_of_an_album_cost_at_most_their_own_album(keys, name):
    path = ALBUMS.folder / keys[0] / RECORD
    record = json.loads(path.read_text())
    for odd in ODD:
        path.write_text(json.dumps({**record, "album": {**record["album"], name: odd}}))
        look()


def test_a_folder_that_cannot_be_read_has_no_albums(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.listdir", refuse)
    assert AlbumStorage(tmp_path).list_keys() == []


def test_a_damaged_picture_costs_itself_and_is_counted(keys):
    path = ALBUMS.folder / keys[0] / RECORD
    record = json.loads(path.read_text())
    path.write_text(
        json.dumps({**record, "pictures": [{**record["pictures"][0], "width": "x"}, record["pictures"][1]]})
    )
    album = ALBUMS.of(ANN)
    assert (len(album.pictures), album.lost) == (1, 1)
    said = "Only this browser can see these pictures. 1 picture cannot be read any more and is left out: upload what "
    assert describe_audience(album, mine=True) == f"{said}you miss again."
    next((ALBUMS.folder / keys[0] / PICTURES).iterdir()).unlink()
    next((ALBUMS.folder / keys[1] / PICTURES).iterdir()).unlink()
    os.utime(ALBUMS.folder / keys[1] / RECORD)
    assert (len(ALBUMS.of(BOB).pictures), ALBUMS.of(BOB).lost) == (1, 1)
    album = ALBUMS.share(BOB, True)
    assert (len(album.pictures), album.lost) == (1, 0) and "left out" not in describe_audience(album, mine=True)


def pictures_of(key: str) -> set[str]:
    return {path.name for path in (ALBUMS.folder / key / PICTURES).iterdir()}


def change_record(key: str, change) -> dict:
    """Alters the record of an album; returns it as it was."""
    path = ALBUMS.folder / key / RECORD
    before, record = json.loads(path.read_text()), json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    return before


def clean_late(monkeypatch) -> None:
    """Cleans up when nothing that was removed can be restored any more."""
    now = AlbumStorage.now
    monkeypatch.setattr(AlbumStorage, "now", lambda self: now(self) + 2 * UNDO_SECONDS)
    ALBUMS.clean()


@pytest.mark.parametrize("damaged", [None, 5, [], {}, {"file": 7}, "x", [[]], float("nan")], ids=str)
def test_a_damaged_entry_stays_in_the_record_and_no_file_is_erased(keys, damaged, monkeypatch):
    before, there = (
        change_record(keys[0], lambda record: record["pictures"].__setitem__(0, damaged)),
        pictures_of(keys[0]),
    )
    for _ in range(3):
        album = ALBUMS.share(ANN, True)
        assert (len(album.pictures), album.lost) == (1, 1) and "left out" in describe_audience(album, mine=True)
    clean_late(monkeypatch)
    assert pictures_of(keys[0]) == there
    change_record(keys[0], lambda record: record["pictures"].__setitem__(1, before["pictures"][0]))  # as an operator
    assert (len(ALBUMS.of(ANN).pictures), ALBUMS.of(ANN).lost) == (2, 0)


@pytest.mark.parametrize("damaged", [None, 5, [], [{}, 0, 0], [1, 2], {"a": 1}], ids=str)
def test_a_damaged_entry_of_a_removed_picture_costs_no_other(keys, damaged, monkeypatch):
    ALBUMS.remove(ANN, 0)
    there = pictures_of(keys[0])
    change_record(keys[0], lambda record: record["removed"].append(damaged))
    album = ALBUMS.share(ANN, True)
    assert (len(album.pictures), len(album.removed), album.lost) == (1, 1, 0)
    clean_late(monkeypatch)
    assert pictures_of(keys[0]) == there and len(ALBUMS.of(ANN).pictures) == 1


def test_a_damaged_record_is_kept_beside_what_follows_it_and_no_file_is_erased(keys, monkeypatch):
    folder = ALBUMS.folder / keys[0]
    ALBUMS.share(ANN, True)
    there, damaged = pictures_of(keys[0]), (folder / RECORD).read_bytes()[:-9]
    (folder / RECORD).write_bytes(damaged)
    album = ALBUMS.of(ANN)
    assert (
        album.is_previous
        and not album.shared
        and "What was changed last cannot be" in describe_audience(album, mine=True)
    )
    clean_late(monkeypatch)
    for split in ("train", "val"):
        assert not ALBUMS.set_split(ANN, 0, split).is_previous
    assert (folder / DAMAGED).read_bytes() == damaged
    ALBUMS.remove(ANN, 0)
    clean_late(monkeypatch)
    assert pictures_of(keys[0]) == there and len(ALBUMS.of(ANN).pictures) == 1
    (folder / DAMAGED).unlink()  # the operator has looked at it
    clean_late(monkeypatch)
    assert len(pictures_of(keys[0])) == 1


def test_an_album_with_nothing_but_a_damaged_record_is_kept(keys):
    (ALBUMS.folder / keys[0] / RECORD).rename(ALBUMS.folder / keys[0] / DAMAGED)
    ALBUMS._storage.sweep()
    assert pictures_of(keys[0])


def test_an_error_of_the_moment_does_not_bring_the_previous_record_back(keys, monkeypatch):
    ALBUMS.share(ANN, True)
    storage_of = AlbumStorage(ALBUMS.folder)

    def fail(path):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "read_bytes", fail)
        assert storage_of.find(keys[0]) is None
    assert storage_of.find(keys[0]).shared


def test_a_picture_that_cannot_be_looked_at_stays_in_the_record(keys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("os.path.isfile", lambda path: False)
        os.utime(ALBUMS.folder / keys[0] / RECORD)
        assert (len(ALBUMS.of(ANN).pictures), ALBUMS.of(ANN).lost) == (0, 2)
        assert ALBUMS.share(ANN, True).lost == 2
    os.utime(ALBUMS.folder / keys[0] / RECORD)
    assert (len(ALBUMS.of(ANN).pictures), ALBUMS.of(ANN).lost) == (2, 0)


def test_an_album_that_cannot_be_looked_into_is_not_taken_for_one_without_a_record(keys, monkeypatch):
    monkeypatch.setattr(storage, "is_missing", lambda path: False)
    for key in keys:
        (ALBUMS.folder / key / RECORD).unlink()
    ALBUMS._storage.sweep()
    assert all((ALBUMS.folder / key).is_dir() for key in keys)
