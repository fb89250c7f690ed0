"""The server answers only where the page asks, and what is said to others is one sentence."""

import json

import gradio as gr
import pytest
from gradio.routes import App
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from playground.access.bodies import MAX_BODY
from playground.access.events import PageBlocks
from playground.access.refusals import SENTENCES
from playground.page import launch_options
from playground.support.wording import NOT_READ
from tests.waiting import run

OWN = "http://127.0.0.1:7860"
CLOSED = (
    "/x",
    "/docs",
    "/openapi.json",
    "/login",
    "/logout",
    "/monitoring",
    "/monitoring/x",
    "/pwa_icon/9",
    "/static/",
)
CLOSED += tuple(
    f"/gradio_api/{each}"
    for each in (
        *("x", "dev/reload", "deep_link?session_hash=x", "process_recording", "proxy=http://x", "proxy=%00", "run/x"),
        *("api/x", "runs", "call/x", "call/v2/x", "call/x/y", "token", "vibe-code", "stream/x/close", "heartbeat/a/b"),
        *("custom_component/a/client/b/c", "login_check", "queue/status", "user", "upload_progress?upload_id=x"),
    )
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADE-UP")
JOIN, CALL = "/gradio_api/queue/join", "/gradio_api/component_server"
EVENT = {"fn_index": 0, "data": [3, "a"], "session_hash": "x"}


@pytest.fixture(scope="module")
def blocks():
    with PageBlocks(analytics_enabled=False) as made:
        number = gr.Number(1, minimum=0, maximum=9, label="Seed")
        choice = gr.Dropdown(["a", "b"], label="Loss")
        html = gr.HTML("a page", server_functions=[answer])
        number.change(lambda *values: str(values), [number, choice], html)
        number.change(None, [number], None, js="() => []")
        number.input(lambda *values: 1 / 0, [number], html)
    made.is_running, made.max_file_size, made.show_error = True, 1000, False  # as launched
    made.call = {"component_id": html._id, "fn_name": "answer", "session_hash": "x", "data": 1}
    return made


def answer(request):
    return {"got": request}


@pytest.fixture(scope="module")
def client(blocks):
    app = App.create_app(blocks, app_kwargs=launch_options()["app_kwargs"])
    with TestClient(app, base_url=OWN, raise_server_exceptions=False) as made:
        yield made


@pytest.mark.parametrize("method", METHODS)
def test_what_the_page_does_not_use_is_closed(client, method):
    for path in CLOSED:
        found = client.request(method, path, follow_redirects=False)
        assert found.status_code == 404, path
        assert method == "HEAD" or SENTENCES[404] in found.text


@pytest.mark.parametrize(
    "path", ["/", "/config", JOIN, CALL, "/theme.css", "/gradio_api/queue/data", "/gradio_api/live"]
)
def test_every_address_has_its_methods(client, path):
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADE-UP"):
        assert client.request(method, path).status_code == 405
    assert client.post("/").status_code == client.get(JOIN).status_code == 405


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "..%2f..%2fetc/passwd", "../../x", "%00", "a" * 5000, "http://x/a.png"]
)
def test_no_file_of_the_server_is_given_away(client, path):
    for start in ("/gradio_api/file=", "/static/", "/assets/", "/svelte/"):
        found = client.get(start + path)
        assert found.status_code in (400, 403, 404) and len(found.text) < 200


def test_no_connection_of_another_kind_is_opened(client):
    for path in ("/", JOIN):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(path):
            pass


def alter(sent: dict, **changes) -> dict:
    return {key: value for key, value in {**sent, **changes}.items() if value != "missing"}


WRONG = [
    *({"fn_index": value} for value in (-1, 1, 99, 2**70, None, "0", [], {}, 0.5, True, "missing")),
    *({"session_hash": value} for value in ("", "a b", "x" * 65, 5, None, [], "missing", "é")),
    *({"data": value} for value in ([], [1], {}, "ab", None, 5, "missing")),
    *({"trigger_id": value} for value in (-1, "1", [], 2**70, 0.5)),
]


@pytest.mark.parametrize("changes", WRONG, ids=str)
def test_an_event_that_the_page_does_not_send_is_refused(client, changes):
    found = client.post(JOIN, json=alter(EVENT, **changes))
    assert (found.status_code, found.json()) == (400, {"detail": NOT_READ})


CALLS = [
    *({"component_id": value} for value in (-1, 99_999, 2**70, None, "1", [], True, "missing")),
    *({"fn_name": value} for value in ("", "__init__", "change", "no", 5, None, [], "a b", "missing")),
    *({"session_hash": value} for value in (5, None, [], "x" * 65, "missing")),
    {"data": "missing"},
]


@pytest.mark.parametrize("changes", CALLS, ids=str)
def test_a_call_that_the_page_does_not_make_is_refused(client, blocks, changes):
    found = client.post(CALL, json=alter(blocks.call, **changes))
    assert (found.status_code, found.json()) == (400, {"detail": NOT_READ})


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"1", b'"x"', b"[" * 50_000, b"9" * 9999, b'{"a":' * 50_000])
@pytest.mark.parametrize("path", [JOIN, "/gradio_api/run/predict", CALL, "/gradio_api/cancel", "/gradio_api/reset"])
def test_what_is_no_json_object_is_refused(client, path, content):
    assert client.post(path, content=content).status_code == 400


