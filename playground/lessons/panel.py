"""The lesson on the page: its text, a question to answer before it tells, and the way through its steps."""

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
LATEX = [{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]


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
        has_previous: True if there is a step before in the lesson.
        has_next: True if there is a step after it, in this lesson or the next one.
        onward: Label of the button that goes on.
    """

    title: str
    text: str
    outcome: str
    has_previous: bool
    has_next: bool
    onward: str


def chooser() -> gr.Dropdown:
    """Builds the list of lessons."""
    choices = [(FREE, "")] + [
        (f"{number}. {each.title}{STAR * each.core}", key) for number, (key, each) in enumerate(lessons().items(), 1)
    ]
    return gr.Dropdown(choices, value="", show_label=False, label="Lesson", elem_id="lessons", min_width=170)


def panel() -> Panel:
    """Builds the panel, hidden."""
    with gr.Column(visible=False, elem_classes=["lesson"]) as box:
        with gr.Column(elem_classes=["lesson-head"]):
            title = gr.Markdown()
            with gr.Row(elem_classes=["lesson-way"]):
                back = gr.Button("Back", size="sm", min_width=60)
                onward = gr.Button("Next", variant="primary", size="sm", min_width=60)
                leave = gr.Button("Leave", size="sm", min_width=80)
        # Texts are our own files', and the numbers in them are marked for the script that brings them up to date.
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
    # Kept in the visitor's browser; the key only keeps it apart from other pages, there is nothing to hide.
    seen = gr.BrowserState([], storage_key="retinanet-lessons", secret="retinanet-lessons")
    return Panel(box, title, text, question, outcome, checks, back, onward, leave, seen)


def known(seen: object) -> list[str]:
    """Returns the links among what a browser says it has seen, which may be anything, in the order of the lessons."""
    said = [each for each in seen if isinstance(each, str)] if isinstance(seen, list) else []
    return [link for link in _links() if link in said]


@cache
def _links() -> tuple[str, ...]:
    return tuple(LessonPosition(each, index).link for each in lessons().values() for index in range(len(each.steps)))


def contents(state: PageState, seen: list[str]) -> LessonContents | None:
    """Returns new values for the panel, None outside of lessons.

    Args:
        state: The state that is on show.
        seen: Links of the steps that the reader has seen.
    """
    position = LessonPosition.from_link(state.lesson)
    if position is None:
        return None
    lesson, index = position
    narration = Narration(lesson.steps[index], state)
    last = index + 1 == len(lesson.steps)
    return LessonContents(
        title=_head(position, seen),
        text=_about(lesson) * (index == 0) + narration.text(),
        outcome=narration.outcome(),
        has_previous=index > 0,
        has_next=not last or following(lesson) is not None,
        onward="Next lesson" if last else "Next",
    )


def _head(place: LessonPosition, seen: list[str]) -> str:
    lesson, index = place
    done = f"step {index + 1} of {len(lesson.steps)} · {len(known(seen))} of {len(_links())} seen"
    return f"### {lesson.title}: {lesson.steps[index].title} <small>{done}</small>"


def _about(lesson: Lesson) -> str:
    """Returns what stands before a lesson's first step; before the first lesson, what there is to go through."""
    every = list(lessons().values())
    text = f"*{lesson.about}* About {minutes(lesson)}."
    if lesson == every[0]:
        core = [each for each in every if each.core]
        text += (
            f" The {len(core)} lessons marked{STAR} are focal loss itself, about {minutes(*core)}; all {len(every)} "
            f"take about {minutes(*every)}, runs not counted."
        )
    return text + "\n\n"


def minutes(*chosen: Lesson) -> str:
    """Returns in words how long lessons take."""
    count = max(1, round(sum(each.minutes for each in chosen)))
    return f"{count} minute{'s' * (count > 1)}"


def chosen_preset(place: LessonPosition | None) -> object:
    """Returns a new value for the choice of short runs; where the step compares none, it stays."""
    return (place and place.lesson.steps[place.index].compare) or gr.skip()


def following(lesson: Lesson) -> Lesson | None:
    """Returns the lesson after one, None after the last."""
    rest = list(lessons().values())
    later = rest[rest.index(lesson) + 1 :]
    return later[0] if later else None


def moved(place: LessonPosition, steps: int) -> LessonPosition:
    """Returns the place some steps on or back; after the last step of a lesson begins the next one."""
    index = place.index + steps
    if index >= len(place.lesson.steps):
        after = following(place.lesson)
        return LessonPosition(after, 0) if after else place
    return LessonPosition(place.lesson, max(0, index))
