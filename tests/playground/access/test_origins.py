"""Pages of other sites cannot act, and the server answers to its own names only."""

import gradio as gr
import pytest
from gradio.routes import App
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from playground.access.hosts import KnownHosts
from playground.access.origins import OriginGuard
from playground.page import launch_options
from playground.server.live import PATH

OWN = "http://127.0.0.1:7860"
CHANGING = (PATH, *(f"/gradio_api/{each}" for each in ("component_server", "queue/join", "run/x", "upload", "reset")))
CHANGING += ("/gradio_api/cancel", "/gradio_api/call/x", "/login", "/gradio_api/stream/x/close")
READ_WITH_EFFECTS = ("heartbeat/x", "deep_link?session_hash=x", "queue/data?session_hash=x", "file=x", "startup-events")
FOREIGN = [
    {"origin": "http://127.0.0.1:9999"},
    {"origin": "http://localhost:7860"},  # another origin, although the same machine
    {"origin": "https://127.0.0.1"},
    {"origin": "http://evil.example"},
    {"origin": "http://evil.example:7860"},
    {"origin": "http://127.0.0.1:7860.evil.example"},
    {"origin": "null"},
    {"origin": "null", "sec-fetch-site": "cross-site"},
    {"origin": ""},
    {"origin": "app://127.0.0.1:7860"},  # a program's own page
    {"origin": "httpx://127.0.0.1:7860", "sec-fetch-site": "none"},
    {"origin": "127.0.0.1:7860"},
    {"origin": "file://"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "something new"},
    {"origin": OWN, "sec-fetch-site": "same-site"},  # the same name without encryption
    {"origin": "http://evil.example", "sec-fetch-site": "same-origin"},
]
OURS = [
    {},  # a program
    {"origin": OWN},
    {"origin": OWN, "sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"origin": "null", "sec-fetch-site": "same-origin"},  # a page that hides where it is
]


def make_client(hosts: KnownHosts | None = None, base: str = OWN) -> TestClient:
    """A client of the guard in front of an app that answers everything."""

    async def app(scope, receive, send):
        await PlainTextResponse("answered")(scope, receive, send)

    return TestClient(OriginGuard(app, hosts or KnownHosts()), base_url=base)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return make_client()


@pytest.fixture(scope="module")
def real_client() -> TestClient:
    """A client of an app that is made as `launch` makes it, with Gradio's routes."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.HTML("a page")
    blocks.is_running, blocks.max_file_size = True, 1000
    return TestClient(App.create_app(blocks, app_kwargs=launch_options()["app_kwargs"]), base_url=OWN)


@pytest.mark.parametrize("path", CHANGING)
def test_a_foreign_page_cannot_change_anything(real_client, path):
    # As a form or a script without leave sends it: the browser asks nobody before.
    headers = {"content-type": "text/plain", "origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site"}
    assert real_client.post(path, content="{}", headers=headers).status_code == 403
    own = {"origin": OWN, "sec-fetch-site": "same-origin"}
    assert real_client.post(path, content="{}", headers=own, follow_redirects=False).status_code != 403


@pytest.mark.parametrize("path", READ_WITH_EFFECTS)
def test_nor_read_where_reading_has_effects(real_client, path):
    found = real_client.get(f"/gradio_api/{path}", headers={"sec-fetch-site": "cross-site"})
    assert found.status_code == 403


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_every_sign_of_another_page_is_seen(client, headers):
    for path in ("/", *CHANGING):
        found = client.post(path, content="{}", headers=headers)
        assert found.status_code == 403 and found.text.startswith("Refused: a page at another address")
        assert found.headers["content-type"].startswith("text/plain") and "--allowed-host NAME" in found.text
    assert client.get("/gradio_api/heartbeat/x", headers=headers).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADE-UP"])
def test_no_method_but_reading_is_left_open(client, method):
    assert client.request(method, "/", headers={"origin": "http://evil.example"}).status_code == 403


@pytest.mark.parametrize("headers", OURS, ids=str)
def test_the_page_itself_and_programs_can(client, headers):
    for path in CHANGING:
        assert client.post(path, content="{}", headers=headers).text == "answered"


@pytest.mark.parametrize("headers", [*FOREIGN, *OURS], ids=str)
def test_every_page_may_link_to_the_page_and_embed_it(client, headers):
    for path in ("/", "/?embed=loss", "/config", "/theme.css"):
        assert client.get(path, headers=headers).text == "answered"


HOSTS = ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.7", "<b>"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_name_that_only_points_here_is_refused(client, host):
    headers = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
    for method, path in (("GET", "/"), ("HEAD", "/"), *(("POST", path) for path in CHANGING)):
        found = client.request(method, path, headers=headers)
        assert found.status_code == 421
        if method != "HEAD":
            assert found.text.startswith("Refused: ") and "<" not in found.text
            assert host == "<b>" or f"--allowed-host {host.removesuffix(':7860')}." in found.text


@pytest.mark.parametrize("host", ["localhost:1", "LOCALHOST", "127.0.0.1", "[::1]:7860", "localhost."])
def test_this_machine_is_known_by_its_names(client, host):
    assert client.get("/", headers={"host": host}).text == "answered"
    assert client.post("/", headers={"host": host, "origin": f"http://{host}"}).text == "answered"


def test_without_a_name_or_with_two_nothing_is_answered(client):
    assert client.get("/", headers={"host": ""}).status_code == 421
    two = client.get("/", headers=[("host", "localhost"), ("host", "evil.example")])
    assert two.status_code == 421


def test_a_named_host_is_answered_also_by_its_other_names():
    client = make_client(KnownHosts("127.0.0.1", ["page.example"]), "http://page.example")
    own = {"origin": "https://page.example"}
    assert client.get("/").status_code == 200
    assert client.post(PATH, content="{}", headers=own).status_code == 200
    assert client.post(PATH, content="{}", headers={"origin": "https://other.example"}).status_code == 403
    assert client.post(PATH, content="{}", headers={"host": "other.example"}).status_code == 421


def test_a_proxy_may_keep_the_name_to_itself():
    client = make_client(KnownHosts("127.0.0.1", ["page.example"]))
    assert client.post(PATH, content="{}", headers={"origin": "https://page.example"}).status_code == 200
    assert client.post(PATH, content="{}", headers={"origin": "https://page.example:8443"}).status_code == 403


def test_the_name_before_a_proxy_has_to_be_known_as_well():
    client = make_client(KnownHosts("127.0.0.1", ["page.example"]))
    for forwarded, status in (("page.example", 200), ("page.example, inner.lan", 200), ("evil.example", 421)):
        headers = {"x-forwarded-host": forwarded, "origin": f"https://{forwarded.split(',')[0]}"}
        assert client.post(PATH, content="{}", headers=headers).status_code == status
    rebound = {"host": "evil.example", "x-forwarded-host": "localhost"}  # which any script may send
    assert client.post(PATH, content="{}", headers=rebound).status_code == 421


def test_a_space_is_known(monkeypatch):
    monkeypatch.setenv("SPACE_HOST", "me-space.example")
    client = make_client(KnownHosts("0.0.0.0"), "http://me-space.example")
    headers = {"origin": "https://me-space.example", "x-forwarded-host": "me-space.example"}
    assert client.post(PATH, content="{}", headers=headers).status_code == 200


def test_no_other_kind_of_connection_is_left_open():
    sent = []

    async def send(message):
        sent.append(message)

    async def app(scope, receive, send):
        pytest.fail("passed on")

    guard = OriginGuard(app, KnownHosts())
    headers = [(b"host", b"localhost"), (b"origin", b"http://evil.example")]
    scope = {"type": "websocket", "path": "/", "headers": headers}
    coroutine = guard(scope, None, send)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert sent == [{"type": "websocket.close", "code": 1008}]
