"""The texts of a lesson's step with the computed numbers in them, and the check of its claims.

The numbers follow the page. Those in the text after the answer are computed from the current settings and picture;
those in the text before it are computed with only the changes of the answer undone.
"""

import math
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from html import escape
from typing import Any, NamedTuple

from core.config import Config, knobs
from core.errors import UserError
from core.io.text import join_names
from playground.lessons.drawing import build_drawing
from playground.lessons.lesson import Claim, LessonStep
from playground.lessons.quantities import OF_THE_NETWORK, QUANTITIES, format_quantity, name_quantity
from playground.lessons.stay import is_own_picture_shown
from playground.pipeline.pipeline import Pipeline
from playground.state.page_state import PageState
from playground.state.settings import settings_of, value_text
from playground.support.cache import PostponedError
from playground.support.wording import name_knobs

PLACEHOLDER = re.compile(r"\{([a-z_0-9]+)\}")  # "{foreground}"; TeX has braces too, but not around such names
MISSING = "–"

NOT = {"<": "not below", "<=": "above", ">": "not above", ">=": "below", "==": "not"}  # a claim that fails, in words


class Check(NamedTuple):
    """A claim and the two values that it compares.

    Attributes:
        claim: The claim.
        value: The first value, None if it cannot be computed.
        other: The second one.
        error: Why a value cannot be computed, as a sentence; "" if it is undefined.
    """

    claim: Claim
    value: float | None
    other: float | None
    error: str = ""

    @property
    def is_true(self) -> bool:
        """True if the claim holds."""
        return self.value is not None and self.other is not None and self.claim.holds(self.value, self.other)

    def explain(self, where: str, lacking: str = "") -> str:
        """Returns what does not hold, in a sentence, and why if that is known.

        Args:
            where: Begins the sentence.
            lacking: What the picture lacks, as a clause, which explains whatever does not hold; "" for nothing.
        """
        others = [name_quantity(each) for each in self.claim.names[1:]]
        lacking = "" if self.claim.quantity in OF_THE_NETWORK else lacking
        if self.value is None or self.other is None:
            cause = f": {lacking}." if lacking else f". {self.error}" if self.error else " under these settings."
            return self.name(where) + cause
        value, other = (_format(self.claim.quantity, each) for each in (self.value, self.other))
        compared = "" if not others else ", its value before" if self.claim.is_about_change else f", “{others[0]}”"
        found = f"{self.name(where)} is {value}, {NOT[self.claim.sign]} {other}{compared}"
        reason = f"{lacking}." if lacking else self.claim.reason
        return f"{found}; {reason}" if reason else f"{found}."

    def name(self, where: str) -> str:
        """Returns what does not hold, without its numbers and a full stop; `where` begins the sentence."""
        name = name_quantity(self.claim.quantity)
        if self.value is None or self.other is None:
            return f"{where}, what the lesson says of “{name}” cannot be checked"
        return f"{where} it is different: “{name}”"


