"""A photograph on the real page: what weights know of it, on every step, and COCO's weights by one click."""

import hashlib
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from core.config import Config
from core.retinanet.model import build_model
from core.weights.download import COCO
from playground.data.photographs import find_photographs
from playground.steps import STEPS
from tests.browser.looking import address_of, choose, notice
from tests.waiting import wait

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not find_photographs(), reason="scikit-image is not installed"),
]
SMALL = Config.from_flat({"model.fpn_channels": 32, "model.num_convs": 0, "model.head_norm": "none"})
PHOTOGRAPH = "data=photographs/all/2&inference.image_size=96"


class Gate(BaseHTTPRequestHandler):
    """Sends half of the weights, and the rest once the gate is open."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        content, half = self.server.content, len(self.server.content) // 2
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content[:half])
            self.server.gate.wait(60)
            self.wfile.write(content[half:])
        except ConnectionError:  # cancelled
            return


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server with weights of 91 classes; nothing is downloaded yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    buffer = io.BytesIO()
    torch.save(build_model(SMALL.model, num_classes=91, anchors_per_location=9).state_dict(), buffer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    server.content, server.gate = buffer.getvalue(), threading.Event()
    digest = hashlib.sha256(server.content).hexdigest()[:8]
    server.file = f"made-{digest}.pth"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()


def publish(monkeypatch, port, file):
    monkeypatch.setattr(COCO["coco_v2"].value, "url", f"http://127.0.0.1:{port}/{file}")


def banner(page) -> str:
    return page.inner_text(".banner") if page.is_visible(".banner") else ""


@pytest.mark.timeout(300)
def test_a_photograph_is_met_honestly_and_coco_weights_come_by_one_click(opened, server, monkeypatch):
    publish(monkeypatch, 9, server.file)  # where no server listens
    page = opened(PHOTOGRAPH)
    for step in STEPS:
        choose(page, step)
        wait(lambda: "They have never seen a photograph: what they find here means nothing." in banner(page))
        labels = page.locator(".banner-buttons button").all_inner_texts()
        assert labels == ["Use COCO weights (153 MB)", "Teach it your objects"]
    assert "Chelsea the cat" in page.inner_text("#part-caption") and "CC0" in page.inner_text("#part-caption")
    page.get_by_role("button", name="Teach it your objects").click()
    wait(lambda: page.evaluate("document.activeElement.classList.contains('intake-choose')"))
    assert page.locator(".album[open]").count()
    choose(page, "picture")
    assert not page.is_visible("#knob-scenes-seed") and page.is_visible("#to-scene")
    # Without a network: a sentence, and the photograph stays.
    page.click(".banner-buttons button >> nth=0")
    wait(lambda: "The COCO weights could not be downloaded (no connection?" in banner(page), 30)
    assert "data=photographs/all/2" in address_of(page) and page.is_visible(".banner-buttons")
    # Progress, while the page can be used, and Cancel.
    publish(monkeypatch, server.server_port, server.file)
    page.click(".banner-buttons button >> nth=0")
    wait(lambda: "Downloading the weights: " in banner(page) and page.is_visible(".banner-cancel"))
    choose(page, "detections")
    assert "Downloading the weights: " in banner(page) and "model.weights" not in address_of(page)
    page.click(".banner-cancel")
    wait(lambda: "The download was cancelled" in banner(page))
    # Once it is through, the weights are in use, with their picture size and a threshold that is said.
    server.gate.set()
    page.click(".banner-buttons button >> nth=0")
    wait(lambda: "model.weights=coco_v2" in address_of(page), 60)
    wait(lambda: "below 0.5 are hidden" in notice(page))
    assert "data=photographs/all/2" in address_of(page) and not page.is_visible(".banner-text")
    # Scenes are of another kind for these weights; the built-in ones know them.
    choose(page, "picture")
    page.click("#to-scene")
    wait(lambda: "These weights do not know " in banner(page))
    page.click(".banner-buttons button:has-text('built-in')")
    wait(lambda: banner(page) == "")
    assert page.is_visible("#knob-scenes-seed")
