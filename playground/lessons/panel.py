"""The panel of a lesson: its text, its question, and the buttons that move through its steps."""

from typing import NamedTuple

import gradio as gr

from playground.components import html
from playground.components.menu import MenuItem, menu
from playground.lessons.lesson import Lesson
from playground.lessons.narration import Narration
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition, all_links, move
from playground.lessons.quiz import quiz_panel
from playground.lessons.teacher import teacher_panel
from playground.lessons.way import STAR, build_map, format_minutes
from playground.state.page_state import PageState
from playground.support.scripts import read_scripts

SCRIPTS = (  # one program, in this order
    "components/block.js",
    "components/button.js",
    "lessons/curve_pad.js",
    "lessons/box_marks.js",
    "lessons/drawn_answers.js",
    "lessons/named_controls.js",
    "lessons/focus.js",
    "lessons/question.js",
)
NEXT, SKIP, FINISH = "Next", "Skip", "Finish"
LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]


class Panel(NamedTuple):
    """The components of the lesson."""

    box: gr.Column
    title: gr.Markdown
    map: gr.HTML
    text: gr.Markdown
    question: gr.HTML
    outcome: gr.Markdown
    checks: gr.HTML
    quiz: gr.HTML
    back: gr.Button
    onward: gr.Button
    whole: gr.Button  # shows the knobs that the step does not name
    leave: gr.Button
    seen: gr.BrowserState
    own: gr.State  # the `PageState` before the lessons, None outside of them and after a reload
    own_link: gr.Textbox  # its link, for then
    course: gr.State  # links of the steps that a teacher has picked, () for all


class LessonContents(NamedTuple):
    """New values for the panel of a lesson.

    Attributes:
        title: Markdown.
        map: HTML of the way through all lessons.
        text: Markdown of the step, with its live numbers.
        outcome: Markdown that follows the question, "" before it is answered.
        has_previous: True if there is a step before it.
        onward: Label of the button that goes on.
        is_answered: True if the step has no question, or it is answered.
    """

    title: str
    map: str
    text: str
    outcome: str
    has_previous: bool
    onward: str
    is_answered: bool


def build_chooser() -> gr.HTML:
    """Builds the list of lessons."""
    items = [
        MenuItem(key, f"{number}. {each.title}{STAR * each.core}", format_minutes(each))
        for number, (key, each) in enumerate(lessons().items(), 1)
    ]
    return menu("Lessons ▾", items, elem_id="lessons")


def build_panel() -> Panel:
    """Builds the panel, which is hidden outside of lessons."""
    with gr.Column(visible=False, elem_classes=["lesson"]) as box:
        with gr.Column(elem_classes=["lesson-head"]):
            title = gr.Markdown(elem_id="lesson-title")
            way = html.component("map", "lesson-map")
        # The texts are trusted files; the numbers in them are elements that the script updates.
        text = gr.Markdown(latex_delimiters=LATEX, elem_id="lesson-text", sanitize_html=False)
        question = gr.HTML(
            "",
            part="lesson",
            html_template='<div class="lesson-question" id="lesson-question"></div>',
            js_on_load=read_scripts(*SCRIPTS),
            apply_default_css=False,
            elem_id="part-lesson",
        )
        outcome = gr.Markdown(latex_delimiters=LATEX, elem_id="lesson-outcome", sanitize_html=False)
        checks = html.component("checks", "lesson-checks")
        quiz = quiz_panel()
        teacher_panel()
        with gr.Row(elem_classes=["lesson-way"]):
            back = gr.Button("Back", size="sm", min_width=60)
            onward = gr.Button(NEXT, variant="primary", size="sm", min_width=60)
            whole = gr.Button("All knobs of this step", size="sm", min_width=60, elem_id="whole-step")
            leave = gr.Button("Leave", size="sm", min_width=60, elem_id="leave-lesson")
    # Stored in the visitor's browser. The key only separates it from other pages; nothing in it is secret.
    seen = gr.BrowserState([], storage_key="retinanet-lessons", secret="retinanet-lessons")
    own_link = gr.Textbox("", visible="hidden", elem_id="own-link")  # `events.lessons` keeps it for each window
    own, course = gr.State(None), gr.State(())
    return Panel(
        box, title, way, text, question, outcome, checks, quiz, back, onward, whole, leave, seen, own, own_link, course
    )


def filter_seen(seen: object) -> list[str]:
    """Returns the valid links in a value from the browser, which can be anything, in the order of the lessons."""
    links = [each for each in seen if isinstance(each, str)] if isinstance(seen, list) else []
    return [link for link in all_links() if link in links]


def build_contents(state: PageState, seen: list[str], course: tuple[str, ...] = ()) -> LessonContents | None:
    """Returns new values for the panel, None outside of lessons.

    Args:
        state: The state that is on show.
        seen: Links of the steps that the reader has seen.
        course: Links of the steps that a teacher has picked, () for all.
    """
    position = LessonPosition.from_link(state.lesson)
    if position is None:
        return None
    narration = Narration(position.step, state)
    return LessonContents(
        title=_head(position, course),
        map=build_map(position.link, seen, course),
        text=_about(position.lesson) * (position.number == 0) + narration.build_text(),
        outcome=narration.build_outcome(),
        has_previous=move(position, -1, course) is not None,
        onward=_onward(position, course) if narration.is_answered else SKIP,
        is_answered=narration.is_answered,
    )


def _onward(position: LessonPosition, course: tuple[str, ...]) -> str:
    """Returns the label of the button that goes on once the question is answered."""
    following = move(position, 1, course)
    if following is None:
        return FINISH
    return NEXT if following.lesson == position.lesson else "Next lesson"


def _head(position: LessonPosition, course: tuple[str, ...]) -> str:
    lesson, number = position
    order = list(lessons()).index(lesson.key) + 1
    place = f"Lesson {order} · {lesson.title} · step {number + 1} of {len(lesson.steps)}"
    if position.link in course:
        place = f"{lesson.title} · step {course.index(position.link) + 1} of {len(course)}"
    return f"## {position.step.title} <small>{place}</small>"


def _about(lesson: Lesson) -> str:
    """Returns the introduction of a lesson; that of the first lesson also introduces the others."""
    every = list(lessons().values())
    text = f"*{lesson.about}* About {format_minutes(lesson)}."
    if lesson == every[0]:
        core = [each for each in every if each.core]
        text += (
            f" The {len(core)} lessons marked{STAR} are about focal loss itself and take about "
            f"{format_minutes(*core)}; all {len(every)} take about {format_minutes(*every)}, without training runs."
        )
    return text + "\n\n"


def preset_update(position: LessonPosition | None) -> object:
    """Returns the new choice of the preset to compare, which stays unless the step compares one."""
    return (position.step.compare if position else "") or gr.skip()
