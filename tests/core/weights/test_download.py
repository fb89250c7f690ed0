"""Downloads against a local server: range, slow, stalled, truncated, wrong, missing, no web pages."""

import contextlib
import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from torchvision.models.detection import RetinaNet_ResNet50_FPN_V2_Weights, RetinaNet_ResNet50_FPN_Weights

from core.weights import download
from core.weights.architecture import WeightsError
from core.weights.download import CancelledError, Published, fetch, published

CONTENT = bytes(range(256)) * 4096  # 1 MB
DIGEST = hashlib.sha256(CONTENT).hexdigest()[:8]


class Handler(BaseHTTPRequestHandler):
    """Serves `CONTENT` as the file's name says."""

    asked: list[str]  # the ranges of the requests

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        kind = self.path.split("/")[1]
        self.server.asked.append(self.headers.get("Range", ""))
        if kind == "missing":
            self.send_error(404)
        elif kind == "page":
            self.answer(b"<!DOCTYPE html><html>Log in</html>", "text/html")
        elif kind == "disguised":
            self.answer(b"\n<html>Log in</html>")
        elif kind == "plain":
            self.answer(CONTENT)
        elif kind == "cut":
            self.answer(CONTENT, stop=300_000)
        elif kind == "stalled":
            self.answer(CONTENT, stop=300_000, wait=self.server.released)
        elif kind == "slow":
            self.answer(CONTENT, pause=0.05)
        elif kind == "never":
            self.send_error(416)
        elif kind in ("elsewhere", "unknown"):
            self.answer_part(kind)
        elif kind == "local":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
        elif kind == "endless":
            self.answer_endlessly()
        elif kind == "short":
            self.answer(CONTENT, length="1000")
        elif kind == "numberless":
            self.answer(CONTENT, length="9" * 5000)
        elif kind == "large":
            self.answer(CONTENT * 2)
        else:
            self.answer_range()

    def answer(self, content, kind="application/octet-stream", *, stop=None, wait=None, pause=0.0, length=""):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        try:
            for start in range(0, len(content[:stop]), 65536):
                self.wfile.write(content[:stop][start : start + 65536])
                time.sleep(pause)
        except ConnectionError:
            return
        if wait:
            wait.wait(10)

    def answer_part(self, kind):
        """Sends a part that was not asked for."""
        self.send_response(206)
        place = "*/*" if kind == "unknown" else f"5-{len(CONTENT) - 1}/{len(CONTENT)}"
        self.send_header("Content-Range", f"bytes {place}")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(CONTENT)

    def answer_endlessly(self):
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            while True:
                self.wfile.write(CONTENT)

    def answer_range(self):
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:])


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.released = [], threading.Event()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def weights(server):
    """Returns weights that the server publishes, under the way in which it serves them."""

    def make(kind, digest=DIGEST):
        return Published("made", f"http://127.0.0.1:{server.server_port}/{kind}/made-{digest}.pth", len(CONTENT))

    return make


def part_of(weights):
    return weights.file.with_name(f".{weights.file.name}.part")


def left(weights):
    return sorted(path.name for path in weights.file.parent.iterdir())


def refusal(weights):
    with pytest.raises(WeightsError) as error:
        fetch(weights)
    return str(error.value)


def test_sizes_are_those_that_torchvision_publishes():
    assert [round(published(name).size / 1e6) for name in ("coco", "coco_v2")] == [137, 153]
    assert round(published("imagenet", 18).size / 1e6) == 47
    assert published("coco").size == round(RetinaNet_ResNet50_FPN_Weights.COCO_V1.meta["_file_size"] * 2**20)
    assert published("coco_v2").url == RetinaNet_ResNet50_FPN_V2_Weights.COCO_V1.url
    assert published("coco_v2").digest == "5905b1c5"


def test_a_download_reports_its_bytes_and_leaves_one_file(weights):
    reports = []
    file = fetch(weights("plain"), lambda done, total: reports.append((done, total)))
    assert file.read_bytes() == CONTENT and left(weights("plain")) == [f"made-{DIGEST}.pth"]
    assert reports[0] == (0, len(CONTENT)) and reports[-1] == (len(CONTENT), len(CONTENT))
    assert reports == sorted(reports)


