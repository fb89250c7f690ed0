"""What a lesson says at a step: its texts with the computed numbers in them, and whether its claims are true.

The numbers follow the page: those of what is revealed are of the settings and the picture on show; those of the text
are of what was before the answer, with only what the answer sets put back.
"""

import re
from collections.abc import Callable
from html import escape
from typing import Any, NamedTuple

from core.config import Config, knobs
from core.errors import UserError
from playground.lessons.lesson import Claim, LessonStep
from playground.lessons.quantities import QUANTITIES, shown
from playground.pipeline.pipeline import Pipeline
from playground.state.page_state import PageState
from playground.state.settings import settings_of, value_text
from playground.support.cache import PostponedError

NAMED = re.compile(r"\{([a-z_0-9]+)\}")  # "{foreground}"; TeX has braces too, but not around such names
NONE = "–"

SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "="}
NAMES = {  # where the name in the files does not read well
    "best_iou_lowest": "lowest best IoU",
    "best_iou_mean": "average best IoU",
    "background_per_foreground": "background anchors for each foreground anchor",
    "weight_at_90": "weight of an example with p_t = 0.9",
    "weight_at_50": "weight of an example with p_t = 0.5",
    "share_of_hardest_foreground": "foreground's loss held by its hardest 20%",
    "share_of_hardest_background": "background's loss held by its hardest 1%",
    "scored": "scores above the threshold",
    "gflop": "GFLOP of the forward pass",
    "training_memory": "GiB to train",
}


class Check(NamedTuple):
    """A claim with the numbers it was held against, None where they cannot be had."""

    claim: Claim
    value: float | None
    other: float | None

    @property
    def true(self) -> bool:
        """Whether the claim holds."""
        return None not in (self.value, self.other) and self.claim.holds(self.value, self.other)

    def __str__(self) -> str:
        name, *others = (NAMES.get(each, each.replace("_", " ")) for each in self.claim.names)
        which = "" if not others else " before" if self.claim.earlier else f" ({others[0]})"
        mark = "✓" if self.true else "✗"
        value, other = (_text(self.claim.quantity, each) for each in (self.value, self.other))
        return f"{mark} {name}: {value} {SIGNS[self.claim.sign]} {other}{which}"


class Narration:
    """A step of a lesson under what is on show.

    Args:
        step: Of the lesson.
        asked: What is on show; its answer says whether the step has told.

    Raises:
        ConfigError: The settings on show are not allowed.
    """

    def __init__(self, step: LessonStep, state: PageState) -> None:
        self.step, self.state = step, state
        self.answered = not step.question or state.answer is not None
        self._config = state.config()

    def numbers(self) -> dict[str, str]:
        """Returns the numbers in its texts as they are written, by the names under which they stand there.

        Raises:
            PostponedError: They take long, and a knob is held.
        """
        told = NAMED.findall(self.step.reveal) if self.answered else ()
        return {
            f"text.{name}": _text(name, self._value(name, self._of_text)) for name in NAMED.findall(self.step.text)
        } | {f"told.{name}": _text(name, self._value(name, self._now)) for name in told}

    def text(self) -> str:
        """Returns the text, Markdown, and what the step has set."""
        return _joined(
            _marked(self.step.text, "text", self.numbers()),
            _set(Config.from_flat(self.step.earlier), self.step.first_config(), self.step.at_once),
        )

    def question(self) -> tuple[str, tuple[str, ...]]:
        """Returns the question and its answers, with the numbers before it is answered."""
        return self._plain(self.step.question), tuple(map(self._plain, self.step.answers))

    def outcome(self) -> str:
        """Returns what is said after the answer, Markdown; "" while the question waits for one."""
        if not self.answered:
            return ""
        text = _marked(self.step.reveal, "told", self.numbers())
        if self.step.question:
            text = ("**Right.** " if self.state.answer == self.step.right else "**Not quite.** ") + text
        return _joined(text, _set(self.step.first_config(), self.step.config(), self.step.later))

    def checks(self) -> list[Check]:
        """Holds the claims against what is on show; none while the question waits."""
        return [self._check(claim) for claim in self.step.claims] if self.answered else []

    def moved(self) -> tuple[str, ...]:
        """Returns in words which settings are no longer those of the lesson."""
        told = self.expected()
        now, then = self._config.to_flat(), told.to_flat()
        words = [changed(path, then[path], now[path]) for path in now if now[path] != then[path]]
        own = self.state.user_picture is not None and self.state.user_picture.scenes == self._config.scenes
        return (*words, *(("another picture",) if own else ()))

    def expected(self) -> Config:
        """Returns the settings of the lesson here."""
        return self.step.config() if self.answered else self.step.first_config()

    def _plain(self, text: str) -> str:
        return NAMED.sub(lambda match: _text(match[1], self._value(match[1], self._of_text)), text)

    def _check(self, claim: Claim) -> Check:
        value, other = self._value(claim.quantity, self._now), claim.number
        if other is None:
            other = self._value(claim.names[1], self._before if claim.earlier else self._now)
        return Check(claim, value, other)

    def _value(self, name: str, pipeline: Callable[[], Pipeline]) -> float | None:
        """Returns a quantity, None where the settings have none."""
        try:
            return QUANTITIES[name](pipeline())
        except PostponedError:
            raise
        except UserError:
            return None

    def _now(self) -> Pipeline:
        return self.state.pipeline()

    def _before(self) -> Pipeline:
        """Returns what was before the answer, or, where that sets nothing, before the step."""
        return self.state._replace(settings=settings_of(self._config.replace(self.step.before))).pipeline()

    def _of_text(self) -> Pipeline:
        """Returns what the text is about, which the answer leaves as it was."""
        return self._before() if self.answered and self.step.later else self._now()


def changed(path: str, old: Any, new: Any) -> str:
    """Returns in words that a setting went from one value to another."""
    knob = knobs()[path]
    before, after = (value_text(knob, value).replace("_", " ") for value in (old, new))
    return f"{knob.label} {before} → {after}"


def _set(old: Config, new: Config, paths: tuple[str, ...]) -> str:
    """Returns what a step sets, as a line of its own."""
    before, after = old.to_flat(), new.to_flat()
    words = " · ".join(changed(path, before[path], after[path]) for path in paths)
    return f'<small class="lesson-set">Set: {escape(words)}</small>' if words else ""


def _marked(text: str, when: str, numbers: dict[str, str]) -> str:
    """Returns a text with its numbers, each of which the page can bring up to date."""

    def number(match: re.Match) -> str:
        name = f"{when}.{match[1]}"
        return f'<span class="lesson-number" data-number="{name}">{escape(numbers[name])}</span>'

    return NAMED.sub(number, text)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _text(name: str, value: float | None) -> str:
    return NONE if value is None else shown(name, value)
