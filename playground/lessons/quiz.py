"""The short test before and after the lessons; the browser counts the answers and keeps the results to itself.

`assets/lessons/test.md` has a title, a sentence, and questions `? …` with answers `- …`, of which the right one ends
in `*`, and with a line `! step: …`: the lesson's step that explains it, as links write it, and a sentence why it is
right.
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from core.errors import UserError
from playground.lessons.options import LessonError
from playground.lessons.parser import FOLDER, lessons
from playground.lessons.position import LessonPosition
from playground.lessons.way import GO
from playground.support.scripts import read_scripts

FILE = FOLDER / "test.md"
SCRIPT = read_scripts("components/button.js", "lessons/quiz_review.js", "lessons/quiz.js")


class QuizQuestion(NamedTuple):
    """A question of the test.

    Attributes:
        question: The question.
        answers: The answers to choose from.
        right: Index of the right one.
        why: A sentence why it is right.
        link: Of the lesson's step that explains it.
    """

    question: str
    answers: tuple[str, ...]
    right: int
    why: str
    link: str


class Quiz(NamedTuple):
    """The test: its title, a sentence about it, and its questions."""

    title: str
    about: str
    questions: tuple[QuizQuestion, ...]


def read_quiz(path: Path = FILE) -> Quiz:
    """Reads the test.

    Raises:
        LessonError: It does not have the format that this module describes.
    """
    head, *sections = re.split(r"^\? ", path.read_text("utf-8"), flags=re.MULTILINE)
    title, _, about = head.strip().removeprefix("# ").partition("\n")
    if not sections or not about.strip():
        raise LessonError(f"{path.name}: a test needs a title, a sentence about it, and questions that begin with ?.")
    return Quiz(title.strip(), about.strip(), tuple(_parse_question(each, path.name) for each in sections))


def _parse_question(section: str, file: str) -> QuizQuestion:
    asked, _, explained = section.strip().partition("\n! ")
    question, *answers = (" ".join(text.split()) for text in re.split(r"^- ", asked, flags=re.MULTILINE))
    right = [index for index, text in enumerate(answers) if text.endswith("*")]
    if len(answers) < 2 or len(right) != 1:
        raise LessonError(f"{file}: the question {question!r} needs answers, and one right one marked *.")
    link, _, why = (" ".join(text.split()) for text in explained.partition(":"))
    if not _is_step(link) or not why:
        raise LessonError(
            f"{file}: the question {question!r} needs a line ! with a lesson's step, a colon and a sentence."
        )
    return QuizQuestion(question, tuple(text.rstrip("* ") for text in answers), right[0], why, link)


def _is_step(link: str) -> bool:
    try:
        return LessonPosition.from_link(link) is not None
    except UserError:
        return False


def _describe(each: QuizQuestion) -> dict[str, Any]:
    """Returns what the browser needs of a question: with the name of the lesson's step, and the event that opens it."""
    position = LessonPosition.from_link(each.link)
    assert position is not None  # the parser has checked it
    number = list(lessons()).index(position.lesson.key) + 1
    return {**each._asdict(), "choose": GO + each.link, "lesson": f"Lesson {number} · {position.step.title}"}


def quiz_panel() -> gr.HTML:
    """Builds the test, closed. It fires `select` like the map of the lessons, when a lesson's step is chosen."""
    quiz = read_quiz()
    questions = [_describe(each) for each in quiz.questions]
    return gr.HTML(
        json.dumps({"title": quiz.title, "about": quiz.about, "questions": questions}),
        html_template='<details class="lesson-quiz"><summary></summary></details>',
        js_on_load=SCRIPT,
        apply_default_css=False,
        padding=False,
        elem_id="part-quiz",
    )