def test_a_file_that_is_here_is_not_asked_for(weights, server):
    fetch(weights("plain"))
    assert weights("plain").is_here and fetch(weights("missing")) and len(server.asked) == 1


def test_what_broke_off_continues(weights, server):
    said = refusal(weights("cut"))
    assert said == (
        "The made weights could not be downloaded (it broke off after 0 of 1 MB): try again, which continues from "
        "there, or choose builtin or random."
    )
    arrived = part_of(weights("cut")).stat().st_size
    assert arrived == 300_000 and not weights("cut").is_here
    reports = []
    assert fetch(weights("range"), lambda done, total: reports.append(done)).read_bytes() == CONTENT
    assert server.asked == ["", f"bytes={arrived}-"] and reports[0] == arrived


@pytest.mark.parametrize("kind", ["plain", "range"])
def test_a_server_without_ranges_or_with_too_large_a_part_starts_again(weights, kind):
    part = part_of(weights(kind))
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * (1000 if kind == "plain" else len(CONTENT)))
    assert fetch(weights(kind)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "(the server answered 404): try again, or choose"),
        ("page", "(a web page came instead of the file, perhaps from a proxy or a login): open the internet"),
        ("disguised", "(a web page came instead of the file"),
        ("large", "(the file has 2 MB, but 1 MB are published)"),
        ("endless", "(the file has 1 MB, but 1 MB are published)"),
        ("never", "(the server answered 416): try again"),
        ("elsewhere", "(the server sends another part of the file): try again later"),
        ("unknown", "(the server sends another part of the file): try again later"),
        ("local", "(the server answered 302): try again"),
        ("short", "(the downloaded file has the wrong hash)"),
    ],
)
def test_what_is_not_the_file_leaves_nothing(weights, kind, reason):
    assert reason in refusal(weights(kind))
    assert left(weights(kind)) == []


def test_a_length_that_no_file_has_is_not_believed(weights):
    assert fetch(weights("numberless")).read_bytes() == CONTENT


def test_a_wrong_hash_leaves_nothing(weights):
    wrong = weights("plain", digest="0123abcd")
    assert "(the downloaded file has the wrong hash): try again" in refusal(wrong) and left(wrong) == []


def test_without_a_network_nothing_is_left(weights, server):
    nowhere = weights("plain")._replace(url=f"http://127.0.0.1:9/made-{DIGEST}.pth")
    assert "(no connection? " in refusal(nowhere) and left(nowhere) == []


def test_a_stalled_server_is_given_up(weights, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    assert "(no connection? timed out): connect and try again" in refusal(weights("stalled"))


def test_a_trickle_is_given_up(weights, monkeypatch):
    monkeypatch.setattr(download, "SLOW_SECONDS", 0.1)
    monkeypatch.setattr(download, "SLOWEST", 10**9)
    assert "hardly anything arrives" in refusal(weights("slow"))


def test_a_full_disk_is_named_before_the_download(weights, monkeypatch):
    monkeypatch.setattr(download, "MARGIN", 10**18)
    assert " MB free, and 1 MB are needed): free some space there" in refusal(weights("plain"))
    assert left(weights("plain")) == []


def test_a_cancelled_download_keeps_what_has_arrived(weights):
    arrived = []
    with pytest.raises(CancelledError):
        fetch(weights("plain"), lambda done, total: arrived.append(done), lambda: sum(arrived) > 0)
    assert part_of(weights("plain")).stat().st_size == arrived[-1] > 0
    assert fetch(weights("range")).read_bytes() == CONTENT


def test_two_downloads_at_once_are_one_and_see_the_same_progress(weights, server):
    found, reports = [], []

    def second():
        found.append(fetch(weights("slow"), lambda done, total: reports.append(done)))

    started = threading.Event()
    thread = threading.Thread(target=lambda: (started.wait(10), second()))
    thread.start()
    fetch(weights("slow"), lambda done, total: started.set())
    thread.join()
    assert found[0].read_bytes() == CONTENT and len(server.asked) == 1
    assert left(weights("slow")) == [f"made-{DIGEST}.pth"]
