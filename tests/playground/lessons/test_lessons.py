"""The included lessons: their claims are true for the built-in weights, and their text follows the page."""

import json
import re

import pytest

from core.config import knobs
from playground.lessons.lesson import Claim
from playground.lessons.narration import PLACEHOLDER, Check, Narration
from playground.lessons.page_effects import apply_layers, build_lesson_state
from playground.lessons.panel import build_contents, filter_seen
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition
from playground.lessons.quantities import QUANTITIES, format_quantity
from playground.lessons.stay import (
    answer_question,
    state_at,
)
from playground.lessons.way import format_minutes
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps import STEPS

ALL = [(key, index) for key, lesson in lessons().items() for index in range(len(lesson.steps))]


def test_there_are_at_least_eight():
    assert len(lessons()) >= 8 and next(iter(lessons())) == "dense"


@pytest.mark.slow
@pytest.mark.parametrize(("key", "index"), ALL)
def test_every_step_is_right(key, index):
    """It names existing steps, settings and quantities, and its claims hold."""
    lesson = lessons()[key]
    step = lesson.steps[index]
    assert step.text and step.show in STEPS and set(step.settings) <= set(knobs())
    for text in (step.text, step.question, *step.answers, step.reveal):
        assert set(PLACEHOLDER.findall(text)) <= set(QUANTITIES)
    for claim in step.claims:
        assert set(claim.names) <= set(QUANTITIES)
    here, told = at(key, index), at(key, index, max(0, step.right) if step.question else None)
    question, answers = here.build_question()
    for said in (here.build_text(), question, *answers, told.build_text(), told.build_outcome()):
        assert not PLACEHOLDER.search(said.replace("\\mathrm", "").replace("\\frac", "")) and ">–<" not in said
    assert here.list_changes() == told.list_changes() == ()
    checks = told.check_claims()
    assert len(checks) == len(step.claims)
    for check in checks:
        assert check.is_true, check.explain("Here")


def at(key: str, index: int, answer: int | None = None) -> Narration:
    """Returns the narration of a step, after an answer if there is one."""
    place = LessonPosition(lessons()[key], index)
    state = state_at(place)
    return Narration(place.lesson.steps[index], state if answer is None else answer_question(state, str(answer)))


@pytest.mark.parametrize("key", lessons())
def test_every_lesson_asks_before_it_tells_and_claims_something(key):
    steps = lessons()[key].steps
    assert any(step.question for step in steps) and any(step.claims for step in steps) and steps[-1].is_summary
    for index, step in enumerate(steps):
        if step.question:
            assert at(key, index).build_outcome() == "" and at(key, index).check_claims() == []
            if step.draw:
                assert at(key, index, 0).build_outcome()
                continue
            assert at(key, index, step.right).build_outcome().startswith("**Right.**")
            assert at(key, index, (step.right + 1) % len(step.answers)).build_outcome().startswith("**Not quite.**")


def test_the_text_after_the_answer_follows_the_page():
    """A knob moved after the answer changes the text after it and the claims, but not the text before it."""
    place = LessonPosition(lessons()["assignment"], 1)
    told = answer_question(state_at(place), "0")
    assert told.config().matching.fg_iou_threshold == 0.3
    before = Narration(place.lesson.steps[1], told)
    strict = told._replace(settings=settings_of(told.config().replace({"matching.fg_iou_threshold": 0.9})))
    after = Narration(place.lesson.steps[1], strict)
    assert before.format_numbers()["text.foreground"] == after.format_numbers()["text.foreground"]
    assert int(after.format_numbers()["told.foreground"]) < int(before.format_numbers()["told.foreground"])
    assert after.list_changes() == ("Foreground IoU threshold 0.3 → 0.9",) and before.list_changes() == ()
    assert [check.is_true for check in before.check_claims()] == [True, True]
    assert [check.is_true for check in after.check_claims()] == [False, False]
    question, checks = build_lesson_state(strict)
    assert json.loads(question)["numbers"] == after.format_numbers() and "Foreground IoU threshold 0.3 → 0.9" in checks


