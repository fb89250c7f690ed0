"""Going through lessons: each step sets the page."""

from collections.abc import Callable, Iterable

import gradio as gr
from gradio.blocks import Block

from core.config import knobs
from core.errors import UserError, shorten
from playground.events.common import WITHOUT_PROGRESS, EventOptions, Updates, announce_answers, listen, show
from playground.layout.components import PageComponents
from playground.lessons.narration import Narration
from playground.lessons.page_effects import RESTORE
from playground.lessons.panel import LessonContents, build_contents, filter_seen, preset_update
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition, move
from playground.lessons.stay import answer_question, come_back, is_own_picture_shown, keep_picture, state_at
from playground.lessons.way import GO
from playground.server.opening import follow_link
from playground.server.permalink import to_link
from playground.state.page_state import PageState
from playground.state.user_picture import set_aside

PICTURE_WAITS = (
    "The lessons begin with pictures of their own. Yours comes back when you leave them; to take them on yours, choose "
    "it above the picture."
)
# What was before the lessons belongs to a window, while they last: another one has settings of its own.
KEEP_OWN = "(link) => sessionStorage.setItem('retinanet-own', link)"
FIND_OWN = """() => {
  if (!new URLSearchParams(location.search).has("lesson")) sessionStorage.removeItem("retinanet-own");
  return sessionStorage.getItem("retinanet-own") ?? "";
}"""
Own = PageState | None  # the state before the lessons
Course = tuple[str, ...]  # links of the steps that a teacher has picked, () for all
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


def link_to(state: PageState) -> str:
    """Returns the link of a state, "" if its settings are not allowed."""
    try:
        return to_link(state, state.config())
    except UserError:
        return ""


def recall(state: PageState, link: object) -> tuple[PageState | None, str]:
    """Returns the state before the lessons from its link, after a reload, and what is missing of it, "" for nothing.

    Args:
        state: The state of the last step.
        link: What the browser remembers; untrusted.

    Returns:
        The state, None if the browser remembers none.
    """
    if not isinstance(link, str) or not link:
        return None, ""
    found, message = follow_link(link, state.user_picture, state.pinned_picture, visitor=state.visitor)
    own = {name: getattr(found, name) for name in (*SET_BY_STEP, "settings")}
    return None if found.lesson else state._replace(**own), message


def connect_lessons(page: PageComponents, blocks: gr.Blocks) -> None:
    """Connects the choice of a lesson, its steps, its questions, and leaving it."""
    panel, chooser = page.panel, page.header.lessons

    def choose(
        state: PageState, seen: object, own: Own, own_link: object, course: Course, *, event: gr.EventData
    ) -> Updates:
        chosen = str(getattr(event, "choose", ""))
        link = f"{chosen}.1" if chosen in lessons() else chosen.removeprefix(GO)
        position = LessonPosition.from_link(link)
        if position is None:
            return leave(page, state, own, own_link)
        return go_to(page, position, filter_seen(seen), state, course)

    def go(steps: int) -> Callable[..., Updates]:
        def handler(state: PageState, seen: object, own: Own, own_link: object, course: Course) -> Updates:
            position = LessonPosition.from_link(state.lesson)
            following = position and move(position, steps, course)
            if following is None:
                return leave(page, state, own, own_link)
            return go_to(page, following, filter_seen([*filter_seen(seen), state.lesson]), state, course)

        return handler

    def leave_at_once(state: PageState, seen: object, own: Own, own_link: object, course: Course) -> Updates:
        return leave(page, state, own, own_link)

    changes = [*SET_BY_STEP, "settings"]
    inputs = [panel.seen, panel.own, panel.own_link, panel.course]
    outputs = [chooser, page.controls.training.preset, panel.seen, panel.own, panel.own_link, *panel_components(page)]
    options: EventOptions = {"show_progress": "minimal", "show_progress_on": [panel.text]}
    buttons = ((panel.back, go(-1)), (panel.onward, go(1)), (panel.leave, leave_at_once))
    choices = (chooser, panel.map, panel.quiz)
    handlers = (*((each.select, choose) for each in choices), *((each.click, act) for each, act in buttons))
    for event, handler in handlers:
        listen(page, event, handler, inputs=inputs, changes=changes, outputs=outputs, **options)
    panel.whole.click(None, js="() => document.body.toggleAttribute('data-whole-step')")
    blocks.load(None, None, panel.own_link, js=FIND_OWN)
    panel.own_link.change(None, panel.own_link, js=KEEP_OWN)
    _connect_question(page)


