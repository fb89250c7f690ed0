"""Reading lessons: one Markdown file each, in `assets/lessons`.

A file begins with a title and a sentence. Every `## heading` begins a step, in this order: lines `- show: step of the
page`, `- set: path = value` and `- then: path = value` (set once the question is answered, so that the page does not
tell before), at the loss step `- curve: which`, at the training step `- compare: preset` (chosen for the reader to
start); text; a question `? …` with answers `- …` (the right one ends in `*`), and what to say then `! …`; claims
`= quantity < number` under all settings. Settings add up from step to step, over the defaults.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from core.config import Config
from core.presets import PRESETS
from playground.step import Focus
from playground.steps.loss import FIGURES

FOLDER = Path(__file__).parent.parent.parent / "assets" / "lessons"
CLAIM = re.compile(r"([a-z_0-9]+) *(<=|>=|<|>|==) *((?:before\.)?[a-z_][a-z_0-9]*|[-+]?[0-9][0-9.]*)")


class LessonError(ValueError):
    """A lesson file that cannot be read; the message names file and line."""


class Claim(NamedTuple):
    """What a step says of a quantity (see `playground.lessons.quantities`): that it compares so with another.

    Attributes:
        quantity: Name.
        sign: <, <=, >, >= or ==.
        other: A number, the name of a quantity, or "before." and the name of one: before the answer, if that sets
            something, and else at the step before.
    """

    quantity: str
    sign: str
    other: str

    @property
    def earlier(self) -> bool:
        """Whether it is compared with what was before."""
        return self.other.startswith("before.")

    @property
    def number(self) -> float | None:
        """The number it is compared with, None for a quantity."""
        return float(self.other) if self.other[0] in "+-0123456789" else None

    @property
    def names(self) -> tuple[str, ...]:
        """The quantities it speaks of."""
        return (self.quantity,) if self.number is not None else (self.quantity, self.other.removeprefix("before."))

    def holds(self, value: float, other: float) -> bool:
        """Tells whether it is true."""
        return {
            "<": value < other,
            "<=": value <= other,
            ">": value > other,
            ">=": value >= other,
            "==": value == other,
        }[self.sign]


class LessonStep(NamedTuple):
    """One step of a lesson.

    Attributes:
        title: Heading.
        show: Key of the page's step.
        opening: All that the lesson has set when the step begins, by path.
        settings: The same once its question is answered.
        curve: Which curve the loss step draws.
        compare: Key of the preset that is chosen for the reader, "" for none.
        text: Markdown; "{quantity}" stands for its value.
        question: What to predict, "" for none.
        answers: To choose from.
        right: Index of the right one.
        reveal: Markdown, shown after an answer.
        claims: What must be true of the computed numbers.
    """

    title: str
    show: str
    opening: dict[str, Any]
    settings: dict[str, Any]
    curve: str
    compare: str
    text: str
    question: str
    answers: tuple[str, ...]
    right: int
    reveal: str
    claims: tuple[Claim, ...]

    @property
    def later(self) -> tuple[str, ...]:
        """The paths that are set once the question is answered."""
        return tuple(path for path, value in self.settings.items() if self.opening.get(path) != value)

    def config(self) -> Config:
        """Returns the settings of the page once the question is answered, or at once if there is none."""
        return Config.from_flat(self.settings)

    def first_config(self) -> Config:
        """Returns the settings of the page when the step begins."""
        return Config.from_flat(self.opening)


class Lesson(NamedTuple):
    """A lesson: `key` names it in links."""

    key: str
    title: str
    about: str
    steps: tuple[LessonStep, ...]


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
    steps: list[LessonStep] = []
    for part in parts:
        steps.append(_read_step(part, steps[-1].settings if steps else {}, path.name))
    if not steps or not about.strip():
        raise LessonError(f"{path.name}: a lesson has a title, a sentence about it and steps that begin with ##.")
    return Lesson(path.stem.partition("-")[2], title.strip(), about.strip(), tuple(steps))


def _read_step(part: str, before: dict[str, Any], name: str) -> LessonStep:
    title, *lines = part.strip().splitlines()
    show, curve, compare, opening, later = "", Focus().curve, "", dict(before), {}
    groups: dict[str, list[str]] = {"text": [], "question": [], "answers": [], "reveal": [], "claims": []}
    now = "text"
    for line in lines:
        if now == "text" and line.startswith("- show: "):
            show = line.removeprefix("- show: ").strip()
        elif now == "text" and line.startswith("- curve: "):
            curve = line.removeprefix("- curve: ").strip()
        elif now == "text" and line.startswith("- compare: "):
            compare = line.removeprefix("- compare: ").strip()
        elif now == "text" and line.startswith(("- set: ", "- then: ")):
            path, equals, value = line.partition(": ")[2].partition("=")
            if not equals:
                raise LessonError(f"{name}: {line!r} lacks its =.")
            (later if line.startswith("- then") else opening)[path.strip()] = value.strip()
        else:
            now, line = _turn(now, line)
            groups[now].append(line)
    answers = [line.removeprefix("- ").strip() for line in groups["answers"] if line.strip()]
    right = [index for index, answer in enumerate(answers) if answer.endswith("*")]
    if not show or (answers and len(right) != 1) or (later and not answers):
        raise LessonError(
            f"{name}: the step {title!r} needs a line '- show: …' and, with a question or '- then: …', "
            "one right answer marked *."
        )
    if curve not in FIGURES:
        raise LessonError(f"{name}: the step {title!r} draws {curve!r}, which is none of {', '.join(FIGURES)}.")
    if compare and (show != "training" or compare not in PRESETS):
        raise LessonError(
            f"{name}: the step {title!r} compares {compare!r}, but only a step that shows training can compare, and "
            f"only one of {', '.join(PRESETS)}."
        )
    return LessonStep(
        title=title.strip(),
        show=show,
        opening=opening,
        settings={**opening, **later},
        curve=curve,
        compare=compare,
        text="\n".join(groups["text"]).strip(),
        question=" ".join(groups["question"]).strip(),
        answers=tuple(answer.rstrip("* ") for answer in answers),
        right=right[0] if right else -1,
        reveal="\n".join(groups["reveal"]).strip(),
        claims=tuple(_claim(line, name) for line in groups["claims"] if line.strip()),
    )


def _turn(now: str, line: str) -> tuple[str, str]:
    """Returns which part of a step a line belongs to, and the line without its mark."""
    for mark, group in (("? ", "question"), ("! ", "reveal"), ("= ", "claims")):
        if line.startswith(mark):
            return group, line.removeprefix(mark)
    if now in ("question", "answers") and line.startswith("- "):
        return "answers", line
    return now, line


def _claim(line: str, name: str) -> Claim:
    match = CLAIM.fullmatch(line.strip())
    if not match:
        raise LessonError(f"{name}: {line!r} is no claim of the form quantity < number.")
    return Claim(*match.groups())