def test_claims_that_fail_are_announced_without_their_numbers():
    """Numbers change while a knob moves: all of them would be too much to listen to."""
    place = LessonPosition(lessons()["assignment"], 1)
    told = answer_question(state_at(place), "0")
    announced = [
        re.findall(r"data-said>([^<]*)<", build_lesson_state(told._replace(settings=settings_of(config)))[1])
        for config in (told.config().replace({"matching.fg_iou_threshold": each}) for each in (0.3, 0.85, 0.9))
    ]
    assert announced[0] == [] and announced[1] == announced[2] != []
    assert announced[1][0].startswith("Here it is different: “") and not re.search(r"\d", announced[1][0])


def test_the_text_before_the_answer_follows_another_scene():
    """Only the changes of the answer are undone for the text before it."""
    place = LessonPosition(lessons()["assignment"], 1)
    told = answer_question(state_at(place), "0")
    other = told._replace(settings=settings_of(told.config().replace({"scenes.seed": 4})))
    before, after = (Narration(place.lesson.steps[1], each).format_numbers() for each in (told, other))
    alone = state_at(place).config().replace({"scenes.seed": 4})
    fresh = Narration(place.lesson.steps[1], state_at(place)._replace(settings=settings_of(alone)))
    assert before["text.foreground"] != after["text.foreground"] == fresh.format_numbers()["text.foreground"]


def test_a_number_that_cannot_be_computed_is_a_dash():
    place = LessonPosition(lessons()["focal"], 4)
    broken = state_at(place).config().replace({"model.depth": 50})  # the built-in weights are a ResNet-18
    telling = Narration(place.lesson.steps[4], state_at(place)._replace(settings=settings_of(broken), answer=0))
    assert set(telling.format_numbers().values()) == {"–"}
    assert [check.is_true for check in telling.check_claims()] == [False]
    what = "anchors that would carry the loss if all of them paid alike"
    assert telling.explain_failures() == [
        f"Here, what the lesson says of “{what}” cannot be checked. “Backbone depth” = 50 contradicts the weights "
        "builtin, which need 18: set “Backbone depth” to 18 or choose other weights. That knob is in the step Network."
    ]


def test_a_claim_that_fails_says_so_in_words():
    claim = Claim("foreground", "<", "before.foreground", "the objects are large.")
    said = Check(claim, 40, 20).explain("On your picture")
    assert (
        said
        == "On your picture it is different: “foreground” is 40, not below 20, its value before; the objects are large."
    )
    said = Check(Claim("foreground", "<=", "ignored"), 1234, 20).explain("Here")
    assert said == "Here it is different: “foreground” is 1,234, above 20, “ignored”."
    assert Check(Claim("share_of_foreground", "==", "1"), 0.5, 1).explain("Here").endswith("is 50%, not 100%.")


def test_a_change_whose_knob_is_out_of_sight_is_told():
    step = lessons()["anchors"].steps[1]
    assert "model.heads" in step.answer_changes and "model.heads" not in step.knobs
    told = at("anchors", 1, step.right).build_outcome()
    assert "The lesson also changes Heads from loaded to new." in told and "Aspect ratios from" not in told


def test_only_valid_answers_count():
    place = LessonPosition(lessons()["focal"], 1)
    for choice in (None, 7, "3", "-1", "x", ["0"], {}):
        assert answer_question(state_at(place), choice) is None
    told = answer_question(state_at(place), "1")
    assert told.answer == 1 and told.config().loss.gamma == 2 and answer_question(told, "2") is None
    assert answer_question(state_at(place)._replace(lesson=""), "0") is None


