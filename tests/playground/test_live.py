import json
import math

import pytest

from core.config import Config
from playground.answers import answer
from playground.asked import Asked, Own
from playground.controls import settings_of
from playground.live import KEPT, Tokens
from playground.pictures import scene
from playground.show import Shown, show
from playground.steps.loss import FIGURES

SMALL = {"scenes.image_size": 96, "inference.image_size": 96, "scenes.min_size": 0.15}


def asked(**settings) -> Asked:
    return Asked("detections", settings=settings_of(Config.from_flat({**SMALL, **settings})))


def request(of: Asked, **changes) -> dict:
    """What a browser sends that has been shown `of`."""
    token = json.loads(show(of).strip)["token"]
    return {"token": token, "settings": of.settings, "curve": "loss", "p_t": 0.9, "frame": 1, **changes}


def without_number(shown: dict) -> dict:
    """Each strip is numbered; all else must be equal."""
    return {**shown, "strip": {key: value for key, value in json.loads(shown["strip"]).items() if key != "answer"}}


def test_the_short_way_shows_what_the_long_way_shows():
    other = asked(**{"inference.score_threshold": 0.4})
    short = answer(request(asked(), settings=other.settings, curve=FIGURES[1], p_t=0.5))
    long = show(other._replace(curve=FIGURES[1], p_t=0.5))._asdict()
    assert without_number(short) == without_number(long)


def test_a_bad_setting_is_one_sentence_and_changes_nothing():
    bad = json.dumps({"inference.nms_threshold": 7})
    shown = answer(request(asked(), settings=bad))
    assert "inference.nms_threshold" in shown.pop("notice")
    assert set(shown.values()) == {None}


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": None}, {"settings": 5}, {"settings": []}, {"curve": "gradient of a stranger"}, {"curve": []},
        {"p_t": "0.5"}, {"p_t": math.nan}, {"p_t": math.inf}, {"p_t": None},
        {"frame": None}, {"frame": -1}, {"frame": math.nan}, {"frame": "1"},
    ],
)  # fmt: skip
def test_what_no_page_of_ours_sends_is_refused(changes):
    shown = answer(request(asked(), **changes))
    assert "reload" in shown["notice"] and shown["canvas"] is None


@pytest.mark.parametrize("sent", [None, 3, "x", [], {}, {"token": []}])
def test_what_is_no_request_is_refused(sent):
    assert "reload" in answer(sent)["notice"]


@pytest.mark.parametrize("token", ["", "unknown", None, 5, ["x"]])
def test_an_unknown_token_is_said_to_be_forgotten(token):
    assert answer(request(asked(), token=token)) == {"forgotten": True}


def test_tokens_are_the_same_for_the_same_and_bounded():
    tokens = Tokens(3, 1)
    names = [tokens.of(Asked("loss", run=str(number))) for number in range(3)]
    assert tokens.of(Asked("loss", run="0", settings="{}")) == names[0]  # settings are the browser's, and 0 is recent
    tokens.of(Asked("loss", run="3"))
    assert tokens.get(names[1]) is None
    assert [tokens.get(name).run for name in (names[0], names[2])] == ["0", "2"]
    assert tokens.of(Asked("loss", run="1")) != names[1]
    assert KEPT >= 100


def test_pictures_of_visitors_are_bounded_on_their_own_and_a_held_knob_is_no_other_request():
    own = [Own(scene(Config().scenes), Config().scenes) for _ in range(3)]
    tokens = Tokens(10, 2)
    plain = tokens.of(Asked("loss"))
    names = [tokens.of(Asked("loss", own=each)) for each in own]
    assert [tokens.get(name) is None for name in (plain, *names)] == [False, True, False, False]
    assert tokens.of(Asked("loss", held=True)) == plain and not tokens.get(plain).held


def test_every_answer_is_another_value_so_that_the_browser_notices_it():
    assert show(asked()).strip != show(asked()).strip


def test_refused_parts_stay():
    assert Shown("no")._asdict() == {key: "no" if key == "notice" else None for key in Shown._fields}


def test_what_is_left_out_in_haste_is_said_to_be():
    wanted = asked(**{"model.weights": "random", "training.seed": 4321}).settings  # a network that has to be made
    hasty = answer(request(asked(), settings=wanted, held=True))
    assert hasty["put_off"] is True and "once the knob rests" in json.dumps(hasty)
    assert answer(request(asked(), settings=wanted))["put_off"] is False
    assert answer(request(asked(), settings=wanted, held=True))["put_off"] is False  # known by now