class Narration:
    """The texts and checks of a lesson's step for the current state of the page.

    Args:
        step: The step.
        state: The state of the page, with the reader's answer.

    Attributes:
        is_answered: True if the step has no question, or it has been answered.

    Raises:
        ConfigError: The settings of the page are not allowed.
    """

    def __init__(self, step: LessonStep, state: PageState) -> None:
        self.step, self.state = step, state
        self.is_answered = not step.question or state.answer is not None
        self._config = state.config()

    def format_numbers(self) -> dict[str, str]:
        """Returns the numbers in the texts, by "text.QUANTITY" before the answer and "told.QUANTITY" after it.

        Raises:
            PostponedError: They take long to compute, and a knob is being dragged.
        """
        before = PLACEHOLDER.findall(self.step.text)
        after = PLACEHOLDER.findall(self.step.reveal) if self.is_answered else ()
        return {f"text.{name}": _format(name, self._compute(name, self._text_pipeline)) for name in before} | {
            f"told.{name}": _format(name, self._compute(name, self.state.pipeline)) for name in after
        }

    def build_text(self) -> str:
        """Returns the text and the settings that change out of sight when the step begins, as Markdown."""
        return _join(
            _insert_numbers(self.step.text, "text", self.format_numbers()),
            _list_settings(
                Config.from_flat(self.step.previous),
                self.step.initial_config(),
                self._out_of_sight(self.step.initial_changes),
            ),
        )

    def build_drawing(self) -> dict[str, Any] | None:
        """Returns what the browser needs for the answer that the reader draws; None without one, or if it fails."""
        if not self.step.draw:
            return None
        try:
            now, before = self.state.pipeline(), self._text_pipeline()
            return build_drawing(self.step, now, before, is_answered=self.is_answered)
        except PostponedError:
            raise
        except UserError:  # the settings on show do not allow it, as the page says
            return None

    def explain_failures(self) -> list[str]:
        """Returns a sentence about each claim that does not hold on the page, none before the answer."""
        own = is_own_picture_shown(self.state)
        lacking = "no objects are drawn on it" if own else "this picture has no objects"
        lacking = "" if self._compute("objects", self.state.pipeline) else lacking
        return [check.explain(self._where(), lacking) for check in self._failures]

    def name_failures(self) -> list[str]:
        """Returns the same sentences without numbers and reasons: they stay while a knob moves only the numbers."""
        return list(dict.fromkeys(f"{check.name(self._where())}." for check in self._failures))

    def build_question(self) -> tuple[str, tuple[str, ...]]:
        """Returns the question and its answers, with the numbers before the answer."""
        return self._fill(self.step.question), tuple(map(self._fill, self.step.answers))

    def build_outcome(self) -> str:
        """Returns the text after the answer and what changes out of sight, as Markdown; "" before the answer."""
        if not self.is_answered:
            return ""
        text = self._judge_answer() + _insert_numbers(self.step.reveal, "told", self.format_numbers())
        changes = self._out_of_sight(self.step.answer_changes)
        return _join(text, _list_settings(self.step.initial_config(), self.step.config(), changes))

    def check_claims(self) -> list[Check]:
        """Returns the checks of the claims for the current page, none before the answer."""
        return [self._check(claim) for claim in self.step.claims] if self.is_answered else []

    def list_changes(self) -> tuple[str, ...]:
        """Returns a description of each setting that the reader has changed, and of another picture."""
        current, expected = self._config.to_flat(), self.expected_config().to_flat()
        changes = [
            describe_change(path, expected[path], current[path]) for path in current if current[path] != expected[path]
        ]
        return (*changes, *(("another picture",) if is_own_picture_shown(self.state) else ()))

    def expected_config(self) -> Config:
        """Returns the lesson's settings at this point."""
        return self.step.config() if self.is_answered else self.step.initial_config()

    @cached_property
    def _failures(self) -> list[Check]:
        return [check for check in self.check_claims() if not check.is_true]

    def _where(self) -> str:
        return "On your picture" if is_own_picture_shown(self.state) else "Here"

    def _out_of_sight(self, paths: Iterable[str]) -> list[str]:
        """Returns those of the settings whose knobs do not stand beside the text, which would show them."""
        return [path for path in paths if path not in self.step.knobs]

    def _judge_answer(self) -> str:
        """Returns whether the answer is right and why it is not, as Markdown; "" if none was chosen."""
        if not self.step.answers or self.state.answer is None:
            return ""
        if self.state.answer == self.step.right:
            return "**Right.** "
        reason = self._fill(self.step.reasons[self.state.answer])
        return f"**Not quite.** {reason}\n\n" if reason else "**Not quite.** "

    def _fill(self, text: str) -> str:
        return PLACEHOLDER.sub(lambda match: _format(match[1], self._compute(match[1], self._text_pipeline)), text)

    def _check(self, claim: Claim) -> Check:
        value, other = self._compute(claim.quantity, self.state.pipeline), claim.number
        if other is None:
            pipeline = self._pipeline_before if claim.is_about_change else self.state.pipeline
            other = self._compute(claim.names[1], pipeline)
        error = self._find_error(claim.quantity) if value is None or other is None else ""
        return Check(claim, value, other, error)

    def _compute(self, name: str, pipeline: Callable[[], Pipeline]) -> float | None:
        """Returns the value of a quantity, None if the settings do not allow to compute it, or it is undefined."""
        try:
            value = QUANTITIES[name](pipeline())
        except PostponedError:
            raise
        except UserError:
            return None
        return None if math.isnan(value) else value

    def _find_error(self, name: str) -> str:
        """Returns why a quantity cannot be computed on the page, "" if it can or is undefined."""
        try:
            QUANTITIES[name](self.state.pipeline())
        except UserError as error:
            return name_knobs(error)
        return ""

    def _pipeline_before(self) -> Pipeline:
        """Returns the pipeline with the changes of the answer undone, or, if it changes nothing, those of the step."""
        return self.state._replace(settings=settings_of(self._config.replace(self.step.before))).pipeline()

    def _text_pipeline(self) -> Pipeline:
        """Returns the pipeline that the text is about; the answer does not change it."""
        return self._pipeline_before() if self.is_answered and self.step.answer_changes else self.state.pipeline()


def describe_change(path: str, old: Any, new: Any) -> str:
    """Returns the label of a setting, its old and its new value."""
    knob = knobs()[path]
    before, after = (value_text(knob, value) for value in (old, new))
    return f"{knob.label} {before} → {after}"


def _list_settings(old: Config, new: Config, paths: Iterable[str]) -> str:
    """Returns the changes of the settings as a line of HTML, "" for none."""
    before, after = old.to_flat(), new.to_flat()
    changes = [f"{knobs()[path].label} from {_value(path, before)} to {_value(path, after)}" for path in paths]
    text = f"The lesson also changes {join_names(changes)}." if changes else ""
    return f'<small class="lesson-set">{escape(text)}</small>' if changes else ""


def _value(path: str, values: dict[str, Any]) -> str:
    return value_text(knobs()[path], values[path])


def _insert_numbers(text: str, prefix: str, numbers: dict[str, str]) -> str:
    """Returns a text with its numbers in elements that the page's script can update."""

    def insert(match: re.Match[str]) -> str:
        name = f"{prefix}.{match[1]}"
        return f'<span class="lesson-number" data-number="{name}">{escape(numbers[name])}</span>'

    return PLACEHOLDER.sub(insert, text)


def _join(*paragraphs: str) -> str:
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _format(name: str, value: float | None) -> str:
    return MISSING if value is None else format_quantity(name, value)
