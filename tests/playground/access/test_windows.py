"""What is kept of windows is bounded, and nobody loses a window because of somebody else's many."""

import logging
from collections import OrderedDict
from datetime import datetime
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from gradio.routes import App
from starlette.testclient import TestClient

from playground.access import places, windows
from playground.access.events import PageBlocks
from playground.access.refusals import SENTENCES
from playground.access.windows import FORGOTTEN, WindowBounds, Windows, windows_of
from playground.components.notice import notice
from playground.page import launch_options
from playground.support.visitors import COOKIE, Sender
from tests.playground.access.test_routes import JOIN, OWN

pytestmark = pytest.mark.slow

ANN, BOB = Sender("ann", "10.0.0.1"), Sender("bob", "10.0.0.2")
PREDICT, STREAM = "/gradio_api/run/predict", "/gradio_api/queue/data"
SMALL = WindowBounds(of_one=3, size=1000, size_of_one=400)
dropped: list[object] = []


@pytest.fixture
def blocks():
    dropped.clear()
    with PageBlocks(analytics_enabled=False) as made:
        number, kept = gr.Number(0), gr.State(None, delete_callback=dropped.append)
        number.change(lambda value, before: (str(before), value), [number, kept], [gr.HTML("x"), kept])
        number.input(lambda value: value, [number], [number])
    made.is_running, made.max_file_size, made.show_error, made.state_session_capacity = True, 1000, False, 8
    return made


@pytest.fixture
def kept(blocks, monkeypatch):
    monkeypatch.setattr(windows, "count_bytes", lambda values: sum(each or 0 for each in values.values()))
    made = Windows(SMALL)
    made.set_blocks(blocks)
    return made


def use(kept: Windows, name: str, sender: Sender, size: int = 0) -> windows.Window:
    kept.note(name, sender)
    window = kept[name]
    if size:
        window.state_data = {0: size}
    kept.weigh(window)
    return window


def names(kept: Windows) -> str:
    return " ".join(kept.session_data)


def test_a_visitor_loses_the_own_window_that_was_used_least_recently(kept):
    for name, sender in (("a1", ANN), ("a2", ANN), ("b1", BOB), ("a3", ANN), ("a1", ANN), ("a4", ANN)):
        use(kept, name, sender)
    assert names(kept) == "b1 a3 a1 a4"
    kept.session_data["a1"].is_closed = True
    use(kept, "a5", ANN)
    assert names(kept) == "b1 a3 a4 a5"


def test_invented_visitors_and_windows_of_one_address_leave_those_of_others(kept):
    use(kept, "b1", BOB)
    use(kept, "a1", Sender("ann", BOB.address))
    for number in range(100):
        use(kept, f"x{number}", Sender(f"x{number}", "6.6.6.6"))
    assert names(kept).startswith("b1 a1 x94") and len(kept.session_data) == 8


def test_where_all_have_the_same_address_it_is_who_has_most(kept):
    for name in ("b1", "b2", "b3"):
        use(kept, name, BOB)
    for number in range(6):
        use(kept, f"x{number}", Sender(f"x{number}", BOB.address))
    assert "b1" not in names(kept) and "b2 b3 x0 x1" in names(kept)


def test_those_without_a_cookie_at_an_address_may_be_many_and_have_half_of_all(kept):
    school = Sender("10.0.0.9", "10.0.0.9")
    for number in range(6):
        use(kept, f"s{number}", school)
    assert names(kept) == "s2 s3 s4 s5"


def test_pictures_are_bounded_for_each_visitor_and_for_all(kept):
    for name, sender in (("a1", ANN), ("b1", BOB), ("a2", ANN)):
        use(kept, name, sender, 150)
    use(kept, "a3", ANN, 150)
    assert names(kept) == "b1 a2 a3"
    for number in range(20):
        use(kept, f"x{number}", Sender(f"x{number}", "6.6.6.6"), 200)
    assert names(kept) == "b1 a2 a3 x18 x19"
    use(kept, "b1", BOB, 5000)  # more than all may have
    assert names(kept) == "b1"


def test_a_forgotten_window_says_so_and_what_it_kept_on_the_disk_goes(kept, blocks):
    state = next(each for each in blocks.blocks.values() if isinstance(each, gr.State))
    use(kept, "a1", ANN)[state._id] = 7
    for name in ("a2", "a3", "a4"):
        use(kept, name, ANN)
    assert dropped == [7] and kept["a1"].is_forgotten and not kept["a4"].is_forgotten


