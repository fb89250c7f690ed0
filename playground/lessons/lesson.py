"""Lessons and their steps; `playground.lessons.parser` reads them from their files."""

from typing import Any, NamedTuple

from core.config import Config

# Parts of the page that a step can point at, or hide until its question is answered.
PARTS = ("picture", "strip", "levels", "readout", "figure", "more")
# Further controls that a step can name; each is the id of its element.
CONTROLS = (
    "another-scene", "examples", "my-pictures-panel", "fit-to", "curve", "example", "start", "preset", "compare",
    "evaluate",
)  # fmt: skip
# What the reader can draw instead of choosing an answer: the curve of the figure, or boxes around objects.
DRAWINGS = ("curve", "boxes")
# The duration of a lesson: words per minute when reading to understand, and seconds for a prediction, chosen or drawn,
# and for looking.
READING, PREDICTING, DRAWING, LOOKING = 180, 15, 30, 10


class Claim(NamedTuple):
    """A claim of a step: the comparison of a quantity with a number or with another quantity.

    Attributes:
        quantity: One of `playground.lessons.quantities.QUANTITIES`.
        sign: <, <=, >, >= or ==.
        other: A number, a quantity, or "before." and a quantity: its value before the answer, or, if the answer sets
            nothing, at the previous step.
        reason: Why it may not hold on some pictures, "" if that cannot be told.
    """

    quantity: str
    sign: str
    other: str
    reason: str = ""

    @property
    def is_about_change(self) -> bool:
        """True if the quantity is compared with an earlier value."""
        return self.other.startswith("before.")

    @property
    def number(self) -> float | None:
        """The number that the quantity is compared with, None for another quantity."""
        return float(self.other) if self.other[0] in "+-0123456789" else None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the quantities."""
        return (self.quantity,) if self.number is not None else (self.quantity, self.other.removeprefix("before."))

    def holds(self, value: float, other: float) -> bool:
        """Returns True if the comparison of the two values is true."""
        return {
            "<": value < other,
            "<=": value <= other,
            ">": value > other,
            ">=": value >= other,
            "==": value == other,
        }[self.sign]


class LessonStep(NamedTuple):
    """A step of a lesson.

    Attributes:
        title: The heading.
        show: Key of the page's step.
        previous: The settings at the end of the previous step, by path. All settings are those that the lesson has set
            so far.
        initial: The settings at the beginning of this step.
        settings: The settings once the question is answered.
        curve: The curve that the loss step draws.
        layers: Layers of the picture to switch on (True) or off (False), by key.
        look: Parts of the page to point at, of `PARTS`.
        veil: Parts of the page that would reveal the answer, hidden until it is given; of `PARTS`.
        needs: Further steps and paths that a teacher's link must not hide.
        knobs: Paths of the knobs beside the text.
        controls: Further controls beside the text, of `CONTROLS`.
        tables: Titles of the tables that the step is about, or their beginnings; () for all.
        draw: What the reader draws instead of choosing an answer, of `DRAWINGS`; "" for nothing.
        dials: Values of the dials beside the figure, see `PageState`.
        compare: Key of the preset to choose for the reader, "" for none.
        text: Markdown, in which "{quantity}" is replaced by the value of the quantity.
        question: The question, "" for none.
        answers: The answers to choose from, none where the reader draws.
        reasons: For each answer why it is wrong, "" if no reason is given.
        right: Index of the right answer, -1 without answers.
        reveal: Markdown that follows the answer.
        claims: Claims about the computed quantities.
        is_summary: True if the step sums up the lesson.
    """

    title: str
    show: str
    previous: dict[str, Any]
    initial: dict[str, Any]
    settings: dict[str, Any]
    curve: str
    layers: dict[str, bool]
    look: tuple[str, ...]
    veil: tuple[str, ...]
    needs: tuple[str, ...]
    knobs: tuple[str, ...]
    controls: tuple[str, ...]
    tables: tuple[str, ...]
    draw: str
    dials: str
    compare: str
    text: str
    question: str
    answers: tuple[str, ...]
    reasons: tuple[str, ...]
    right: int
    reveal: str
    claims: tuple[Claim, ...]
    is_summary: bool

    @property
    def initial_changes(self) -> tuple[str, ...]:
        """The paths that change when the step begins."""
        return _find_changes(self.previous, self.initial)

    @property
    def answer_changes(self) -> tuple[str, ...]:
        """The paths that change once the question is answered."""
        return _find_changes(self.initial, self.settings)

    @property
    def before(self) -> dict[str, Any]:
        """The values that undo the changes of the answer, or, if it changes nothing, those of the step; by path."""
        if self.answer_changes:
            paths, settings = self.answer_changes, self.initial
        else:
            paths, settings = self.initial_changes, self.previous
        values = Config.from_flat(settings).to_flat()
        return {path: values[path] for path in paths}

    def initial_config(self) -> Config:
        """Returns the settings of the page when the step begins."""
        return Config.from_flat(self.initial)

    def config(self) -> Config:
        """Returns the settings of the page once the question is answered, or from the beginning without a question."""
        return Config.from_flat(self.settings)

    @property
    def named_controls(self) -> tuple[str, ...]:
        """The ids of the further controls beside the text; a comparison needs its list and its button."""
        return (*self.controls, "preset", "compare") if self.compare else self.controls

    @property
    def num_choices(self) -> int:
        """The number of possible answers; a drawing is the only one of its step."""
        return 1 if self.draw else len(self.answers)

    @property
    def seconds(self) -> float:
        """The time to read the step, to make the prediction and to look at the page, in seconds."""
        words = sum(len(text.split()) for text in (self.text, self.question, *self.answers, self.reveal))
        predicting = DRAWING if self.draw else PREDICTING * bool(self.question)
        return 60 * words / READING + predicting + LOOKING * (not self.is_summary)


class Lesson(NamedTuple):
    """A lesson.

    Attributes:
        key: Identifies it in links.
        title: The heading.
        about: One sentence about it.
        core: True if it belongs to the short course, which is about focal loss only.
        steps: The steps, in order.
    """

    key: str
    title: str
    about: str
    core: bool
    steps: tuple[LessonStep, ...]

    @property
    def minutes(self) -> float:
        """The duration in minutes, without training runs."""
        return sum(step.seconds for step in self.steps) / 60


def _find_changes(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    """Returns the paths with different values; all paths of the old settings are also among the new ones."""
    before, after = Config.from_flat(old).to_flat(), Config.from_flat(new).to_flat()
    return tuple(path for path in new if before[path] != after[path])
