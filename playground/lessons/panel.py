"""The panel of a lesson: its text, its question, and the buttons that move through its steps."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import gradio as gr

from playground.components import html
from playground.lessons.lesson import Lesson
from playground.lessons.narration import Narration
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition
from playground.state.page_state import PageState

SCRIPT = (Path(__file__).parent / "question.js").read_text("utf-8")
FREE = "Free play"
STAR = " ★"
LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]


class Panel(NamedTuple):
    """The components of the lesson."""

    box: gr.Column
    title: gr.Markdown
    text: gr.Markdown
    question: gr.HTML
    outcome: gr.Markdown
    checks: gr.HTML
    back: gr.Button
    onward: gr.Button
    leave: gr.Button
    seen: gr.BrowserState


class LessonContents(NamedTuple):
    """New values for the panel of a lesson.

    Attributes:
        title: Markdown.
        text: Markdown of the step, with its live numbers.
        outcome: Markdown that follows the question, "" before it is answered.
        has_previous: True if the lesson has a step before it.
        has_next: True if this lesson or a later one has a step after it.
        onward: Label of the button to the next step.
    """

    title: str
    text: str
    outcome: str
    has_previous: bool
    has_next: bool
    onward: str


def build_chooser() -> gr.Dropdown:
    """Builds the list of lessons."""
    choices = [(FREE, "")] + [
        (f"{number}. {each.title}{STAR * each.core}", key) for number, (key, each) in enumerate(lessons().items(), 1)
    ]
    return gr.Dropdown(choices, value="", show_label=False, label="Lesson", elem_id="lessons", min_width=170)


def build_panel() -> Panel:
    """Builds the panel, which is hidden outside of lessons."""
    with gr.Column(visible=False, elem_classes=["lesson"]) as box:
        with gr.Column(elem_classes=["lesson-head"]):
            title = gr.Markdown()
            with gr.Row(elem_classes=["lesson-way"]):
                back = gr.Button("Back", size="sm", min_width=60)
                onward = gr.Button("Next", variant="primary", size="sm", min_width=60)
                leave = gr.Button("Leave", size="sm", min_width=80)
        # The texts are trusted files; the numbers in them are elements that the script updates.
        text = gr.Markdown(latex_delimiters=LATEX, elem_id="lesson-text", sanitize_html=False)
        question = gr.HTML(
            "",
            part="lesson",
            html_template='<div class="lesson-question" id="lesson-question"></div>',
            js_on_load=SCRIPT,
            apply_default_css=False,
        )
        outcome = gr.Markdown(latex_delimiters=LATEX, elem_id="lesson-outcome", sanitize_html=False)
        checks = html.component("checks", "lesson-checks")
    # Stored in the visitor's browser. The key only separates it from other pages; nothing in it is secret.
    seen = gr.BrowserState([], storage_key="retinanet-lessons", secret="retinanet-lessons")
    return Panel(box, title, text, question, outcome, checks, back, onward, leave, seen)


def filter_seen(seen: object) -> list[str]:
    """Returns the valid links in a value from the browser, which can be anything, in the order of the lessons."""
    links = [each for each in seen if isinstance(each, str)] if isinstance(seen, list) else []
    return [link for link in _links() if link in links]


@cache
def _links() -> tuple[str, ...]:
    return tuple(LessonPosition(each, number).link for each in lessons().values() for number in range(len(each.steps)))


def build_contents(state: PageState, seen: list[str]) -> LessonContents | None:
    """Returns new values for the panel, None outside of lessons.

    Args:
        state: The state that is on show.
        seen: Links of the steps that the reader has seen.
    """
    position = LessonPosition.from_link(state.lesson)
    if position is None:
        return None
    lesson, number = position
    narration = Narration(position.step, state)
    last = number + 1 == len(lesson.steps)
    return LessonContents(
        title=_head(position, seen),
        text=_about(lesson) * (number == 0) + narration.build_text(),
        outcome=narration.build_outcome(),
        has_previous=number > 0,
        has_next=not last or next_lesson(lesson) is not None,
        onward="Next lesson" if last else "Next",
    )


def _head(position: LessonPosition, seen: list[str]) -> str:
    lesson, number = position
    done = f"step {number + 1} of {len(lesson.steps)} · {len(filter_seen(seen))} of {len(_links())} seen"
    return f"### {lesson.title}: {position.step.title} <small>{done}</small>"


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


def format_minutes(*lessons: Lesson) -> str:
    """Returns the duration of lessons together."""
    count = max(1, round(sum(each.minutes for each in lessons)))
    return f"{count} minute{'s' * (count > 1)}"


def preset_update(position: LessonPosition | None) -> object:
    """Returns the new choice of the preset to compare, which stays unless the step compares one."""
    return (position.step.compare if position else "") or gr.skip()


def next_lesson(lesson: Lesson) -> Lesson | None:
    """Returns the next lesson, None after the last one."""
    every = list(lessons().values())
    later = every[every.index(lesson) + 1 :]
    return later[0] if later else None


def move(position: LessonPosition, steps: int) -> LessonPosition:
    """Returns the position some steps forward or back; the last step of a lesson is followed by the next lesson."""
    number = position.number + steps
    if number >= len(position.lesson.steps):
        following = next_lesson(position.lesson)
        return LessonPosition(following, 0) if following else position
    return LessonPosition(position.lesson, max(0, number))
