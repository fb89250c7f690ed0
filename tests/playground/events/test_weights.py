"""The choice of weights: of several in a row the newest one counts, however long the others take."""

import copy
from types import SimpleNamespace

import gradio as gr
import pytest

from core.config import Config
from playground.events import weights as module
from playground.events.weights import Choices, connect_weights
from playground.layout.layout import lay_out
from playground.server.banner import ARRIVED, TRAIN
from playground.state.page_state import PageState
from playground.state.settings import config_of, settings_of

pytestmark = pytest.mark.slow
SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}
STATE = PageState("picture", settings=settings_of(Config.from_flat(SMALL)))


@pytest.fixture
def connected():
    """The page, and the events of the list of weights and of the banner's buttons."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        connect_weights(page)
    (listed,) = (each for each in blocks.fns.values() if (page.knobs["model.weights"]._id, "input") in each.targets)
    (button,) = (each for each in blocks.fns.values() if (page.parts["banner"]._id, "select") in each.targets)
    return page, listed, button


@pytest.fixture
def choose(connected):
    """Chooses weights from the list, or with a button of the banner; returns the settings that the page then gets."""
    page, listed, button = connected
    assert listed.trigger_mode == button.trigger_mode == "multiple"  # none is dropped
    sender, values = SimpleNamespace(cookies={}), [getattr(STATE, field) for field in page.state]

    def choose(name: str, choices: Choices, **data):
        if data:
            updates = button.fn(sender, gr.EventData(None, {"name": name, **data}), *values, choices)
        else:
            updates = listed.fn(sender, *values, name, choices)
        return config_of(updates[page.settings]).model.weights if page.settings in updates else None

    return choose


@pytest.mark.parametrize("with_button", [False, True])
def test_a_slow_choice_changes_nothing_after_a_newer_one(choose, monkeypatch, with_button):
    choices, follow, newer = Choices(), module.follow_weights, []

    def choose_meanwhile(config):
        monkeypatch.setattr(module, "follow_weights", follow)
        newer.append(choose("random", choices, **({"action": "weights"} if with_button else {})))
        return follow(config)

    monkeypatch.setattr(module, "follow_weights", choose_meanwhile)
    assert choose("builtin", choices) is None and newer == ["random"]
    assert choose("builtin", choices) == "builtin"


def test_windows_choose_apart_and_a_step_is_no_choice_of_weights(choose):
    choices, other = Choices(), copy.deepcopy(Choices())  # as Gradio makes them
    number = choices.begin()
    assert choose("random", other) == "random" and choices.is_newest(number)
    choose("", choices, action=TRAIN)
    assert choices.is_newest(number)


def test_weights_that_arrive_where_others_are_in_use_are_announced_and_not_used(connected, monkeypatch):
    page, _, button = connected
    followed = []
    monkeypatch.setattr(module, "choose_weights", lambda page, state, name: followed.append(name) or {})

    def arrive(name: object, before: object, state: PageState = STATE) -> str:
        data = gr.EventData(None, {"action": ARRIVED, "name": name, "before": before})
        values = [getattr(state, field) for field in page.state]
        updates = button.fn(SimpleNamespace(cookies={}), data, *values, Choices())
        assert page.settings not in updates
        return updates.get(page.parts["notice"], "")

    said = "The COCO weights are here. To use them, choose coco_v2 under “Initial weights” in the Network step."
    assert arrive("coco_v2", "builtin") == said
    assert "The lesson keeps its own: after it, choose coco_v2" in arrive(
        "coco_v2", "random", STATE._replace(lesson="focal.1")
    )
    assert followed == []
    for before in ("random", None, 7):
        arrive("coco_v2", before)
    arrive(["coco_v2"], "builtin")
    assert followed == ["coco_v2"] * 3 + ["random"]
