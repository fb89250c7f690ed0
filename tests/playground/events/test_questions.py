"""Answers to a lesson's question: of which step they are, and what becomes of one that the page could not show."""

from types import SimpleNamespace

import gradio as gr
import pytest

from playground.events.lessons import connect_lessons
from playground.layout.layout import lay_out
from playground.lessons.position import LessonPosition
from playground.lessons.stay import answer_question, state_at
from playground.state.page_state import PageState

pytestmark = pytest.mark.slow


@pytest.fixture
def choose():
    """Chooses an answer while a state is on the server; returns the text of the outcome and the answer, or nothing."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        connect_lessons(page, blocks)
    (select,) = (each for each in blocks.fns.values() if (page.panel.question._id, "select") in each.targets)

    def choose(state: PageState, **data):
        sender, values = SimpleNamespace(cookies={}), [getattr(state, field) for field in page.state]
        updates = select.fn(sender, gr.EventData(None, data), *values, ())
        outcome = updates[page.panel.outcome]
        return (outcome, updates.get(page.state["answer"])) if isinstance(outcome, str) else None

    return choose


def at(link: str) -> PageState:
    position = LessonPosition.from_link(link)
    assert position
    return state_at(position)


def test_an_answer_counts_in_the_step_that_asked(choose):
    outcome, answer = choose(at("thresholds.2"), choose="1", link="thresholds.2")
    assert "Right." in outcome and answer == 1
    for link in ("thresholds.1", "", None, ["thresholds.2"]):
        assert choose(at("thresholds.2"), choose="1", link=link) is None
    assert choose(PageState("picture"), choose="1", link="") is None


def test_an_answer_that_the_page_could_not_show_is_shown_at_the_next_choice(choose):
    given = answer_question(at("thresholds.2"), "1")
    outcome, answer = choose(given, choose="0", link="thresholds.2")
    assert "Right." in outcome and answer is None  # the first one counts, and stays
