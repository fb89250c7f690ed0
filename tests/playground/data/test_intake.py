"""Taking uploaded pictures into the visitor's album."""

import secrets
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from PIL import Image

from core.errors import PictureError
from playground.albums.limits import Bounds
from playground.albums.service import ALBUMS
from playground.data.intake import read_upload, take
from playground.data.picture import key_in_album
from playground.support.visitors import COOKIE, visitor_of
from tests.playground.made_albums import albums_at

ANNA = SimpleNamespace(cookies={COOKIE: "anna"})
NOBODY = SimpleNamespace(cookies={})
TAKEN = {"pixels_key": None, "album": "", "scaled": False, "error": "", "stop": False}  # without being saved


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(gr.utils, "get_upload_folder", lambda: str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    with albums_at(tmp_path / "albums"):
        yield tmp_path / "uploads"


def place(folder: Path, name: str = "") -> Path:
    """Returns where Gradio puts an upload that the browser sends under a name, a random one for ""."""
    (folder / "hash").mkdir(exist_ok=True)
    return folder / "hash" / (name or secrets.token_hex(16))


def upload(folder: Path, name: str = "a.png", *, sent_as: str = "") -> dict[str, str]:
    path = place(folder, sent_as)
    Image.new("RGB", (40, 30)).save(path, "PNG")
    return {"path": str(path), "name": name}


def test_a_picture_is_taken_and_its_upload_removed(uploads: Path) -> None:
    for number in range(2):
        request = upload(uploads)
        answer, album = take(request, ANNA), ALBUMS.of(visitor_of(ANNA))
        assert album and answer == {**TAKEN, "pixels_key": key_in_album(album, number), "album": album.key}
        assert not Path(request["path"]).parent.exists()
    assert album and [picture.title for picture in album.pictures] == ["a.png", "a.png"]


def test_without_a_cookie_the_upload_stays_to_be_shown(uploads: Path) -> None:
    request = upload(uploads)
    assert take(request, NOBODY) == TAKEN
    assert Path(request["path"]).exists() and not list((ALBUMS.folder).glob("my-*"))


def test_what_cannot_be_opened_is_refused_and_others_go_on(uploads: Path) -> None:
    no_picture = place(uploads)
    no_picture.write_text("no picture")
    answer = take({"path": str(no_picture), "name": "no.png"}, ANNA)
    assert answer["error"].startswith("The file no.png is not a picture")
    assert not answer["stop"] and answer["pixels_key"] is None
    assert str(uploads) not in answer["error"]


def test_a_full_album_stops_the_upload(uploads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ALBUMS, "bounds", Bounds(pictures=1))
    take(upload(uploads), ANNA)
    answer = take(upload(uploads), ANNA)
    assert answer["stop"] and "at most 1 picture" in answer["error"]


def test_an_upload_whose_album_has_been_deleted_meanwhile_makes_no_new_one(uploads: Path) -> None:
    first = take(upload(uploads), ANNA)
    ALBUMS.delete_all(visitor_of(ANNA))
    answer = take({**upload(uploads), "album": first["album"]}, ANNA)
    assert answer["stop"] and "have been deleted while more were on their way" in answer["error"]
    assert ALBUMS.of(visitor_of(ANNA)) is None
    assert take({**upload(uploads), "album": ["x"]}, ANNA)["album"] not in ("", first["album"])  # a new upload


@pytest.mark.parametrize(
    "request_",
    [
        None,
        [],
        {},
        {"path": "/etc/passwd", "name": "x"},
        {"path": 3, "name": "x"},
        {"path": "a\0b", "name": "x"},
        {"path": "\ud800", "name": "x"},
        {"path": "a" * 100_000, "name": "x"},
        {"path": "", "name": "x"},
    ],
)
def test_only_uploads_are_read(uploads: Path, request_: object) -> None:
    with pytest.raises(PictureError):
        read_upload(request_)


def test_a_path_cannot_leave_the_folder_of_uploads(uploads: Path) -> None:
    outside = Path(upload(uploads.parent)["path"])
    link = place(uploads)
    link.symlink_to(outside)
    inside = uploads / "hash"
    paths = [outside, uploads / ".." / "hash" / outside.name, link, uploads, inside, inside / "\ud800"]
    paths += [inside / ("a" * 5000), uploads / ("a/" * 3000), inside / outside.name]
    for path in paths:
        with pytest.raises(PictureError, match="did not arrive"):
            read_upload({"path": str(path), "name": "x"})


def test_uploads_for_anything_else_are_not_taken(uploads: Path) -> None:
    """Weights, data sets and downloads lie in the same folder, and have the names that people gave them."""
    for name in ("weights.safetensors", "a.png", "0" * 31, "0" * 33, "g" * 32):
        request = upload(uploads, sent_as=name)
        assert "did not arrive" in take(request, ANNA)["error"] and Path(request["path"]).exists()


def test_names_are_short_single_lines(uploads: Path) -> None:
    for given, name in (("a\nb\u202egnp.exe\ud800", "a b gnp.exe"), ("\0", "picture"), ("n" * 60_000, "n" * 100)):
        assert read_upload({**upload(uploads), "name": given})[1] == name
