"""Reading lessons: one Markdown file each, in `assets/lessons`.

A file begins with a title and a sentence; a line `- core` after it puts the lesson on the shorter way through. Every
`## heading` begins a step, in this order: lines `- show: step of the page`, `- set: path = value` and
`- then: path = value` (set once the question is answered, so that the page does not tell before), `- veil: parts` (of
the page, which would tell the answer, hidden until it is given), `- look: parts` (that are pointed at),
`- layers: key, -key` (of the picture, switched on or off), `- needs: names` (of steps and knobs that a teacher's link
cannot hide here, beside those that the step shows and sets), at the loss step `- curve: which`, at the training step
`- compare: preset` (chosen for the reader to start); text; a question `? …` with answers `- …` (the right one ends in
`*`), and what to say then `! …`; claims `= quantity < number` under all settings. Settings add up from step to step,
over the defaults.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from core.config import knobs
from core.experiments.presets import PRESETS
from core.io.paths import ASSETS
from playground.lessons.lesson import PARTS, Claim, Lesson, LessonStep
from playground.steps import STEPS
from playground.steps.loss.step import FIGURES
from playground.steps.step import Focus

FOLDER = ASSETS / "lessons"
ORDER = re.compile(r"- (show|curve|compare|layers|look|veil|needs|set|then): (.*)")
CLAIM = re.compile(r"([a-z_0-9]+) *(<=|>=|<|>|==) *((?:before\.)?[a-z_][a-z_0-9]*|[-+]?[0-9][0-9.]*)")


class LessonError(ValueError):
    """A lesson file that cannot be read; the message names file and line."""


class _Orders(NamedTuple):
    """What the first lines of a step say; settings are texts by path."""

    show: str
    curve: str
    compare: str
    layers: str
    look: str
    veil: str
    needs: str
    set: dict[str, Any]
    then: dict[str, Any]


@cache
def lessons() -> dict[str, Lesson]:
    """Returns all lessons by key, in the order of their files."""
    found = (read_lesson(path) for path in sorted(FOLDER.glob("*.md")))
    return {lesson.key: lesson for lesson in found}


def read_lesson(path: Path) -> Lesson:
    """Reads a file named `number-key.md`.

    Raises:
        LessonError: It is not written as the head of this module says.
    """
    head, *parts = re.split(r"^## ", path.read_text("utf-8"), flags=re.MULTILINE)
    title, _, about = head.strip().removeprefix("# ").partition("\n")
    about = about.replace("\n- core", "")
    steps: list[LessonStep] = []
    for part in parts:
        steps.append(_read_step(part, steps[-1].settings if steps else {}, path.name))
    if not steps or not about.strip():
        raise LessonError(f"{path.name}: a lesson has a title, a sentence about it and steps that begin with ##.")
    return Lesson(path.stem.partition("-")[2], title.strip(), about.strip(), "- core" in head, tuple(steps))


def _read_step(part: str, before: dict[str, Any], name: str) -> LessonStep:
    title, *lines = part.strip().splitlines()
    groups = _grouped(lines)
    orders = _orders(groups["orders"], name)
    answers = [line.removeprefix("- ").strip() for line in groups["answers"] if line.strip()]
    right = [index for index, answer in enumerate(answers) if answer.endswith("*")]
    _check(orders, len(answers), len(right), f"{name}: the step {title!r}")
    _check_names(orders, f"{name}: the step {title!r}")
    opening = {**before, **orders.set}
    return LessonStep(
        title=title.strip(),
        show=orders.show,
        earlier=before,
        opening=opening,
        settings={**opening, **orders.then},
        curve=orders.curve,
        layers={key.removeprefix("-"): not key.startswith("-") for key in _listed(orders.layers)},
        look=_listed(orders.look),
        veil=_listed(orders.veil),
        needs=_listed(orders.needs),
        compare=orders.compare,
        text="\n".join(groups["text"]).strip(),
        question=" ".join(groups["question"]).strip(),
        answers=tuple(answer.rstrip("* ") for answer in answers),
        right=right[0] if right else -1,
        reveal="\n".join(groups["reveal"]).strip(),
        claims=tuple(_claim(line, name) for line in groups["claims"] if line.strip()),
    )


def _grouped(lines: Iterable[str]) -> dict[str, list[str]]:
    """Returns the lines of each part of a step, without the marks that begin the parts."""
    names = ("orders", "text", "question", "answers", "reveal", "claims")
    groups: dict[str, list[str]] = {name: [] for name in names}
    now = "text"
    for line in lines:
        if now == "text" and ORDER.fullmatch(line):
            groups["orders"].append(line)
        else:
            now, line = _turn(now, line)
            groups[now].append(line)
    return groups


def _turn(now: str, line: str) -> tuple[str, str]:
    """Returns which part of a step a line belongs to, and the line without its mark."""
    for mark, group in (("? ", "question"), ("! ", "reveal"), ("= ", "claims")):
        if line.startswith(mark):
            return group, line.removeprefix(mark)
    if now in ("question", "answers") and line.startswith("- "):
        return "answers", line
    return now, line


def _orders(lines: Iterable[str], name: str) -> _Orders:
    orders = _Orders("", Focus().curve, *[""] * 5, {}, {})
    for line in lines:
        key, text = ORDER.fullmatch(line).groups()
        if key not in ("set", "then"):
            orders = orders._replace(**{key: text.strip()})
            continue
        path, equals, value = text.partition("=")
        if not equals:
            raise LessonError(f"{name}: {line!r} lacks its =.")
        getattr(orders, key)[path.strip()] = value.strip()
    return orders


def _check(orders: _Orders, answers: int, right: int, step: str) -> None:
    if not orders.show or (answers and right != 1) or (orders.then and not answers):
        raise LessonError(
            f"{step} needs a line '- show: …' and, with a question or '- then: …', one right answer marked *."
        )
    if answers and not (orders.then or orders.veil):
        raise LessonError(f"{step} asks for what is on show: it needs a line '- then: …' or '- veil: …'.")
    if orders.curve not in FIGURES:
        raise LessonError(f"{step} draws {orders.curve!r}, which is none of {', '.join(FIGURES)}.")
    if orders.compare and (orders.show != "training" or orders.compare not in PRESETS):
        raise LessonError(
            f"{step} compares {orders.compare!r}, but only a step that shows training can compare, and only one of "
            f"{', '.join(PRESETS)}."
        )


def _check_names(orders: _Orders, step: str) -> None:
    for text, allowed in ((orders.look, PARTS), (orders.veil, PARTS), (orders.needs, (*STEPS, *knobs()))):
        for name in _listed(text):
            if name not in allowed:
                raise LessonError(f"{step} names {name!r}, which is none of {', '.join(allowed)}.")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _claim(line: str, name: str) -> Claim:
    match = CLAIM.fullmatch(line.strip())
    if not match:
        raise LessonError(f"{name}: {line!r} is no claim of the form quantity < number.")
    return Claim(*match.groups())
