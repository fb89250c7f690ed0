"""Requests of any content: each function that the browser calls answers, or refuses with one sentence."""

import json
import math
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import UserError
from playground.canvas.canvas import find_picture
from playground.canvas.edit import CHANGE_FIELDS, EDIT_FIELDS, parse_class_change, parse_click, parse_edit
from playground.data.intake import read_upload, take
from playground.events.album import ACTIONS, ON_PICTURE, act, show_upload
from playground.events.data.sets import browse_to, parse_shares
from playground.events.evaluation import follow_link
from playground.events.settings import select_in_strip
from playground.events.training import poll_runs
from playground.lessons.panel import filter_seen
from playground.lessons.stay import answer_question, come_back
from playground.pipeline.downloads import download
from playground.runs.service import RUNS
from playground.runs.table_api import handle_request
from playground.server import live_api
from playground.server.poll import answer_poll
from playground.server.tokens import BROWSER_FIELDS, TOKENS
from playground.state.page_state import PageState
from playground.steps.dials import parse_dials
from playground.support.wording import name_knobs
from tests.playground.made_albums import albums_at, fill_album
from tests.playground.made_runs import make_run, runs_at, step

VISITOR, RUN = "a" * 32, "20260101-000000-001"
SENDER = SimpleNamespace(cookies={})
SETTINGS = '{"scenes.image_size": 96, "inference.image_size": 96, "model.weights": "random"}'
TRIES = 150
PLAIN = (
    None, True, False, -1, 0, 1, 7, 10**400, -(10**30), 3.5, 1e308, math.nan, math.inf, "", "x", "\0", "\ud800",
    "a" * 300, "x" * 10_000, "/etc/passwd", "../x", RUN, "scenes", "val", "loss", "training", "go scenes/val/1",
    "go x/y/z", f"go {'a' * 300}/val/1", "use nan", "use 0.4", "open 999999999", "choice cell 9 9",
    "choice kind location", "score 2", "focal.1", "0", "look", "label", "delete", "restore", "join", "read", "coco",
    "imagenet", "rename", "merge", "recolour", "#ffffff", "of=\ud800", "graph=ap&counted=1e400", "box=0,1,2,3,nan",
    SETTINGS, '{"loss.gamma": 99}', '{"x": 1}', '{"model.weights": "/etc/passwd"}', "[" * 5000,
    json.dumps({"model.weights": f"run/{'a' * 300}"}), json.dumps({"model.weights": f"run/{RUN}"}),
)  # fmt: skip
KEYS = (
    "token", "settings", "curve", "p_t", "frame", "dials", "switched", "held", "act", "run", "name", "tags", "key",
    "chosen", "stamp", "verb", "depth", "window", "path", "x1", "y1", "x2", "y2", "label", "a", "",
)  # fmt: skip


def anything(chance: random.Random, depth: int = 3) -> Any:
    """Returns a value as JSON can hold it."""
    kind = chance.random() if depth else 0
    if kind < 0.6:
        return chance.choice(PLAIN)
    if kind < 0.8:
        return [anything(chance, depth - 1) for _ in range(chance.choice((0, 1, 2, 4)))]
    return {chance.choice(KEYS): anything(chance, depth - 1) for _ in range(chance.choice((0, 1, 3, 8)))}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    make_run(tmp_path / "runs" / RUN, {}, [step(1)])
    monkeypatch.chdir(tmp_path)
    with runs_at(tmp_path / "runs"), albums_at(tmp_path / "albums"):
        monkeypatch.setattr(RUNS, "open", lambda: None)
        monkeypatch.setattr("playground.pipeline.downloads.DOWNLOADS", _NoDownloads())
        fill_album(VISITOR, tmp_path)
        yield


class _NoDownloads:
    """In place of downloads: nothing is fetched here."""

    def __getattr__(self, name: str) -> Callable:
        return lambda *arguments: SimpleNamespace(_asdict=dict)


def state() -> PageState:
    return PageState("detections", settings=SETTINGS, visitor=VISITOR)