def test_forgotten_windows_that_are_still_open_push_out_no_others(kept):
    for number in range(5):
        use(kept, f"a{number}", ANN)
    for _ in range(3):
        assert [use(kept, f"a{number}", ANN).is_forgotten for number in range(5)] == [True] * 2 + [False] * 3


def test_windows_with_small_pictures_stay_where_one_has_a_large_one(kept):
    for name, size in (("a1", 10), ("a2", 300), ("a3", 200)):
        use(kept, name, ANN, size)
    assert names(kept) == "a1 a3"


def test_a_window_whose_values_have_expired_says_so(kept, blocks, monkeypatch):
    state = next(each for each in blocks.blocks.values() if isinstance(each, gr.State))
    for name in ("a1", "a2", "a3"):
        window = use(kept, name, ANN)
        window[state._id], window.is_closed, window.STATE_TTL_WHEN_CLOSED = 7, True, -1
        window.is_closed = name != "a3"
    kept.note("a2", ANN)  # the connection came back
    kept.delete_all_expired_state()
    assert [kept[name].is_forgotten for name in ("a1", "a2", "a3")] == [True, False, False] and dropped == [7]


def test_a_connection_that_breaks_off_for_a_moment_costs_nothing_whatever_the_age_of_the_window(
    kept, blocks, monkeypatch
):
    state = next(each for each in blocks.blocks.values() if isinstance(each, gr.State))
    window, clock = use(kept, "a1", ANN), [1.0]
    window[state._id] = 7
    window._state_ttl[state._id] = (window._state_ttl[state._id][0], datetime(2000, 1, 1))
    monkeypatch.setattr(windows.time, "monotonic", lambda: clock[0])
    for seconds in (0, 3500, 0, 3500):
        clock[0] += seconds
        window.is_closed = True
        kept.delete_all_expired_state()
        if seconds:
            kept.note("a1", ANN)
            kept.delete_all_expired_state()
    assert not window.is_forgotten
    for seconds in (0, 3601):
        clock[0] += seconds
        window.is_closed = True
        kept.delete_all_expired_state()
    assert window.is_forgotten and dropped == [7]


def test_the_heartbeat_of_a_window_that_comes_back_opens_it_again(client):
    ask(client, "mine", "ann", 1)
    window = windows_of(client.app).session_data["mine"]
    window.is_closed = True
    assert client.head("/gradio_api/heartbeat/mine").status_code == 405  # which notes it, and holds no connection
    assert not window.is_closed


def test_names_without_windows_are_bounded(kept, monkeypatch):
    monkeypatch.setattr(windows, "MAX_NOTED", 10)
    for number in range(50):
        use(kept, str(number), Sender(str(number), "6.6.6.6"))
    assert len(kept._senders) == len(kept._forgotten) == 10 and kept.sender("0") == Sender()


def test_gradios_queue_keeps_nothing_of_forgotten_windows(kept, blocks):
    queue = blocks._queue
    for number in range(50):
        name = str(number)
        queue.pending_event_ids_session[name] = queue.pending_messages_per_session[name] = set()
        use(kept, name, ANN)
    assert list(queue.pending_event_ids_session) == list(queue.pending_messages_per_session) == ["47", "48", "49"]


@pytest.fixture
def client(blocks):
    app = App.create_app(blocks, app_kwargs=launch_options()["app_kwargs"])
    with TestClient(app, base_url=OWN, raise_server_exceptions=False, client=("10.0.0.1", 9)) as made:
        yield made


def ask(client, session: str, visitor: str, value: float, path: str = PREDICT):
    body = {"fn_index": 0, "data": [value, None], "session_hash": session}
    return client.post(path, json=body, headers={"cookie": f"{COOKIE}={visitor}"})


def test_a_crowd_of_invented_windows_leaves_that_of_another_visitor(client):
    assert ask(client, "mine", "ann", 1).status_code == 200
    for number in range(50):
        assert ask(client, f"x{number}", "mallory", 1).status_code == 200
    assert ask(client, "mine", "ann", 2).json()["data"][0] == "1"
    found = ask(client, "x0", "mallory", 2)
    assert (found.status_code, found.json()["error"]) == (400, FORGOTTEN)
    assert len(windows_of(client.app).session_data) <= 8


