"""What a visitor wants to see of an evaluation: thresholds of the confusion matrix, a figure, selected pictures."""

from typing import NamedTuple

from core.config import ConfigError
from core.errors import quote
from core.evaluation.error_types import KINDS
from core.evaluation.label_errors import LABEL_ERRORS
from core.evaluation.report import USUAL_IOU
from core.io.paths import is_path
from playground.support.untrusted import parse_number

MAKING = "how AP is made"
ALONG = "along a dial"  # of the scenes
SLICES = "slices"
OF_REPORT = ("precision–recall", "calibration", "errors", "sizes")
FIGURES = (*OF_REPORT, SLICES, MAKING, ALONG)
MOST_BESIDE = 5  # weights beside the present ones: figures have six colours
SEPARATOR = ":"  # of the keys of weights in links; no name on Windows has it
MOST_OF_KEY = 300  # characters
CELL, KIND, WORST, LABEL = "cell", "kind", "worst", "label"  # first words of `EvaluationQuery.choice`


class EvaluationQuery(NamedTuple):
    """The view of an evaluation that a visitor has chosen.

    Attributes:
        score: Score threshold of the confusion matrix; None for the threshold with the best F1.
        iou: IoU threshold of the confusion matrix.
        figure: One of `FIGURES`.
        choice: The pictures to browse: "cell 0 3" (row and column of the confusion matrix), "kind location" (an error
            type), "worst", "label" (suspected errors of the labels), "label missing" (of one kind), or "" for no
            selection.
        weights: Keys of further weights whose results the figures show beside those of the present ones, see
            `playground.state.weight_names`.
    """

    score: float | None = None
    iou: float = USUAL_IOU
    figure: str = FIGURES[0]
    choice: str = ""
    weights: tuple[str, ...] = ()


def update_query(query: EvaluationQuery, field: str, value: str) -> EvaluationQuery:
    """Returns the query with one field set to a value that comes from the page or from a link.

    Raises:
        ConfigError: There is no such field, or the value is not allowed.
    """
    if field == "score":
        return query._replace(score=None if value == "best" else parse_number(field, value, (0, 1)))
    if field == "iou":
        return query._replace(iou=parse_number(field, value, (0.05, 0.95)))
    if field == "figure" and value in FIGURES:
        return query._replace(figure=value)
    if field == "choice" and is_choice(value):
        return query._replace(choice=value)
    if field == "weights":
        return query._replace(weights=_parse_keys(value))
    raise ConfigError(f"{field[:50]} = {quote(value)} is not allowed for an evaluation: choose something on the page.")


def toggle_weights(query: EvaluationQuery, key: str) -> EvaluationQuery:
    """Returns the query with weights added to those beside the present ones, or without them if they were there."""
    if key in query.weights:
        return query._replace(weights=tuple(each for each in query.weights if each != key))
    return query._replace(weights=_parse_keys(SEPARATOR.join([*query.weights, key])))


def _parse_keys(text: str) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(each for each in text.split(SEPARATOR) if each))
    if len(keys) > MOST_BESIDE:
        raise ConfigError(f"A figure shows at most {MOST_BESIDE} weights beside the present ones: remove some first.")
    if not all(len(each) <= MOST_OF_KEY and is_path(each) for each in keys):
        raise ConfigError("The weights beside the present ones have a name that none can have: choose from the list.")
    return keys


def is_choice(text: str) -> bool:
    """True if the text is a valid `EvaluationQuery.choice`."""
    kind, *rest = text.split(" ")
    if kind == CELL:
        return len(rest) == 2 and all(each.isascii() and each.isdecimal() and len(each) < 6 for each in rest)
    if kind == LABEL:
        return not rest or " ".join(rest) in LABEL_ERRORS
    return text in ("", WORST) or (kind == KIND and len(rest) == 1 and rest[0] in KINDS)
