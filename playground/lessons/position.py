"""Where one is in a lesson."""

from typing import NamedTuple

from core.errors import UserError
from playground.lessons.lesson import Lesson
from playground.lessons.parser import lessons

MAX_DIGITS = 9  # of a step's number


class LessonPosition(NamedTuple):
    """Where one is: a lesson and the index of its step; links write it "key.1"."""

    lesson: Lesson
    index: int

    @property
    def link(self) -> str:
        """Names it in links, steps counted from 1."""
        return f"{self.lesson.key}.{self.index + 1}"

    @classmethod
    def from_link(cls, text: str) -> "LessonPosition | None":
        """Reads what `link` writes; None for "".

        Raises:
            UserError: There is no such lesson or step.
        """
        if not text:
            return None
        key, _, number = text.partition(".")
        lesson = lessons().get(key)
        if (
            lesson is None
            or not number.isdecimal()
            or len(number) > MAX_DIGITS
            or not 1 <= int(number) <= len(lesson.steps)
        ):
            raise UserError(f"lesson = {text!r} is not allowed: it must be one of {', '.join(lessons())}, with a step.")
        return cls(lesson, int(number) - 1)