def leave(page: PageComponents, state: PageState, own: Own, own_link: object) -> Updates:
    """Returns the updates that show what was before the lessons.

    Args:
        page: The page's components.
        state: The state of the last step.
        own: The state before the lessons, None after a reload, or if they were opened by a link.
        own_link: The link of that state, which the browser keeps; untrusted.
    """
    own, missing = (own, "") if own else recall(state, own_link)
    back, message = come_back(state, own, missing)
    panel = page.panel
    shown = {**panel_updates(page, None), page.header.lessons: "", panel.own: None, panel.own_link: ""}
    return {**shown, **show(page, back, *SET_BY_STEP, "settings"), page.parts["notice"]: shorten(message)}


def go_to(
    page: PageComponents,
    position: LessonPosition,
    seen: Iterable[str],
    before: PageState,
    course: Course = (),
) -> Updates:
    """Returns the updates that show a lesson's step.

    Args:
        page: The page's components.
        position: The lesson's step.
        seen: Links of the steps that the reader has seen.
        before: The state before, of which the visitor, the chosen run and the visitor's picture stay.
        course: Links of the steps that a teacher has picked, () for all.
    """
    state = state_at(position)._replace(run=before.run, visitor=before.visitor, user_picture=keep_picture(before))
    seen = filter_seen([*seen, position.link])
    shown = show(page, state, *SET_BY_STEP, "settings")
    if not before.lesson and is_own_picture_shown(before):
        shown[page.parts["notice"]] = f"{PICTURE_WAITS} {shown.get(page.parts['notice']) or ''}".strip()
    return {
        page.header.lessons: position.lesson.key,
        page.controls.training.preset: preset_update(position),
        page.panel.seen: seen,
        page.panel.own: gr.skip() if before.lesson else before,
        page.panel.own_link: gr.skip() if before.lesson else link_to(before),
        **panel_updates(page, build_contents(state, seen, course)),
        **shown,
    }


def panel_components(page: PageComponents) -> list[Block]:
    """Returns the components that `panel_updates` changes."""
    panel = page.panel
    return [panel.box, panel.title, panel.map, panel.text, panel.outcome, panel.back, panel.onward]


def panel_updates(page: PageComponents, new: LessonContents | None) -> Updates:
    """Returns new values for the lesson's panel; None hides it."""
    panel = page.panel
    if new is None:
        return {panel.box: gr.Column(visible=False)}
    return {
        panel.box: gr.Column(visible=True),
        panel.title: new.title,
        panel.map: new.map,
        panel.text: new.text,
        panel.outcome: new.outcome,
        panel.back: gr.Button(interactive=new.has_previous),
        panel.onward: onward_update(new),
    }


def onward_update(new: LessonContents) -> gr.Button:
    """Returns the update of the button that goes on: it is the main one once the question is answered."""
    return gr.Button(new.onward, variant="primary" if new.is_answered else "secondary")


def _connect_question(page: PageComponents) -> None:
    panel = page.panel
    changes = ("answer", "step", "user_picture", "settings")

    def show_outcome(state: PageState, course: Course) -> Updates:
        contents = build_contents(state, [], course)
        assert contents is not None  # both handlers have checked it
        outcome: Updates = {panel.outcome: contents.outcome, panel.onward: onward_update(contents)}
        return {**outcome, **show(page, state, *changes)}

    def answer(state: PageState, course: Course, *, event: gr.EventData) -> Updates:
        if not state.lesson or getattr(event, "link", None) != state.lesson:  # the reader has gone on meanwhile
            return {panel.outcome: gr.skip()}
        # An answer that the page could not show when it was given is shown now.
        known = state.answer is not None
        answered = state if known else answer_question(state, getattr(event, "choose", None))
        return show_outcome(answered, course) if answered else {panel.outcome: gr.skip()}

    def restore(state: PageState, course: Course, *, event: gr.EventData) -> Updates:
        position = LessonPosition.from_link(state.lesson)
        if position is None or getattr(event, "choose", None) != RESTORE:
            return {panel.outcome: gr.skip()}
        shown = state.user_picture  # one that only the step's scenes hide comes back after it
        shown = set_aside(shown) if is_own_picture_shown(state) else shown
        told = state.setting(Narration(position.step, state).expected_config(), knobs())
        return show_outcome(told._replace(user_picture=shown), course)

    for part, handler in ((panel.question, answer), (panel.checks, restore)):
        outputs = [panel.outcome, panel.onward]
        dependency = listen(
            page, part.select, handler, inputs=[panel.course], changes=changes, outputs=outputs, **WITHOUT_PROGRESS
        )
        if part is panel.question:
            announce_answers(dependency, "question-answered")
