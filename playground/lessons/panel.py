"""The lesson on the page: its text, a question to answer before it tells, and the way through its steps."""

from functools import cache
from typing import NamedTuple

import gradio as gr

from playground.lessons.lesson import Lesson
from playground.lessons.reading import lessons
from playground.lessons.telling import opening_of, outcome_of

FREE = "Free play"
LATEX = [{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]


class Place(NamedTuple):
    """Where one is: a lesson and the index of its step; links write it "key.1"."""

    lesson: Lesson
    index: int

    @property
    def link(self) -> str:
        """Names it in links, steps counted from 1."""
        return f"{self.lesson.key}.{self.index + 1}"

    @classmethod
    def from_link(cls, text: str) -> "Place | None":
        """Reads what `link` writes; None for "".

        Raises:
            ValueError: There is no such lesson or step.
        """
        if not text:
            return None
        key, _, number = text.partition(".")
        lesson = lessons().get(key)
        if lesson is None or not number.isdecimal() or not 1 <= int(number) <= len(lesson.steps):
            raise ValueError(
                f"lesson = {text!r} is not allowed: it must be one of {', '.join(lessons())}, with a step."
            )
        return cls(lesson, int(number) - 1)


class Panel(NamedTuple):
    """The components of the lesson."""

    box: gr.Column
    title: gr.Markdown
    text: gr.Markdown
    question: gr.Radio
    outcome: gr.Markdown
    back: gr.Button
    onward: gr.Button
    leave: gr.Button
    seen: gr.BrowserState

    @property
    def shown(self) -> list:
        """What `contents` gives new values."""
        return [self.box, self.title, self.text, self.question, self.outcome, self.back, self.onward]


def chooser() -> gr.Dropdown:
    """Builds the list of lessons."""
    choices = [(FREE, "")] + [
        (f"{number}. {each.title}", key) for number, (key, each) in enumerate(lessons().items(), 1)
    ]
    return gr.Dropdown(choices, value="", show_label=False, label="Lesson", elem_id="lessons", min_width=170)


def panel() -> Panel:
    """Builds the panel, hidden."""
    with gr.Column(visible=False, elem_classes=["lesson"]) as box:
        with gr.Row(elem_classes=["lesson-way"]):
            title = gr.Markdown()
            back = gr.Button("Back", size="sm", min_width=60)
            onward = gr.Button("Next", variant="primary", size="sm", min_width=60)
            leave = gr.Button("Leave the lesson", size="sm", min_width=80)
        with gr.Column(elem_classes=["lesson-body"]):
            text = gr.Markdown(latex_delimiters=LATEX, elem_id="lesson-text")
            question = gr.Radio([], visible=False, elem_id="lesson-question")
            outcome = gr.Markdown(latex_delimiters=LATEX, elem_id="lesson-outcome")
    # Kept in the visitor's browser; the key only keeps it apart from other pages, there is nothing to hide.
    seen = gr.BrowserState([], storage_key="retinanet-lessons", secret="retinanet-lessons")
    return Panel(box, title, text, question, outcome, back, onward, leave, seen)


def known(seen: object) -> list[str]:
    """Returns the links among what a browser says it has seen, which may be anything, in the order of the lessons."""
    said = [each for each in seen if isinstance(each, str)] if isinstance(seen, list) else []
    return [link for link in _links() if link in said]


@cache
def _links() -> tuple[str, ...]:
    return tuple(Place(each, index).link for each in lessons().values() for index in range(len(each.steps)))


def contents(place: Place | None, seen: list[str]) -> list:
    """Returns new values for `Panel.shown`; `seen` are the links of the steps seen so far."""
    if place is None:
        return [gr.Column(visible=False), *[gr.skip()] * 6]
    lesson, index = place
    step = lesson.steps[index]
    about = f"*{lesson.about}*\n\n" if index == 0 else ""
    done = f"<small>{len(known(seen))} of {len(_links())} steps seen</small>"
    head = f"### {lesson.title} · {index + 1} of {len(lesson.steps)}: {step.title} {done}"
    text, question, answers = opening_of(step)
    choices = list(zip(answers, step.answers, strict=True))
    radio = gr.Radio(choices, value=None, label=question, visible=bool(question))
    last = index + 1 == len(lesson.steps)
    return [
        gr.Column(visible=True),
        head,
        about + text,
        radio,
        outcome_of(lesson, index, None),
        gr.Button(interactive=index > 0),
        gr.Button("Next lesson" if last else "Next", interactive=not last or following(lesson) is not None),
    ]


def chosen_preset(place: Place | None) -> object:
    """Returns a new value for the choice of short runs; where the step compares none, it stays."""
    return (place and place.lesson.steps[place.index].compare) or gr.skip()


def following(lesson: Lesson) -> Lesson | None:
    """Returns the lesson after one, None after the last."""
    rest = list(lessons().values())
    later = rest[rest.index(lesson) + 1 :]
    return later[0] if later else None


def moved(place: Place, steps: int) -> Place:
    """Returns the place some steps on or back; after the last step of a lesson begins the next one."""
    index = place.index + steps
    if index >= len(place.lesson.steps):
        after = following(place.lesson)
        return Place(after, 0) if after else place
    return Place(place.lesson, max(0, index))
