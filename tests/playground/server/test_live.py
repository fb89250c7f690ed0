import json
import math

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.config import Config
from playground.layout.page_update import PageUpdate
from playground.server import live_api
from playground.server.live import MAX_BYTES, PATH, route
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.loss.step import FIGURES

SMALL = {"scenes.image_size": 96, "inference.image_size": 96, "scenes.min_size": 0.15}


def state_of(**settings) -> PageState:
    return PageState("detections", settings=settings_of(Config.from_flat({**SMALL, **settings})))


def request(of: PageState, **changes) -> dict:
    """What a browser sends that has been shown `of`."""
    token = json.loads(render(of).strip)["token"]
    return {
        "token": token,
        "settings": of.settings,
        "curve": "loss",
        "p_t": 0.9,
        "frame": 1,
        "dials": "",
        "switched": {},
        **changes,
    }


def answer(sent: object) -> dict:
    """All that a browser is answered, put together: a part that is None leaves what there is."""
    shown: dict = {}
    for each in live_api.answer(sent):
        shown |= {name: value for name, value in each.items() if value is not None or name not in shown}
    return shown


def without_number(shown: dict) -> dict:
    """Each strip is numbered; all else must be equal."""
    return {**shown, "strip": {key: value for key, value in json.loads(shown["strip"]).items() if key != "answer"}}


def test_the_short_way_shows_what_the_long_way_shows():
    other = state_of(**{"inference.score_threshold": 0.4})
    short = answer(request(state_of(), settings=other.settings, curve=FIGURES[1], p_t=0.5))
    long = render(other._replace(curve=FIGURES[1], p_t=0.5))._asdict()
    assert without_number(short) == without_number(long)


def test_a_bad_setting_is_one_sentence_and_changes_nothing():
    bad = json.dumps({"inference.nms_threshold": 7})
    shown = answer(request(state_of(), settings=bad))
    assert "“NMS threshold”" in shown.pop("notice")
    assert set(shown.values()) == {None}


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": None}, {"settings": 5}, {"settings": []}, {"curve": "gradient of a stranger"}, {"curve": []},
        {"p_t": "0.5"}, {"p_t": math.nan}, {"p_t": math.inf}, {"p_t": None},
        {"frame": None}, {"dials": None}, {"dials": 3}, {"frame": -1}, {"frame": math.nan}, {"frame": "1"},
        {"switched": None}, {"switched": "truth"}, {"switched": ["truth"]}, {"switched": {"truth": 1}},
    ],
)  # fmt: skip
def test_what_no_page_of_ours_sends_is_refused(changes):
    shown = answer(request(state_of(), **changes))
    assert "reload" in shown["notice"] and shown["canvas"] is None


@pytest.mark.parametrize("sent", [None, 3, "x", [], {}, {"token": []}])
def test_what_is_no_request_is_refused(sent):
    assert "reload" in answer(sent)["notice"]


@pytest.mark.parametrize("token", ["", "unknown", None, 5, ["x"]])
def test_an_unknown_token_is_said_to_be_forgotten(token):
    assert answer(request(state_of(), token=token)) == {"forgotten": True}


def test_every_answer_is_another_value_so_that_the_browser_notices_it():
    assert render(state_of()).strip != render(state_of()).strip


def test_refused_parts_stay():
    assert PageUpdate("no")._asdict() == {key: "no" if key == "notice" else None for key in PageUpdate._fields}


def test_what_is_left_out_in_haste_is_said_to_be():
    wanted = state_of(**{"model.weights": "random", "training.seed": 4321}).settings  # a network that has to be made
    hasty = answer(request(state_of(), settings=wanted, held=True))
    assert hasty["postponed"] is True and "once you release the knob" in json.dumps(hasty)
    assert answer(request(state_of(), settings=wanted))["postponed"] is False
    all_on = dict.fromkeys(("scores", "truth", "before", "suppressed", "beyond-cap"), True)
    known = answer(request(state_of(), settings=wanted, held=True, switched=all_on))
    assert known["postponed"] is False