def test_what_the_page_sends_arrives(client, blocks):
    for kind in ("application/json", "text/plain"):  # as browsers send it without asking
        found = client.post(CALL, content=json.dumps(blocks.call | {"more": 1}), headers={"content-type": kind})
        assert found.json() == {"got": 1}
    assert client.post(JOIN, json=EVENT | {"event_data": None, "trigger_id": 1}).json().keys() == {"event_id"}
    event = {"session_hash": "x", "fn_index": 0, "event_id": "a1"}
    assert client.post("/gradio_api/cancel", json=event).json() == {"success": True}
    assert client.post("/gradio_api/reset", json=event).json() == {"success": True}


def test_a_refusal_is_no_error_of_the_server(client):
    def ask(**changes):
        found = client.post("/gradio_api/run/predict", json=EVENT | changes)
        return found.status_code, found.json().get("error")

    assert ask() == (200, None)
    assert ask(data=[10, "a"]) == (400, "“Seed” must be a number from 0 to 9.")
    assert ask(data=["x", "a"]) == (400, NOT_READ)
    assert ask(fn_index=2) == (500, SENTENCES[500])
    assert client.post("/gradio_api/run/predict/", json=EVENT | {"data": ["x", "a"]}).status_code == 400


def test_parameters_of_gradio_name_nothing(client):
    for query in ("page=x", "deep_link=../x", "%70age=x&a=1", "page", "=&&=", "page=x&deep_link=%00"):
        assert client.get(f"/config?{query}").json().get("deep_link_state") is None
        assert client.get(f"/gradio_api/info?{query}").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("root", ["", "/page", "https://example.org/page"])
def test_a_proxy_may_leave_the_path_of_the_page_in_front(blocks, monkeypatch, root):
    """Where GRADIO_ROOT_PATH names it; or it takes it away."""
    monkeypatch.setattr(blocks, "root_path", root)
    app = App.create_app(blocks, app_kwargs=launch_options()["app_kwargs"])
    with TestClient(app, base_url=OWN, raise_server_exceptions=False) as client:
        for front in ("", root) if root.startswith("/") else ("",):
            assert client.get(f"{front}/config").status_code == 200
            assert client.post(f"{front}{CALL}", json=blocks.call).json() == {"got": 1}
            found = client.post(f"{front}{JOIN}", json={})
            assert (found.status_code, found.json()) == (400, {"detail": NOT_READ})
            assert client.post(f"{front}/gradio_api/live", content=b"").status_code == 200
        assert client.get("/page/x").status_code == client.get("/pagex/config").status_code == 404


@pytest.mark.parametrize("path", ["/gradio_api/live", "/gradio_api/upload", JOIN])
def test_what_breaks_off_is_no_error(blocks, path):
    app = App.create_app(blocks, app_kwargs=launch_options()["app_kwargs"])
    headers = [(b"host", b"localhost"), (b"content-type", b"multipart/form-data; boundary=b")]
    arriving = [{"type": "http.request", "body": b"--b\r\n", "more_body": True}, {"type": "http.disconnect"}]
    assert [each["status"] for each in send(app, "POST", path, headers, arriving)[:1]] in ([400], [])


def test_a_body_is_bounded_before_it_is_read(client, blocks):
    found = client.post(CALL, content=json.dumps(blocks.call | {"data": "x" * MAX_BODY}))
    assert (found.status_code, found.json()) == (413, {"detail": SENTENCES[413]})
    assert client.post(CALL, content=json.dumps(blocks.call | {"data": "x" * (MAX_BODY - 200)})).status_code == 200


def test_an_error_of_the_program_is_no_traceback(client, monkeypatch):
    def fail(*arguments):
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("playground.access.routes.rewrite", fail)
    found = client.post(JOIN, json=EVENT)
    assert (found.status_code, found.json()) == (500, {"detail": SENTENCES[500]})


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("hosts", [[], [b"localhost", b"evil.example"]])
def test_a_request_that_names_no_server_is_refused_before_gradio_needs_the_name(blocks, method, hosts):
    """As HTTP/1.0 allows it."""
    app = App.create_app(blocks, app_kwargs=launch_options()["app_kwargs"])
    headers = [
        (b"origin", OWN.encode()),
        (b"access-control-request-method", b"POST"),
        *((b"host", each) for each in hosts),
    ]
    sent = send(app, method, "/", headers, [])
    assert sent[0]["status"] == 421 and b"Refused" in sent[1]["body"]


def send(app, method, path, headers, arriving):
    """Returns the messages of an answer to what arrives."""
    sent = []

    async def receive():
        return arriving.pop(0)

    async def keep(message):
        sent.append(message)

    async def ask():
        app.middleware_stack = app.build_middleware_stack()
        async with app.router.lifespan_context(app):
            scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
            await app(scope, receive, keep)

    run(ask())
    return sent
