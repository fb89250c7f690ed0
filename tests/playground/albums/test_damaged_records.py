"""Records of albums that were damaged or changed: each costs its own album, never another visitor's."""

import json
import os

import pytest

from playground.albums import storage
from playground.albums.album import ALL, AlbumError
from playground.albums.service import ALBUMS
from playground.albums.storage import PICTURES, PREVIOUS, RECORD, AlbumStorage
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


def test_an_album_that_cannot_be_looked_into_is_not_taken_for_one_without_a_record(keys, monkeypatch):
    monkeypatch.setattr(storage, "is_missing", lambda path: False)
    for key in keys:
        (ALBUMS.folder / key / RECORD).unlink()
    ALBUMS._storage.sweep()
    assert all((ALBUMS.folder / key).is_dir() for key in keys)