@pytest.mark.slow
def test_the_answer_is_hidden_until_it_is_given():
    """The answer to a question comes from the settings that it changes, or is hidden."""
    for key, index in ALL:
        place = LessonPosition(lessons()[key], index)
        step = place.lesson.steps[index]
        state = json.loads(build_lesson_state(state_at(place))[0])
        assert step.show in state["needs"] and set(step.settings) <= set(state["needs"])
        if step.question:
            assert step.veil or step.answer_changes
            assert state["veil"] == list(step.veil) and state["right"] is None
            after = json.loads(build_lesson_state(answer_question(state_at(place), "0"))[0])
            assert after["veil"] == [] and after["right"] == step.right and after["chosen"] == 0


def test_outside_of_lessons_the_page_stays_as_it_is():
    assert build_lesson_state(PageState("loss")) == ('{"link": ""}', "")


def test_a_step_switches_layers():
    place = LessonPosition(lessons()["assignment"], 0)
    state = state_at(place)
    look = STEPS["assignment"].build_view(state.pipeline(), state.focus())
    usual, wanted = ({each.key: each.visible for each in one.layers} for one in (look, apply_layers(look, state)))
    assert not usual["ignored"] and wanted == {**usual, "ignored": True}
    assert (
        apply_layers(look, state._replace(step="loss")) is look
        and apply_layers(look, state._replace(lesson="")) is look
    )


def test_the_lessons_take_less_than_an_hour():
    """Estimated from words and steps; the short course takes about a third of it."""
    core = [lesson for lesson in lessons().values() if lesson.core]
    assert sum(lesson.minutes for lesson in lessons().values()) < 50 and sum(lesson.minutes for lesson in core) < 16
    assert {"cross-entropy", "focal", "alpha-gamma-pi"} <= {lesson.key for lesson in core}
    assert format_minutes(*core) in build_contents(state_at(LessonPosition(lessons()["dense"], 0)), []).text


def test_a_lesson_is_shown_with_its_step():
    place = LessonPosition(lessons()["focal"], 1)
    step = place.lesson.steps[1]
    shown_page = render(PageState(step.show, lesson=place.link))
    assert shown_page.notice == "" and "lesson=focal.2" in shown_page.strip
    shown = build_contents(state_at(place), [place.link])
    assert "One factor" not in shown.title and "Turn it up" in shown.title and "1 of " in shown.map
    assert "γ goes from 0 to 2" in shown.text and shown.outcome == ""
    told = build_contents(answer_question(state_at(place), "2"), []).outcome
    assert told.startswith("**Right.**") and "lesson-set" not in told and "0.25</span>" in told


@pytest.mark.parametrize("said", [None, 5, "focal.1", {"a": 1}, [["x"], 3, None, "no.1"]])
def test_seen_steps_from_the_browser_can_be_anything(said):
    assert filter_seen(said) == []
    assert filter_seen(["focal.2", "focal.1", "focal.2", 7]) == ["focal.1", "focal.2"]


def test_numbers_are_short():
    written = ["12,276", "0.01", "3", "1,234", "0.457", "0.00001"]
    assert [format_quantity("anchors", each) for each in (12276, 0.0100001, 3.0, 1234.5, 0.4567, 1e-5)] == written
    assert [format_quantity("share_of_foreground", each) for each in (1.0, 0.4567, 0.0036)] == ["100%", "46%", "0.4%"]


@pytest.mark.parametrize("key", lessons())
def test_steps_are_short_and_end_in_a_summary(key):
    """At most ninety words before the question; each wrong answer has a reason, and each lesson a summary."""
    *steps, last = lessons()[key].steps
    assert last.is_summary and last.title == "What you have seen" and not any(step.is_summary for step in steps)
    for step in lessons()[key].steps:
        assert len(step.text.split()) <= 90, step.title
        for index, reason in enumerate(step.reasons):
            assert bool(reason) == (index != step.right), step.title


def test_the_core_comes_in_its_order_and_the_new_lessons_follow():
    keys = list(lessons())
    assert keys[-3:] == ["average-precision", "box-regression", "questions"] and len(keys) == 13
