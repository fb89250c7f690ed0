"""What a served page hands out by address: nothing of an album, and a picture only to who sees it."""

import json
from types import SimpleNamespace

import gradio as gr
import httpx
import pytest
from PIL import Image

from playground.albums.service import Albums
from playground.canvas.canvas import canvas, payload
from playground.canvas.view import View
from playground.support.visitors import COOKIE, visitor_of

ANN = visitor_of(SimpleNamespace(cookies={COOKIE: "ann"}))


@pytest.mark.slow
def test_only_their_visitor_is_handed_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 48)).save("a.png")
    album, _ = Albums(tmp_path / "albums").add(ANN, "a.png", "a.png")
    stored = f"albums/{album.key}/pictures/{album.pictures[0].file}"
    assert (tmp_path / stored).is_file()
    with gr.Blocks(analytics_enabled=False) as blocks:
        component = canvas("canvas")
    key = json.loads(payload(View("data:QUJD", 4, 4), visitor=ANN))["picture"]
    _, address, _ = blocks.launch(prevent_thread_lock=True, quiet=True, run_history=False, _frontend=False)
    try:
        call = {"session_hash": "s", "component_id": component._id, "fn_name": "fetch_picture", "data": key}
        found = []
        for cookies in ({COOKIE: "ann"}, {COOKIE: "bob"}, {}):
            with httpx.Client(cookies=cookies, timeout=60) as client:
                found.append(client.post(f"{address}gradio_api/component_server", json=call).json())
                for path in (stored, str(tmp_path / stored)):
                    assert client.get(f"{address}gradio_api/file={path}").status_code == 403
        assert found == ["data:QUJD", None, None]
    finally:
        blocks.close()
