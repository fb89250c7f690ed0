"""The test before and after the lessons is read as written."""

import json

import pytest

from playground.lessons.options import LessonError
from playground.lessons.position import LessonPosition
from playground.lessons.quantities import QUANTITIES
from playground.lessons.quiz import QuizQuestion, quiz_panel, read_quiz
from playground.lessons.stay import state_at
from playground.lessons.way import GO

FILE = """# A title
About it.

? What
happens?
- this
  or so
- that *
! dense.1: So it
is.

? And then?
- nothing *
- much
! focal.2: Therefore: so.
"""


def test_reading_by_hand(tmp_path):
    (tmp_path / "test.md").write_text(FILE)
    quiz = read_quiz(tmp_path / "test.md")
    assert (quiz.title, quiz.about) == ("A title", "About it.")
    assert quiz.questions == (
        QuizQuestion("What happens?", ("this or so", "that"), 1, "So it is.", "dense.1"),
        QuizQuestion("And then?", ("nothing", "much"), 0, "Therefore: so.", "focal.2"),
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("that *", "that"),
        ("- much\n", ""),
        ("- much", "- much *"),
        ("About it.", ""),
        ("focal.2", "focal.99"),
        ("! focal.2: Therefore: so.\n", ""),
        (" Therefore: so.", ""),
    ],
)
def test_a_malformed_test_is_refused(tmp_path, old, new):
    (tmp_path / "test.md").write_text(FILE.replace(old, new))
    with pytest.raises(LessonError, match=r"test\.md"):
        read_quiz(tmp_path / "test.md")


def test_the_browser_is_told_which_step_of_which_lesson_explains_a_question():
    questions = json.loads(quiz_panel().value)["questions"]
    assert questions[3]["lesson"] == "Lesson 6 · Turn it up" and questions[3]["choose"] == f"{GO}focal.2"
    assert all(each["why"].endswith(".") for each in questions)


def test_the_number_of_boxes_that_the_test_explains_is_that_of_the_page():
    pipeline = state_at(LessonPosition.from_link("dense.1")).pipeline()
    count = f"{QUANTITIES['anchors'](pipeline):,.0f}"
    assert f"{count} boxes" in read_quiz().questions[0].why


def test_the_test_is_short_and_its_right_answers_stand_at_different_places():
    questions = read_quiz().questions
    assert 5 <= len(questions) <= 8 and len({each.right for each in questions}) > 1
