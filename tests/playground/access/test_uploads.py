"""Uploads are bounded, leave nothing behind, and a full disk is named."""

import os
from collections import namedtuple
from pathlib import Path

import gradio as gr
import pytest
from gradio.routes import App
from starlette.testclient import TestClient

from playground.access import uploads
from playground.access.events import PageBlocks
from playground.access.refusals import SENTENCES
from playground.access.uploads import BROKEN, PATH, clean_name
from playground.page import launch_options

MOST = 2**20
FORM = "multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
LARGE = "The file is too large: 1 MB are allowed."


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with PageBlocks(analytics_enabled=False) as blocks:
        gr.HTML("a page")
    blocks.is_running, blocks.max_file_size = True, MOST
    app = App.create_app(blocks, app_kwargs=launch_options()["app_kwargs"])
    app.uploaded_file_dir = str(tmp_path_factory.mktemp("uploads"))
    with TestClient(app, base_url="http://127.0.0.1:7860", raise_server_exceptions=False) as made:
        yield made


def left(client) -> list[Path]:
    return [path for path in Path(client.app.uploaded_file_dir).rglob("*") if path.is_file()]


def send(client, content, kind=FORM):
    return client.post(PATH, content=content, headers={"content-type": kind})


@pytest.mark.parametrize("content", [b"", b"abc", b"x" * MOST])
def test_a_file_arrives_under_its_name(client, content):
    one, other = (client.post(PATH, files={"files": ("my cat.png", content)}).json()[0] for _ in range(2))
    assert one != other and Path(one).name == "my cat.png" and Path(one).read_bytes() == content
    assert {one, other} <= client.app.get_blocks().upload_file_set
    assert Path(one).parent.parent == Path(client.app.uploaded_file_dir)
    for path in (one, other):
        os.remove(path)
    assert left(client) == []


WRONG = {
    "no form": (b"abc", "text/plain"),
    "no kind": (b"abc", ""),
    "no boundary": (b"abc", "multipart/form-data"),
    "long boundary": (b"abc", f"multipart/form-data; boundary={'b' * 5000}"),
    "charset": (FILE + b"abc\r\n--b--", FORM + "; charset=nothing"),
    "empty": (b"", FORM),
    "nothing in it": (b"--b--\r\n", FORM),
    "broken off": (FILE + b"abc", FORM),
    "no name": (b"--b\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--b--", FORM),
    "a field": (b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\nabc\r\n--b--', FORM),
    "a field and a file": (
        b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nabc\r\n' + FILE + b"\r\n--b--",
        FORM,
    ),
    "two files": (FILE + b"abc\r\n" + FILE + b"abc\r\n--b--", FORM),
    "another name": (FILE.replace(b"files", b"other") + b"abc\r\n--b--", FORM),
    "long name": (FILE.replace(b"a.png", b"a" * 20_000) + b"abc\r\n--b--", FORM),
    "zeros": (b"\0" * 5000, FORM),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_upload_is_refused(client, name):
    found = send(client, *WRONG[name])
    if name == "charset" and found.status_code == 200:
        os.remove(found.json()[0])
    else:
        assert (found.status_code, found.text) == (400, BROKEN)
    assert left(client) == []


def test_a_form_has_a_kind(client):
    found = client.post(PATH, content=b"abc")
    assert (found.status_code, found.text) == (400, BROKEN)


def test_a_file_is_bounded_whether_its_length_is_told_or_not(client):
    def chunks():  # without a length
        yield FILE
        for _ in range(2 * MOST // 2**16):
            yield b"x" * 2**16

    for found in (client.post(PATH, files={"files": ("a", b"x" * (MOST + 1))}), send(client, chunks())):
        assert (found.status_code, found.text) == (413, LARGE)
    assert left(client) == []


def test_a_full_disk_is_named_before_and_while_it_fills(client, monkeypatch):
    usage = namedtuple("usage", "free")
    with monkeypatch.context() as patch:
        patch.setattr(uploads.shutil, "disk_usage", lambda folder: usage(uploads.KEPT_FREE + 10))
        found = client.post(PATH, files={"files": ("a", b"abc")})
        assert (found.status_code, found.text) == (507, SENTENCES[507])

    async def write(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gradio.route_utils.GradioUploadFile.write", write)
    found = client.post(PATH, files={"files": ("a", b"abc")})
    assert (found.status_code, found.text) == (507, SENTENCES[507])
    assert left(client) == []


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("a.zip", "a.zip"),
        ("my cat.tar.gz", "my cat.tar.gz"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\a.png", "a.png"),
        ("", "file"),
        (".", "file"),
        ("..", "file"),
        ("/", "file"),
        (".png", "png"),
        ("a. ", "a"),
        ('<a>:"|?*.png', "a.png"),
        ("a\0\n\x7f\u202e.p\0ng", "a.png"),
        ("é💥.pth", "é💥.pth"),
        ("aux.zip", "aux_.zip"),
        ("COM1", "COM1_"),
        ("x" * 20_000, "x" * 50),
        ("💥" * 300 + "." + "💥" * 300, "💥" * 50 + "." + "💥" * 11),
    ],
)
def test_a_name_is_one_of_every_system(sent, name):
    assert clean_name(sent) == name
    assert len(clean_name(sent).encode()) <= 255
