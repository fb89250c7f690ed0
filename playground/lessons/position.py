"""Positions in the lessons."""

from functools import cache
from typing import NamedTuple

from core.errors import UserError, quote
from playground.lessons.lesson import Lesson, LessonStep
from playground.lessons.parser import lessons
from playground.support.untrusted import is_index


class LessonPosition(NamedTuple):
    """A lesson and the number of one of its steps, from 0."""

    lesson: Lesson
    number: int

    @property
    def step(self) -> LessonStep:
        """The step at this position."""
        return self.lesson.steps[self.number]

    @property
    def link(self) -> str:
        """The position as links write it, "key.1", with steps counted from 1."""
        return f"{self.lesson.key}.{self.number + 1}"

    @classmethod
    def from_link(cls, text: str) -> "LessonPosition | None":
        """Parses what `link` returns; returns None for "".

        Raises:
            UserError: There is no such lesson or step.
        """
        if not text:
            return None
        key, _, number = text.partition(".")
        lesson = lessons().get(key)
        if lesson is None or not is_index(number) or not 1 <= int(number) <= len(lesson.steps):
            raise UserError(
                f"lesson = {quote(text)} is not allowed: it must be one of {', '.join(lessons())}, "
                "followed by the number of a step, such as dense.1."
            )
        return cls(lesson, int(number) - 1)


@cache
def all_links() -> tuple[str, ...]:
    """Returns the links of all steps, in the order of the lessons."""
    return tuple(LessonPosition(each, number).link for each in lessons().values() for number in range(len(each.steps)))


def parse_course(text: str) -> tuple[str, ...]:
    """Returns the links of the steps that a teacher has picked; `text` separates them by commas.

    Raises:
        UserError: There is no such step.
    """
    links = [each.strip() for each in text.split(",") if each.strip()]
    found = [LessonPosition.from_link(link) for link in links]
    return tuple(dict.fromkeys(position.link for position in found if position))


def move(position: LessonPosition, steps: int, course: tuple[str, ...] = ()) -> LessonPosition | None:
    """Returns the position some steps forward or back, None beyond the ends.

    Args:
        position: Where to begin.
        steps: Number of steps, negative to go back.
        course: Links of the steps to go through; () for all, and for a position that is none of them.
    """
    links = course if position.link in course else all_links()
    index = links.index(position.link) + steps
    return LessonPosition.from_link(links[index]) if 0 <= index < len(links) else None