def test_too_many_waiting_events_of_one_are_refused_in_one_sentence(client, monkeypatch, blocks):
    monkeypatch.setattr(places, "MAX_OF_ONE", 5)
    monkeypatch.setattr(blocks._queue, "get_events", lambda: None)  # nothing is begun
    found = [ask(client, "m", "mallory", 1, JOIN).status_code for _ in range(7)]
    assert found == [200] * 5 + [429] * 2
    refused = ask(client, "m", "mallory", 1, JOIN)
    assert refused.json() == {"detail": SENTENCES[429]}
    assert ask(client, "m", "mallory", 1).json() == {"error": SENTENCES[429]}
    assert ask(client, "mine", "ann", 1, JOIN).status_code == 200
    event = {"session_hash": "m", "fn_index": 0, "event_id": next(iter(blocks._queue.event_ids_to_events))}
    assert client.post("/gradio_api/cancel", json=event, headers={"cookie": f"{COOKIE}=mallory"}).status_code == 200
    assert ask(client, "m", "mallory", 1, JOIN).status_code == 200


@pytest.mark.parametrize("bound", ["MAX_OF_ADDRESS", "MAX_OF_ALL"])
def test_waiting_events_of_invented_visitors_are_bounded(client, monkeypatch, blocks, bound):
    monkeypatch.setattr(places, bound, 5)
    monkeypatch.setattr(blocks._queue, "get_events", lambda: None)
    found = [ask(client, f"x{number}", f"x{number}", 1, JOIN).status_code for number in range(7)]
    assert found == [200] * 5 + [429] * 2


def test_a_refused_upload_is_plain_text(client, monkeypatch):
    monkeypatch.setattr(places, "MAX_OF_ADDRESS", 0)
    found = client.post("/gradio_api/upload", files={"files": b"x"})
    assert (found.status_code, found.text) == (429, SENTENCES[429])


@pytest.mark.parametrize("query", ["?session_hash=unknown", "", "?session_hash=", "?session_hash=%00", "?x=mine"])
def test_the_stream_of_an_unknown_window_is_refused_without_a_traceback(client, caplog, query):
    with caplog.at_level(logging.ERROR):
        found = client.get(STREAM + query)
    assert (found.status_code, found.json()) == (404, {"detail": SENTENCES[404]}) and not caplog.records


def test_the_stream_of_a_window_that_is_forgotten_meanwhile_ends(blocks, monkeypatch):
    app = App.create_app(blocks, app_kwargs=launch_options()["app_kwargs"])
    with TestClient(app, base_url=OWN) as client:  # which raises what the server raises
        known = OrderedDict(x=None)
        looks = iter([True, False])
        queue = SimpleNamespace(get=known.get)
        monkeypatch.setattr(type(blocks._queue.pending_messages_per_session), "__contains__", lambda *_: next(looks))
        assert queue and '"session_not_found":true' in client.get(f"{STREAM}?session_hash=x").text


def test_pictures_are_measured_when_an_event_ends(client):
    assert ask(client, "mine", "ann", 1).status_code == 200
    window = windows_of(client.app).session_data["mine"]
    before, state = window.size, next(iter(window.state_data))
    window.state_data[state] = np.zeros(10**6, np.uint8)
    windows_of(client.app).weigh(window)
    assert before > 0 and window.size > 10**6


def test_the_page_shows_refusals_of_events_that_do_not_queue_as_notices(blocks, monkeypatch):
    """Gradio's part of the browser would show them nowhere."""
    with blocks:
        number, said = gr.Number(0, minimum=0, maximum=9, label="Seed"), notice()
        number.change(lambda value: (1 / value, value), [number], [said, number], queue=False)
    app = App.create_app(blocks, app_kwargs=launch_options()["app_kwargs"])
    with TestClient(app, base_url=OWN, raise_server_exceptions=False) as client:

        def say(value):
            body = {"fn_index": max(blocks.fns), "data": [value], "session_hash": "mine"}
            found = client.post(PREDICT, json=body)
            return found.status_code, found.json()["data"]

        unchanged = {"__type__": "update"}
        assert say(2) == (200, [0.5, 2])
        assert say(10) == (200, ["“Seed” must be a number from 0 to 9.", unchanged])
        assert say(0) == (200, [SENTENCES[500], unchanged])
        monkeypatch.setattr(places, "MAX_OF_ADDRESS", 0)
        assert say(2) == (200, [SENTENCES[429], unchanged])
