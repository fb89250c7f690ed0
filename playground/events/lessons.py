"""Going through lessons: each step sets the page."""

from collections.abc import Callable, Iterable

import gradio as gr
from gradio.blocks import Block

from playground.events.common import EventOptions, Updates, listen, show
from playground.layout.components import PageComponents
from playground.lessons.narration import Narration
from playground.lessons.page_effects import RESTORE
from playground.lessons.panel import LessonContents, build_contents, filter_seen, move, preset_update
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition
from playground.state.page_state import PageState
from playground.state.settings import settings_of

# Fields of the state that a lesson's step sets, beside the settings; the others stay.
SET_BY_STEP = (
    "lesson",
    "step",
    "user_picture",
    "pick",
    "level",
    "map",
    "curve",
    "pinned",
    "pinned_picture",
    "beside",
    "answer",
    "story",
    "dials",
)


def state_at(position: LessonPosition) -> PageState:
    """Returns the state at the beginning of a lesson's step."""
    step = position.step
    settings = settings_of(step.initial_config())
    return PageState(step.show, settings=settings, lesson=position.link, curve=step.curve, dials=step.dials)


def answer_question(state: PageState, choice: object) -> PageState | None:
    """Returns the state after an answer is chosen, None if the choice is no answer; `choice` is untrusted.

    Raises:
        ConfigError: The settings of the answer contradict those that the reader has chosen meanwhile.
    """
    position = LessonPosition.from_link(state.lesson)
    if position is None or state.answer is not None:
        return None
    step = position.step
    if choice not in [str(index) for index in range(step.num_choices)]:
        return None
    config = state.config().replace({path: step.settings[path] for path in step.answer_changes})
    return state._replace(step=step.show, settings=settings_of(config), answer=int(str(choice)))


def connect_lessons(page: PageComponents) -> None:
    """Connects the choice of a lesson, its steps, its questions, and leaving it."""
    panel, chooser = page.panel, page.header.lessons

    def choose(state: PageState, seen: object, key: str) -> Updates:
        if key not in lessons():
            return leave(state)
        return go_to(page, LessonPosition(lessons()[key], 0), filter_seen(seen), state)

    def go(steps: int) -> Callable[..., Updates]:
        def handler(state: PageState, seen: object) -> Updates:
            position = LessonPosition.from_link(state.lesson)
            if position is None:
                return leave(state)
            return go_to(page, move(position, steps), filter_seen([*filter_seen(seen), state.lesson]), state)

        return handler

    def leave(state: PageState) -> Updates:
        state = state._replace(lesson="", answer=None)
        shown = {**panel_updates(page, build_contents(state, [])), chooser: ""}
        return {**shown, **show(page, state, "lesson", "answer")}

    changes = [*SET_BY_STEP, "settings"]
    outputs = [chooser, page.controls.training.preset, panel.seen, *panel_components(page)]
    options: EventOptions = {"show_progress": "minimal", "show_progress_on": [panel.text]}
    listen(page, chooser.input, choose, inputs=[panel.seen, chooser], changes=changes, outputs=outputs, **options)
    listen(page, panel.back.click, go(-1), inputs=[panel.seen], changes=changes, outputs=outputs, **options)
    listen(page, panel.onward.click, go(1), inputs=[panel.seen], changes=changes, outputs=outputs, **options)
    listen(page, panel.leave.click, leave, changes=changes, outputs=outputs, **options)
    _connect_question(page)


def go_to(page: PageComponents, position: LessonPosition, seen: Iterable[str], before: PageState) -> Updates:
    """Returns the updates that show a lesson's step.

    Args:
        page: The page's components.
        position: The lesson's step.
        seen: Links of the steps that the reader has seen.
        before: The state before, of which the visitor and the chosen run stay.
    """
    state = state_at(position)._replace(run=before.run, visitor=before.visitor)
    seen = filter_seen([*seen, position.link])
    return {
        page.header.lessons: position.lesson.key,
        page.controls.training.preset: preset_update(position),
        page.panel.seen: seen,
        **panel_updates(page, build_contents(state, seen)),
        **show(page, state, *SET_BY_STEP, "settings"),
    }


def panel_components(page: PageComponents) -> list[Block]:
    """Returns the components that `panel_updates` changes."""
    panel = page.panel
    return [panel.box, panel.title, panel.text, panel.outcome, panel.back, panel.onward]


def panel_updates(page: PageComponents, new: LessonContents | None) -> Updates:
    """Returns new values for the lesson's panel; None hides it."""
    panel = page.panel
    if new is None:
        return {panel.box: gr.Column(visible=False)}
    return {
        panel.box: gr.Column(visible=True),
        panel.title: new.title,
        panel.text: new.text,
        panel.outcome: new.outcome,
        panel.back: gr.Button(interactive=new.has_previous),
        panel.onward: gr.Button(new.onward, interactive=new.has_next),
    }


def _connect_question(page: PageComponents) -> None:
    panel = page.panel
    changes = ("answer", "step", "user_picture", "settings")

    def show_outcome(state: PageState) -> Updates:
        position = LessonPosition.from_link(state.lesson)
        assert position is not None  # both handlers have checked it
        outcome = Narration(position.step, state).build_outcome()
        return {panel.outcome: outcome, **show(page, state, *changes)}

    def answer(state: PageState, *, event: gr.EventData) -> Updates:
        answered = answer_question(state, getattr(event, "choose", None))
        return show_outcome(answered) if answered else {panel.outcome: gr.skip()}

    def restore(state: PageState, *, event: gr.EventData) -> Updates:
        position = LessonPosition.from_link(state.lesson)
        if position is None or getattr(event, "choose", None) != RESTORE:
            return {panel.outcome: gr.skip()}
        settings = settings_of(Narration(position.step, state).expected_config())
        return show_outcome(state._replace(settings=settings, user_picture=None))

    outputs = [panel.outcome]
    listen(page, panel.question.select, answer, changes=changes, outputs=outputs, show_progress="hidden")
    listen(page, panel.checks.select, restore, changes=changes, outputs=outputs, show_progress="hidden")
