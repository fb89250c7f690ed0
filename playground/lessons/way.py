"""The map of the lessons: all of them with their steps and minutes, and what the reader has seen."""

from markupsafe import Markup

from playground.components import html
from playground.lessons.lesson import Lesson
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition, all_links

STAR = " ★"  # marks the lessons of the short course
GO = "go "  # with the link of a step: the event of a step in the map


def format_minutes(*lessons: Lesson) -> str:
    """Returns the duration of lessons together."""
    count = max(1, round(sum(each.minutes for each in lessons)))
    return f"{count} minute{'s' * (count > 1)}"


def build_map(here: str, seen: list[str], course: tuple[str, ...] = ()) -> Markup:
    """Returns the map, closed at first.

    Args:
        here: Link of the step on show.
        seen: Links of the steps that the reader has seen.
        course: Links of the steps that a teacher has picked, () for all: the map shows only them.
    """
    links = course or all_links()
    done = sum(link in seen for link in links)
    summary = Markup("<summary>Map · {} of {} steps seen</summary>").format(done, len(links))
    items = html.join(_lesson(number, each, here, seen, links) for number, each in enumerate(lessons().values(), 1))
    return Markup("<details>{}<ol>{}</ol></details>").format(summary, items)


def _lesson(number: int, lesson: Lesson, here: str, seen: list[str], links: tuple[str, ...]) -> Markup:
    positions = [LessonPosition(lesson, index) for index in range(len(lesson.steps))]
    steps = html.join(_step(each, here, seen) for each in positions if each.link in links)
    if not steps:
        return Markup()
    title = f"{number}. {lesson.title}{STAR * lesson.core}"
    return Markup("<li><b>{}</b> <small>{}</small><ol>{}</ol></li>").format(title, format_minutes(lesson), steps)


def _step(position: LessonPosition, here: str, seen: list[str]) -> Markup:
    mark = Markup('<span aria-label="seen">✓</span> ') if position.link in seen else Markup()
    current = Markup(' aria-current="step"') if position.link == here else Markup()
    return Markup("<li{}>{}{}</li>").format(current, mark, html.link(position.step.title, GO + position.link))
