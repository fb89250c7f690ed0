"""Going through lessons: each step sets the page."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from playground.events.common import refusing, shown_settings, updates
from playground.layout.layout import Parts
from playground.lessons.narration import Narration
from playground.lessons.page_effects import AS_TOLD
from playground.lessons.panel import chosen_preset, contents, known, moved
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition
from playground.server.render import show
from playground.state.page_state import PageState
from playground.state.settings import settings_of

# What else a step of a lesson sets anew; the rest of what was asked stays.
ANEW = ("step", "user_picture", "pick", "level", "map", "curve", "pinned", "pinned_picture", "beside", "answer")


def asked_at(place: LessonPosition) -> PageState:
    """Returns what the page is asked to show at a step of a lesson."""
    step = place.lesson.steps[place.index]
    return PageState(step.show, settings=settings_of(step.first_config()), lesson=place.link, curve=step.curve)


def answered(state: PageState, choice: object) -> PageState | None:
    """Returns what the page shows once an answer is chosen, of which the browser may say anything; None for no answer.

    Raises:
        ConfigError: What the answer sets contradicts what the reader has set meanwhile.
    """
    place = LessonPosition.from_link(state.lesson)
    step = place and place.lesson.steps[place.index]
    if not step or state.answer is not None or choice not in map(str, range(len(step.answers))):
        return None
    config = state.config().replace({path: step.settings[path] for path in step.later})
    return state._replace(step=step.show, settings=settings_of(config), answer=int(str(choice)))


def connect_lessons(parts: Parts) -> None:
    """Choosing a lesson, its steps, its questions, and leaving it."""
    panel, chooser = parts.panel, parts.buttons["lessons"]
    asked_of = [panel.seen, parts.run]
    outputs = [*_places(parts), *parts.all_settings, *parts.shown]
    kept = len(outputs) - len(parts.shown)
    slow = {"show_progress": "minimal", "show_progress_on": [panel.text]}

    def choose(key: str, seen: list[str], run: str) -> list:
        return _at(parts, LessonPosition(lessons()[key], 0) if key in lessons() else None, seen, run)

    def step(count: int) -> Callable[[str, list[str], str], list]:
        def go(link: str, seen: list[str], run: str) -> list:
            place = LessonPosition.from_link(link)
            return _at(parts, place and moved(place, count), [*known(seen), link], run)

        return refusing(kept, go)

    def leave(*inputs: Any) -> list:
        left = PageState(*inputs)._replace(lesson="", answer=None)
        return [*_at(parts, None, [], "")[:kept], *updates(show(left))]  # the address follows

    chooser.input(refusing(kept, choose), [chooser, *asked_of], outputs, **slow)
    panel.back.click(step(-1), [parts.lesson, *asked_of], outputs, **slow)
    panel.onward.click(step(1), [parts.lesson, *asked_of], outputs, **slow)
    panel.leave.click(leave, parts.state, outputs, **slow)
    _connect_question(parts)


def _connect_question(parts: Parts) -> None:
    told = [parts.answer, parts.panel.outcome, parts.step, parts.user_picture, *parts.all_settings, *parts.shown]
    kept = len(told) - len(parts.shown)

    def answer(event: gr.EventData, *inputs: Any) -> list:
        state = answered(PageState(*inputs), getattr(event, "choose", None))
        return _told(state) if state else [gr.skip()] * len(told)

    def again(event: gr.EventData, *inputs: Any) -> list:
        state = PageState(*inputs)
        place = LessonPosition.from_link(state.lesson)
        if place is None or getattr(event, "choose", None) != AS_TOLD:
            return [gr.skip()] * len(told)
        settings = settings_of(Narration(place.lesson.steps[place.index], state).expected())
        return _told(state._replace(settings=settings, user_picture=None))

    parts.panel.question.select(refusing(kept, answer), parts.state, told, show_progress="hidden")
    parts.panel.checks.select(refusing(kept, again), parts.state, told, show_progress="hidden")


def _told(state: PageState) -> list:
    place = LessonPosition.from_link(state.lesson)
    outcome = Narration(place.lesson.steps[place.index], state).outcome()
    return [
        state.answer,
        outcome,
        state.step,
        state.user_picture,
        *shown_settings(state.config()),
        *updates(show(state)),
    ]


def _places(parts: Parts) -> list:
    """The components that say where one is in the lessons, in the order of `_at`."""
    anew = [getattr(parts, name) for name in ANEW]
    chosen = [parts.buttons["lessons"], parts.buttons["preset"]]
    return [parts.lesson, *anew, *chosen, parts.panel.seen, *parts.panel.shown]


def _at(parts: Parts, place: LessonPosition | None, seen: list[str], run: str) -> list:
    """Returns what the page shows at a step of a lesson, or, without a place, what leaving does to it."""
    if place is None:
        rest = [gr.skip()] * (len(parts.all_settings) + len(parts.shown))
        anew = [gr.skip()] * (len(ANEW) - 1)
        return ["", *anew, None, "", *[gr.skip()] * 2, *contents(PageState(""), []), *rest]
    state = asked_at(place)._replace(run=run)
    seen = known([*known(seen), place.link])
    return [
        state.lesson,
        *[getattr(state, name) for name in ANEW],
        place.lesson.key,
        chosen_preset(place),
        seen,
        *contents(state, seen),
        *shown_settings(state.config()),
        *updates(show(state)._replace(beside=state.beside)),
    ]
