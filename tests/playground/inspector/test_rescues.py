"""The cheapest ways out on the page: what the core found, with a button for each, and only when it is asked."""

import re

import pytest
import torch

from core.config import Config, ConfigError
from core.evaluation.error_types import KINDS
from core.rescue.change import Change
from core.rescue.faults import Fault, Standing
from core.rescue.search import Rescues, Verdict, find_rescues
from playground.canvas.edit import Pick
from playground.canvas.view import TRUTH
from playground.data.picture import render_picture
from playground.events.evaluation import follow_link
from playground.inspector import rescues
from playground.inspector.detection import count_strong
from playground.inspector.inspect import inspect
from playground.inspector.rescue_report import FAULTS, METHOD, ON, build_list, count_faults, describe, explain_lack
from playground.inspector.rescues import Found, find
from playground.pipeline.pipeline import Pipeline
from playground.state.effort import asks_for_much
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps import STEPS
from playground.steps.dials import Dials
from playground.steps.step import Focus
from tests.playground.inspector.test_inspect import SMALL


def pipeline(*, postpone_slow: bool = False, **changes) -> Pipeline:
    config = Config.from_flat({**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}})
    return Pipeline(render_picture(config.scenes), config, postpone_slow=postpone_slow)


@pytest.fixture
def counted(monkeypatch) -> list:
    """The searches that ran, from now on."""
    found = []

    def search(trials):
        found.append(trials)
        return find_rescues(trials)

    monkeypatch.setattr(rescues, "find_rescues", search)
    monkeypatch.setattr(rescues, "limit_passes", lambda _: 2)
    return found


@pytest.mark.slow
def test_nothing_is_searched_unless_it_is_asked_for(counted):
    here = pipeline(inference__max_detections=7)
    text = STEPS["detections"].build_view(here, Focus()).build_text().readout
    assert f'data-choose="dial rescue {ON}"' in text and METHOD not in text and counted == []
    assert not asks_for_much(PageState("detections", settings=settings_of(here.config)))


@pytest.mark.slow
def test_every_fault_has_a_row_and_its_button_undoes_it(counted):
    here = pipeline(inference__max_detections=8)
    found = find(here)
    verdict = next(each for each in found.rescues.verdicts if each.rescues and each.fault.kind != "missed")
    readout = STEPS["detections"].build_view(here, Focus(dials=Dials(rescue=ON))).build_text().readout
    assert METHOD in readout.unescape() and 'data-choose="set inference.' in readout
    place = found.places[verdict.fault.detection]
    strong = count_strong(here)
    pick = Pick(5, 5, "kept", place) if place < strong else Pick(5, 5, "weaker", place - strong)
    text = inspect(here, pick, rescued=True).text
    assert f"What would undo it: {FAULTS[verdict.fault.kind]}" in text
    link = re.search(r'data-choose="(set [^"]+)"', text)[1]
    state = follow_link(PageState("detections", settings=settings_of(here.config)), link)
    move = verdict.rescues[0].move
    assert state.config().to_flat()[move.path] == move.value
    after = find(Pipeline(here.picture, state.config())).rescues.standing
    change = verdict.rescues[0].change
    assert len(after.wrong) == len(found.rescues.standing.wrong) - change.gone + change.new
    assert len(counted) == 2  # under the settings, and under the new ones; the inspector asks for the same


@pytest.mark.slow
def test_an_object_that_no_anchor_proposes_needs_training(counted):
    here = pipeline(inference__max_detections=8)
    boxes = here.picture.sample.boxes.clone()
    boxes[:] = boxes.new_tensor([0, 0, 2, 95])
    picture = here.picture.with_objects(boxes, here.picture.sample.labels, here.picture.class_names)
    other = Pipeline(picture, here.config)
    text = inspect(other, Pick(1, 50, TRUTH, 0), rescued=True).text
    assert "No anchor proposes it" in text and "That needs training" in text


def test_a_held_knob_postpones_the_search_and_refusals_are_sentences(counted):
    here = pipeline(postpone_slow=True, inference__max_detections=9)
    here.network, here.prediction  # noqa: B018
    assert "once you release the knob" in build_list(here, on=True) and here.has_postponed and counted == []
    empty = pipeline(scenes__empty_share=1.0)
    assert "has no objects" in build_list(empty, on=True) and counted == []


def test_an_object_is_found_by_what_undoes_its_own_fault_not_by_hiding_what_lies_beside_it():
    beside, poor = Fault("both", 0, 0, 1, 0.9, torch.zeros(4)), Fault("location", 1, 0, 0, 0.8, torch.zeros(4))
    standing = Standing(frozenset(), (beside, poor), ())
    found = Found(Rescues(standing, (Verdict(beside, ()), Verdict(poor, ())), 0, ()), (0, 1), (0,))
    assert found.of_object(0).fault is poor and found.of_detection(0).fault is beside


def test_a_box_beside_one_that_has_found_its_object_is_not_explained_by_what_the_anchors_propose():
    again = Fault("duplicate", 1, 0, 0, 1.0, torch.zeros(4))
    rescues = Rescues(Standing(frozenset([0]), (again,), ()), (Verdict(again, ()),), 7, ())
    assert explain_lack(pipeline(), rescues, rescues.verdicts[0]) == (
        "None of the 7 values tried undoes it: the network has to learn it."
    )


def test_links_that_set_something_are_checked():
    state = PageState("detections")
    assert follow_link(state, "set inference.test_time_scales 1.0,1.5").config().inference.test_time_scales == (1, 1.5)
    for link in ("set inference.nms_threshold 7", "set nothing 1", "set", "set loss.gamma"):
        with pytest.raises(ConfigError):
            follow_link(state, link)


def test_words():
    assert set(FAULTS) == set(KINDS)
    assert (count_faults("missed", 3), count_faults("background", 2), count_faults("duplicate", 1)) == (
        "3 missed",
        "2 false alarms",
        "1 duplicate",
    )
    assert describe(Change()) == ("±0", "±0") and describe(Change(2, 1, 4, 3)) == ("+2, −1", "+3, −4")
    with pytest.raises(ConfigError):
        PageState("detections", dials="rescue=no").focus()
    assert asks_for_much(PageState("detections", dials=f"rescue={ON}"))
    assert not asks_for_much(PageState("loss", dials=f"rescue={ON}"))
