"""The test before and after the lessons is read as written."""

import pytest

from playground.lessons.options import LessonError
from playground.lessons.quiz import QuizQuestion, read_quiz

FILE = """# A title
About it.

? What
happens?
- this
  or so
- that *

? And then?
- nothing *
- much
"""


def test_reading_by_hand(tmp_path):
    (tmp_path / "test.md").write_text(FILE)
    quiz = read_quiz(tmp_path / "test.md")
    assert (quiz.title, quiz.about) == ("A title", "About it.")
    assert quiz.questions == (
        QuizQuestion("What happens?", ("this or so", "that"), 1),
        QuizQuestion("And then?", ("nothing", "much"), 0),
    )


@pytest.mark.parametrize(
    ("old", "new"), [("that *", "that"), ("- much\n", ""), ("- much", "- much *"), ("About it.", "")]
)
def test_a_malformed_test_is_refused(tmp_path, old, new):
    (tmp_path / "test.md").write_text(FILE.replace(old, new))
    with pytest.raises(LessonError, match=r"test\.md"):
        read_quiz(tmp_path / "test.md")


def test_the_test_is_short_and_its_right_answers_stand_at_different_places():
    questions = read_quiz().questions
    assert 5 <= len(questions) <= 8 and len({each.right for each in questions}) > 1