def test_the_picture_comes_first_and_once_with_the_words_above_it():
    picture, rest = live_api.answer(request(state_of(), settings=state_of(**{"inference.nms_threshold": 0.3}).settings))
    assert json.loads(picture["canvas"])["layers"] and rest["canvas"] is None is rest["banner"]
    assert {name for name, value in picture.items() if value is not None} == {"notice", "banner", "canvas"}
    assert all(rest[name] for name in ("strip", "readout", "figure", "bar")) and rest["postponed"] is False


def test_the_picture_is_on_its_way_before_anything_else_is_found_out(monkeypatch):
    sent = request(state_of(), settings=state_of(**{"inference.nms_threshold": 0.31}).settings, held=True)
    for name in ("find_suppressors", "count_per_level"):
        monkeypatch.setattr(f"playground.pipeline.detections.{name}", lambda *_: pytest.fail("found out too early"))
    assert json.loads(next(live_api.answer(sent))["canvas"])["layers"]


def layers_of(shown: dict, part: str = "canvas") -> dict[str, dict]:
    return {layer["key"]: layer for layer in json.loads(shown[part])["layers"]}


def test_layers_that_nobody_sees_are_only_counted_in_haste():
    of = state_of(**{"inference.score_threshold": 0.01})
    switched = {"before": True, "kept": False, "of another step": True}
    hasty = answer(request(of, held=True, switched=switched))
    whole = answer(request(of, held=False, switched=switched))
    assert hasty["postponed"] is True and whole["postponed"] is False
    assert json.loads(whole["canvas"]) == json.loads(render(of).canvas)
    mine, full = layers_of(hasty), layers_of(whole)
    assert mine["before"] == full["before"] and list(mine) == list(full)
    for key in ("truth", "suppressed", "beyond-cap", "kept"):
        assert mine[key]["boxes"] == "" and mine[key]["count"] == full[key]["count"] > 0
        assert mine[key]["links"] is mine[key]["values"] is None and not mine[key]["captions"]
    assert json.loads(hasty["canvas"])["heat"] == {**json.loads(whole["canvas"])["heat"], "values": ""}
    assert without_number({**hasty, "canvas": "", "postponed": 0}) == without_number(
        {**whole, "canvas": "", "postponed": 0}
    )


def test_a_layer_that_only_this_answer_shows_comes_with_it():
    """Objects are switched off in this step, but not in what it shows while its network waits."""
    wanted = state_of(**{"model.weights": "random", "training.seed": 4322})
    shown = answer(request(state_of(), settings=wanted.settings, held=True))
    assert "once you release the knob" in shown["notice"] and layers_of(shown)["truth"]["boxes"]


def test_of_a_second_picture_all_layers_come():
    pinned = Config.from_flat({**SMALL, "inference.nms_threshold": 0.3}).to_query()
    of = state_of(**{"inference.score_threshold": 0.01})._replace(pinned=pinned, beside=True)
    layer = layers_of(answer(request(of, held=True)), "other")["suppressed"]
    assert layer["boxes"] and layer["links"]


def test_objects_that_can_be_drawn_are_never_left_out():
    shown = answer(request(state_of()._replace(step="picture"), held=True, switched={"truth": False}))
    truth = layers_of(shown)["truth"]
    assert truth["boxes"] and truth["labels"] and shown["postponed"] is False


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[route(live_api.answer, live_api.is_heavy)]))


def test_the_way_in_answers_line_by_line(client):
    found = [json.loads(line) for line in client.post(PATH, content=json.dumps(request(state_of()))).iter_lines()]
    assert [each["canvas"] is None for each in found] == [False, True]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 60_000, b"null", b"NaN"])
def test_the_way_in_refuses_what_is_no_request(client, body):
    assert "reload" in client.post(PATH, content=body).json()["notice"]


def test_the_way_in_bounds_what_it_reads(client):
    assert client.post(PATH, content=b" " * (MAX_BYTES + 1)).status_code == 413
    assert client.get(PATH).status_code == 405


@pytest.mark.parametrize("dials", ["speed=1", "counted=nan", "of=" + "x" * 600, "graph=boxes&deltas=0,1,1,1,1e9"])
def test_dials_that_are_not_allowed_are_one_sentence_and_change_nothing(dials):
    shown = answer(request(state_of(), dials=dials))
    assert shown.pop("notice") and set(shown.values()) == {None}