def ask_live(chance: random.Random) -> None:
    valid = {"token": TOKENS.issue(state()), "settings": SETTINGS, "curve": "loss", "p_t": 0.9, "frame": 1, "dials": ""}
    field = chance.choice((*BROWSER_FIELDS, "token", "switched", "held"))
    sent = {**valid, "switched": {}, field: anything(chance)} if chance.random() < 0.7 else anything(chance)
    for part in live_api.answer(sent, VISITOR):
        assert len(part.get("notice") or "") <= 500
        json.dumps(part)


def ask_poll(chance: random.Random) -> None:
    sent = {"token": TOKENS.issue(state()), "settings": anything(chance)} if chance.random() < 0.7 else anything(chance)
    assert isinstance(answer_poll(sent, "training", poll_runs, VISITOR), dict)


def ask_runs(chance: random.Random) -> None:
    sent = {name: anything(chance) for name in ("act", "run", "name", "tags", "key", "chosen", "stamp")}
    found = handle_request(sent if chance.random() < 0.9 else anything(chance), RUNS, VISITOR)
    assert len(found["said"]) <= 500 and json.dumps(found)


def draw(chance: random.Random) -> None:
    fields = {name: anything(chance) for name in EDIT_FIELDS}
    if chance.random() < 0.5:
        fields["classes"] = ["a"]
        fields["boxes"] = [{key: anything(chance, 0) for key in ("x1", "y1", "x2", "y2", "label")}]
    parse_edit(fields, 96, 96, ["a"], free_classes=chance.random() < 0.5)


def change_class(chance: random.Random) -> None:
    fields = {name: anything(chance, 1) for name in CHANGE_FIELDS}
    if chance.random() < 0.5:
        fields["classes"] = ["a", "b"]
    parse_class_change(fields, ["a", "b"])


def click(chance: random.Random) -> None:
    x, y, layer, index = (anything(chance, 1) for _ in range(4))
    parse_click(x, y, 96, 96, layer, index)


def act_in_panel(chance: random.Random) -> None:
    harmless = [each for each in (*ACTIONS, *ON_PICTURE) if each != "delete"]
    shown = state().pipeline().picture.pixels_key
    act(
        state(),
        chance.choice([*harmless, anything(chance)]),
        anything(chance),
        chance.choice([shown, anything(chance)]),
    )


ASKED: dict[str, Callable[[random.Random], object]] = {
    "live": ask_live,
    "poll": ask_poll,
    "runs": ask_runs,
    "edit": draw,
    "classes": change_class,
    "click": click,
    "panel": act_in_panel,
    "picture": lambda chance: find_picture(anything(chance), VISITOR),
    "download": lambda chance: download(anything(chance)),
    "intake": lambda chance: take(anything(chance), SENDER),
    "upload": lambda chance: read_upload({"path": anything(chance), "name": anything(chance)}),
    "shown upload": lambda chance: show_upload(state(), anything(chance), anything(chance), anything(chance)),
    "bar": lambda chance: browse_to(state(), *(anything(chance, 1) for _ in range(4))),
    "links": lambda chance: follow_link(state(), str(anything(chance))),
    "strip": lambda chance: select_in_strip(state(), *(anything(chance, 1) for _ in range(4))),
    "answers": lambda chance: answer_question(state()._replace(lesson="focal.1"), anything(chance)),
    "seen": lambda chance: filter_seen(anything(chance)),
    "leaving": lambda chance: come_back(state(), state()._replace(settings=str(anything(chance)))),
    "shares": lambda chance: parse_shares(str(anything(chance))),
    "dials": lambda chance: parse_dials(str(anything(chance, 0))).to_text(),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ASKED)
def test_whatever_the_browser_sends_is_answered_or_refused(name):
    chance, count = random.Random(name), 30 if name in ("live", "bar", "links") else TRIES
    for _ in range(count):
        try:
            ASKED[name](chance)
        except UserError as error:
            assert len(name_knobs(error).encode()) <= 4 * 500  # it can be sent
