"""Taking uploaded pictures into the visitor's album."""

from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from PIL import Image

from core.errors import PictureError
from playground.albums.limits import Bounds
from playground.albums.service import ALBUMS
from playground.data.intake import read_upload, take
from playground.support.visitors import COOKIE, visitor_of

ANNA = SimpleNamespace(cookies={COOKIE: "anna"})
NOBODY = SimpleNamespace(cookies={})


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(gr.utils, "get_upload_folder", lambda: str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    before = ALBUMS.folder
    ALBUMS.use_folder(tmp_path / "albums")
    yield tmp_path / "uploads"
    ALBUMS.use_folder(before)


def upload(folder: Path, name: str = "a.png", size: tuple[int, int] = (40, 30)) -> dict[str, str]:
    Image.new("RGB", size).save(folder / name)
    return {"path": str(folder / name), "name": name}


def test_a_picture_is_taken_and_its_upload_removed(uploads: Path) -> None:
    for number in range(2):
        request = upload(uploads)
        assert take(request, ANNA) == {"index": number, "scaled": False, "error": "", "stop": False}
        assert not Path(request["path"]).exists()
    album = ALBUMS.of(visitor_of(ANNA))
    assert album and [picture.title for picture in album.pictures] == ["a.png", "a.png"]


def test_without_a_cookie_the_upload_stays_to_be_shown(uploads: Path) -> None:
    request = upload(uploads)
    assert take(request, NOBODY) == {"index": None, "scaled": False, "error": "", "stop": False}
    assert Path(request["path"]).exists() and not list((ALBUMS.folder).glob("my-*"))


def test_what_cannot_be_opened_is_refused_and_others_go_on(uploads: Path) -> None:
    (uploads / "no.png").write_text("no picture")
    answer = take({"path": str(uploads / "no.png"), "name": "no.png"}, ANNA)
    assert answer["error"] and not answer["stop"] and answer["index"] is None
    assert str(uploads) not in answer["error"]


def test_a_full_album_stops_the_upload(uploads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ALBUMS, "bounds", Bounds(pictures=1))
    take(upload(uploads), ANNA)
    answer = take(upload(uploads), ANNA)
    assert answer["stop"] and "at most 1 picture" in answer["error"]


@pytest.mark.parametrize(
    "request_",
    [None, [], {}, {"path": "/etc/passwd", "name": "x"}, {"path": 3, "name": "x"}, {"path": "a\0b", "name": "x"}],
)
def test_only_uploads_are_read(uploads: Path, request_: object) -> None:
    with pytest.raises(PictureError):
        read_upload(request_)


def test_a_path_cannot_leave_the_folder_of_uploads(uploads: Path) -> None:
    outside = upload(uploads.parent, "secret.png")
    for path in (outside["path"], f"{uploads}/../secret.png"):
        with pytest.raises(PictureError, match="did not arrive"):
            read_upload({"path": path, "name": "x"})
    (uploads / "link.png").symlink_to(outside["path"])
    with pytest.raises(PictureError, match="did not arrive"):
        read_upload({"path": str(uploads / "link.png"), "name": "x"})
    assert len(read_upload({**upload(uploads), "name": "n" * 999})[1]) <= 200
