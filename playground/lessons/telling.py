"""What a lesson says at a step: its texts with the computed numbers in them, and whether its claims are true."""

import re
from typing import NamedTuple

from playground.lessons.lesson import Claim, Lesson, LessonStep
from playground.lessons.quantities import QUANTITIES, shown
from playground.pictures import scene
from playground.situation import Situation

NAMED = re.compile(r"\{([a-z_0-9]+)\}")  # "{foreground}"; TeX has braces too, but not around such names

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
    """A claim with the numbers it was held against."""

    claim: Claim
    value: float
    other: float

    @property
    def true(self) -> bool:
        """Whether the claim holds."""
        return self.claim.holds(self.value, self.other)

    def __str__(self) -> str:
        name, *others = (NAMES.get(each, each.replace("_", " ")) for each in self.claim.names)
        which = "" if not others else " before" if self.claim.earlier else f" ({others[0]})"
        mark = "✓" if self.true else "✗"
        value, other = (shown(self.claim.quantity, each) for each in (self.value, self.other))
        return f"{mark} {name}: {value} {SIGNS[self.claim.sign]} {other}{which}"


def situation_of(step: LessonStep) -> Situation:
    """Returns the picture and the settings of a step whose question is answered."""
    config = step.config()
    return Situation(scene(config.scenes), config)


def opening_of(step: LessonStep) -> tuple[str, str, list[str]]:
    """Returns text (Markdown), question and answers of a step, with the numbers before it is answered."""
    config = step.first_config()
    here = Situation(scene(config.scenes), config)
    return _filled(step.text, here), _filled(step.question, here), [_filled(each, here) for each in step.answers]


def checks_of(lesson: Lesson, index: int) -> list[Check]:
    """Holds the claims of a step against what the core computes."""
    step = lesson.steps[index]
    here, before = situation_of(step), _before(lesson, index)
    return [_check(claim, here, before) for claim in step.claims]


def _before(lesson: Lesson, index: int) -> Situation:
    """Returns what an answer changes, or what the step before left where it changes nothing."""
    step = lesson.steps[index]
    config = step.first_config() if step.later else lesson.steps[max(0, index - 1)].config()
    return Situation(scene(config.scenes), config)


def _check(claim: Claim, here: Situation, before: Situation) -> Check:
    value, other = QUANTITIES[claim.quantity](here), claim.number
    if other is None:
        other = QUANTITIES[claim.names[1]](before if claim.earlier else here)
    return Check(claim, value, other)


def outcome_of(lesson: Lesson, index: int, answer: str | None) -> str:
    """Returns what a step says after the answer, Markdown; "" while a question waits for one."""
    step = lesson.steps[index]
    if step.question and answer not in step.answers:
        return ""
    text = _filled(step.reveal, situation_of(step))
    if step.question:
        text = ("**Right.** " if answer == step.answers[step.right] else "**Not quite.** ") + text
    checks = "\n".join(f"- {check}" for check in checks_of(lesson, index))
    return f"{text}\n\n{checks}".strip()


def _filled(text: str, situation: Situation) -> str:
    return NAMED.sub(lambda match: shown(match[1], QUANTITIES[match[1]](situation)), text)
