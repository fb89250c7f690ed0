import asyncio
import json
import math
from collections.abc import Iterator
from threading import Event

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.config import Config
from playground.canvas.edit import Pick
from playground.layout.page_update import PageUpdate
from playground.server import live_api
from playground.server.live import MAX_BYTES, PATH, compute_in_turn, route
from playground.server.render import render
from playground.sharing.lanes import Lane
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.loss.step import FIGURES
from playground.support.visitors import Sender
from tests.waiting import run

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


@pytest.mark.slow
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
    assert {name for name, value in picture.items() if value is not None} == {"notice", "banner", "canvas", "story"}
    assert rest["story"] is None
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


def test_a_dial_that_asks_for_an_explanation_counts_before_it_is_answered():
    sent = request(
        state_of()._replace(pick=Pick(40, 40, "", -1)), settings=state_of(**{"inference.image_size": 384}).settings
    )
    assert not live_api.is_heavy(sent)
    assert live_api.is_heavy({**sent, "dials": "why=class"})
    assert not live_api.is_heavy({**sent, "dials": "why=nobody"})


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


class Drag:
    """Questions of a window whose answers are computed when they are let go: a picture, then the rest."""

    def __init__(self) -> None:
        self.computed: list[str] = []
        self.received: dict[str, list[dict]] = {}
        self._go: dict[str, Event] = {}

    def hold(self, *names: str) -> None:
        """Computes these pieces, such as "1 picture", no sooner than they are let go."""
        self._go |= {name: Event() for name in names}

    def let_go(self, name: str) -> None:
        self._go[name].set()

    def answer(self, sent: object, visitor: str = "") -> Iterator[dict]:
        assert isinstance(sent, dict)
        pieces = [("picture", {"canvas": "c"}), ("rest", {"readout": "r", "postponed": False})]
        for name, piece in [("refusal", {"canvas": None})] if sent.get("refused") else pieces:
            piece_name = f"{sent['number']} {name}"
            if piece_name in self._go:
                assert self._go[piece_name].wait(60)
            self.computed.append(piece_name)
            yield {"number": sent["number"], **piece}

    async def ask(
        self, number: int, *, window: str = "w", visitor: str = "me", is_heavy: bool = False, **more: object
    ) -> list[str]:
        """Asks a question; returns the names of the pieces that came."""
        sent = {"window": window, "number": number, "token": "t", **more}
        return [
            next(name for name in ("canvas", "readout") if name in json.loads(line))
            async for line in compute_in_turn(self.answer, sent, visitor, Sender(visitor, ""), is_heavy=is_heavy)
        ]


async def both(drag: Drag, let_go: str, first: dict, second: dict) -> list[list[str]]:
    """Asks twice, the second time while the first answer waits for a piece, which is then let go."""
    older = asyncio.create_task(drag.ask(**first))
    await asyncio.sleep(0.05)
    newer = asyncio.create_task(drag.ask(**second))
    await asyncio.sleep(0.05)
    drag.let_go(let_go)
    return await asyncio.gather(older, newer)


def test_a_newer_picture_comes_before_the_rest_of_an_older_answer_which_is_given_up():
    drag = Drag()
    drag.hold("1 picture")
    assert run(both(drag, "1 picture", {"number": 1}, {"number": 2})) == [["canvas"], ["canvas", "readout"]]
    assert drag.computed == ["1 picture", "2 picture", "2 rest"]


def test_an_answer_that_is_overtaken_on_the_way_to_the_server_is_not_computed():
    drag = Drag()
    drag.hold("2 picture")
    assert run(both(drag, "2 picture", {"number": 2}, {"number": 1})) == [["canvas", "readout"], []]
    assert drag.computed == ["2 picture", "2 rest"]


def test_a_refusal_overtakes_nothing_since_what_is_on_show_still_belongs_to_the_settings_before():
    drag = Drag()
    drag.hold("1 picture")
    assert run(both(drag, "1 picture", {"number": 1}, {"number": 2, "refused": True})) == [
        ["canvas", "readout"],
        ["canvas"],
    ]


@pytest.mark.parametrize("window", ["other", "", None, 7])
def test_windows_do_not_overtake_one_another(window):
    drag = Drag()
    drag.hold("1 picture")
    answers = run(both(drag, "1 picture", {"number": 1}, {"number": 2, "window": window}))
    assert answers == [["canvas", "readout"]] * 2


def test_a_slow_answer_does_not_hold_up_a_quick_one_of_its_window_and_is_given_up():
    drag = Drag()
    drag.hold("1 picture")

    async def ask() -> list[list[str]]:
        slow = asyncio.create_task(drag.ask(1, is_heavy=True))
        await asyncio.sleep(0.05)
        quick = await drag.ask(2)
        drag.let_go("1 picture")
        return [await slow, quick]

    # A window without requests is forgotten, so that the slow one, still in progress, keeps what was shown.
    assert run(ask()) == [[], ["canvas", "readout"]]


def test_a_window_with_two_questions_gets_one_turn_like_any_other(monkeypatch):
    lane = Lane("test", 1)
    monkeypatch.setattr("playground.server.live.lane_for", lambda is_heavy: lane)
    drag = Drag()
    drag.hold("1 picture")

    async def ask() -> None:
        asked = [asyncio.create_task(drag.ask(number)) for number in (1, 2)]
        asked += [asyncio.create_task(drag.ask(number, visitor=f"visitor {number}")) for number in (11, 12)]
        await asyncio.sleep(0.05)
        drag.let_go("1 picture")
        await asyncio.gather(*asked)

    run(ask())
    assert drag.computed[:3] == ["1 picture", "11 picture", "12 picture"]


def test_the_newest_of_many_questions_is_always_answered_whole():
    drag = Drag()

    async def ask() -> list[list[str]]:
        return await asyncio.gather(*(drag.ask(number) for number in range(1, 6)))

    answers = run(ask())
    assert answers[-1] == ["canvas", "readout"] and "5 rest" in drag.computed
    assert all(each in (["canvas"], ["canvas", "readout"]) for each in answers)


def test_a_browser_that_goes_lets_the_next_question_through():
    drag = Drag()
    drag.hold("1 picture")

    async def ask() -> list[str]:
        gone = asyncio.create_task(drag.ask(1))
        await asyncio.sleep(0.05)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        drag.let_go("1 picture")
        return await drag.ask(2)

    assert run(ask()) == ["canvas", "readout"]
    assert "1 rest" not in drag.computed


def test_the_curve_of_the_loss_comes_with_the_picture_and_once():
    picture, rest = live_api.answer(request(state_of()._replace(step="loss"), settings=state_of().settings))
    assert json.loads(picture["figure"])["data"] and rest["figure"] is None
    assert picture["figure"] == render(state_of()._replace(step="loss")).figure
