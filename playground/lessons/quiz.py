"""The short test before and after the lessons; the browser counts the answers and keeps the results to itself.

`assets/lessons/test.md` has a title, a sentence, and questions `? …` with answers `- …`, of which the right one ends
in `*`.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

import gradio as gr

from playground.lessons.options import LessonError
from playground.lessons.parser import FOLDER
from playground.support.scripts import read_scripts

FILE = FOLDER / "test.md"
SCRIPT = read_scripts("components/button.js", "lessons/quiz.js")


class QuizQuestion(NamedTuple):
    """A question of the test, its answers, and the index of the right one."""

    question: str
    answers: tuple[str, ...]
    right: int


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
    question, *answers = re.split(r"^- ", section.strip(), flags=re.MULTILINE)
    texts = [" ".join(answer.split()) for answer in answers]
    right = [index for index, text in enumerate(texts) if text.endswith("*")]
    if len(texts) < 2 or len(right) != 1:
        raise LessonError(f"{file}: the question {question.strip()!r} needs answers, and one right one marked *.")
    return QuizQuestion(" ".join(question.split()), tuple(text.rstrip("* ") for text in texts), right[0])


def quiz_panel() -> gr.HTML:
    """Builds the test, closed."""
    quiz = read_quiz()
    questions = [each._asdict() for each in quiz.questions]
    return gr.HTML(
        json.dumps({"title": quiz.title, "about": quiz.about, "questions": questions}),
        html_template='<details class="lesson-quiz"><summary></summary></details>',
        js_on_load=SCRIPT,
        apply_default_css=False,
        padding=False,
        elem_id="part-quiz",
    )
