"""What a visitor asks of an evaluation: from which score and overlap, which figure, which of its pictures."""

import math
from typing import NamedTuple

from core.config import ConfigError
from core.evaluation.error_types import KINDS
from core.evaluation.report import USUAL_IOU

FIGURES = ("precision–recall", "calibration", "errors", "sizes")
CELL, KIND, WORST = "cell", "kind", "worst"


class EvaluationQuery(NamedTuple):
    """What is asked of an evaluation.

    Attributes:
        score: From which detections count in the confusion matrix; None for that of the best F1.
        iou: From which they are right there.
        figure: One of `FIGURES`.
        choice: Pictures to go through: "cell 0 3" of the confusion matrix, "kind location", "worst", "" for none.
    """

    score: float | None = None
    iou: float = USUAL_IOU
    figure: str = FIGURES[0]
    choice: str = ""


def asked_for(query: EvaluationQuery, word: str, value: str) -> EvaluationQuery:
    """Returns an inquiry after one of its fields was chosen, as the page or a link says it.

    Raises:
        ConfigError: The value is not allowed, or there is no such field.
    """
    if word == "score":
        return query._replace(score=None if value == "best" else _number(word, value, 0, 1))
    if word == "iou":
        return query._replace(iou=_number(word, value, 0.05, 0.95))
    if word == "figure" and value in FIGURES:
        return query._replace(figure=value)
    if word == "choice" and is_choice(value):
        return query._replace(choice=value)
    raise ConfigError(f"{word[:50]} = {value[:50]!r} cannot be asked of an evaluation: choose something on the page.")


def is_choice(text: str) -> bool:
    """Whether a text names pictures as `EvaluationQuery.choice` does."""
    kind, *rest = text.split(" ")
    if kind == CELL:
        return len(rest) == 2 and all(each.isascii() and each.isdecimal() and len(each) < 6 for each in rest)
    return text in ("", WORST) or (kind == KIND and len(rest) == 1 and rest[0] in KINDS)


def _number(word: str, text: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise ConfigError(f"{word} = {text[:50]!r} is not allowed: it must be a number from {low:g} to {high:g}.")
    return number
