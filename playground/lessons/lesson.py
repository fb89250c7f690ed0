"""What a lesson is; `playground.lessons.reading` reads them off their files."""

from typing import Any, NamedTuple

from core.config import Config


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
