"""What a lesson is; `playground.lessons.parser` reads them off their files."""

from typing import Any, NamedTuple

from core.config import Config

# Parts of the page that a step can point at, or veil until its question is answered.
PARTS = ("picture", "strip", "levels", "readout", "figure", "more")
# How long a lesson takes: words a minute that one reads and understands, and seconds to predict and to look.
READING, PREDICTING, LOOKING = 180, 15, 10


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
        earlier: All that the lesson has set when the step before ends, by path.
        opening: The same when this step begins.
        settings: The same once its question is answered.
        curve: Which curve the loss step draws.
        layers: Of the picture, by key: whether the step switches it on or off.
        look: Parts of the page to look at, of `PARTS`.
        veil: Parts of the page that would tell the answer, hidden until it is given.
        needs: What else must be there, though a teacher hides it: steps and paths.
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
    earlier: dict[str, Any]
    opening: dict[str, Any]
    settings: dict[str, Any]
    curve: str
    layers: dict[str, bool]
    look: tuple[str, ...]
    veil: tuple[str, ...]
    needs: tuple[str, ...]
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
        return _moved(self.opening, self.settings)

    @property
    def at_once(self) -> tuple[str, ...]:
        """The paths that are set when the step begins."""
        return _moved(self.earlier, self.opening)

    @property
    def before(self) -> dict[str, Any]:
        """What to set back to see what was before: the answer, or, where it sets nothing, the step."""
        paths, values = (self.later, self.opening) if self.later else (self.at_once, self.earlier)
        before = Config.from_flat(values).to_flat()
        return {path: before[path] for path in paths}

    def config(self) -> Config:
        """Returns the settings of the page once the question is answered, or at once if there is none."""
        return Config.from_flat(self.settings)

    def first_config(self) -> Config:
        """Returns the settings of the page when the step begins."""
        return Config.from_flat(self.opening)

    @property
    def seconds(self) -> float:
        """How long it takes to read, to predict and to look."""
        words = sum(len(text.split()) for text in (self.text, self.question, *self.answers, self.reveal))
        return 60 * words / READING + PREDICTING * bool(self.question) + LOOKING


class Lesson(NamedTuple):
    """A lesson.

    Attributes:
        key: Names it in links.
        title: Heading.
        about: A sentence.
        core: Whether it belongs to the shorter way through, which is about focal loss alone.
        steps: In order.
    """

    key: str
    title: str
    about: str
    core: bool
    steps: tuple[LessonStep, ...]

    @property
    def minutes(self) -> float:
        """How long it takes, runs not counted."""
        return sum(step.seconds for step in self.steps) / 60


def _moved(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    """Returns the paths at which settings, of which the first are all among the second, differ."""
    before, after = Config.from_flat(old).to_flat(), Config.from_flat(new).to_flat()
    return tuple(path for path in new if before[path] != after[path])
