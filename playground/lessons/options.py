"""The options of a lesson's step, a YAML list under its heading; `playground.lessons.parser` describes them."""

from typing import Any, NamedTuple

import yaml

from core.config import ConfigError, knobs
from core.experiments.presets import PRESETS
from playground.lessons.drawing import DRAWABLE
from playground.lessons.lesson import CONTROLS, DRAWINGS, PARTS
from playground.steps import STEPS
from playground.steps.dials import Dials, set_dial
from playground.steps.loss.step import FIGURES
from playground.steps.step import Focus

SETTINGS = ("set", "then")
TEXTS = (
    "show", "curve", "compare", "layers", "look", "veil", "needs", "knobs", "controls", "tables", "draw", "dials",
)  # fmt: skip
SUMMARY = "summary"
DRAWN_AT = {"curve": "loss", "boxes": "detections"}  # the step of the page, by what is drawn


class LessonError(ValueError):
    """A lesson file is malformed; the message names the file and the step or line."""


class Options(NamedTuple):
    """The options of a step as they are written; settings are texts by path.

    Attributes:
        knobs: None if the step does not name any; those that it sets are meant then.
        is_summary: True if the step sums up the lesson.
    """

    set: dict[str, Any]
    then: dict[str, Any]
    is_summary: bool
    show: str = ""
    curve: str = Focus().curve
    compare: str = ""
    layers: str = ""
    look: str = ""
    veil: str = ""
    needs: str = ""
    knobs: str | None = None
    controls: str = ""
    tables: str = ""
    draw: str = ""
    dials: str = ""

    def parse_dials(self) -> Dials:
        """Returns the values of the dials beside the figure.

        Raises:
            ConfigError: There is no such dial, or the value is not allowed.
        """
        dials = Dials()
        for part in split_names(self.dials):
            name, _, value = part.partition("=")
            dials = set_dial(dials, name.strip(), value.strip())
        return dials

    def named_knobs(self) -> tuple[str, ...]:
        """Returns the paths of the knobs that stand beside the text."""
        return tuple(dict.fromkeys((*self.set, *self.then))) if self.knobs is None else split_names(self.knobs)


def parse_options(header: str, step: str) -> Options:
    """Parses the options of a step; `step` names it in messages.

    Raises:
        LessonError: They are malformed, or name something that does not exist.
    """
    try:
        items = yaml.load(header, Loader=yaml.BaseLoader)  # all values stay text
    except yaml.YAMLError as error:
        raise LessonError(f"{step} has malformed options: {error}") from None
    texts: dict[str, str] = {}
    settings: dict[str, dict[str, Any]] = {key: {} for key in SETTINGS}
    items = items if isinstance(items, list) else []
    for item in items:
        if item == SUMMARY:
            continue
        key, text = _parse_item(item, step)
        if key in texts:
            raise LessonError(f"{step} has the option {key!r} twice.")
        if key in TEXTS:
            texts[key] = text
            continue
        path, equals, value = text.partition("=")
        if not equals:
            raise LessonError(f"{step} has the option '{key}: {text}' without =.")
        settings[key][path.strip()] = value.strip()
    options = Options(settings["set"], settings["then"], SUMMARY in items, **texts)
    _check_options(options, step)
    return options


def split_names(text: str) -> tuple[str, ...]:
    """Returns the names in a text that separates them by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _parse_item(item: object, step: str) -> tuple[str, str]:
    (key, text), *others = item.items() if isinstance(item, dict) and item else [("", "")]
    if others or key not in (*TEXTS, *SETTINGS) or not isinstance(text, str):
        allowed = ", ".join((*TEXTS, *SETTINGS, SUMMARY))
        raise LessonError(f"{step} has the option {item!r}: it must be one of {allowed}.")
    return key, text


def _check_options(options: Options, step: str) -> None:
    try:
        options.parse_dials()
    except ConfigError as error:
        raise LessonError(f"{step} sets a dial: {error}") from None
    if options.curve not in FIGURES:
        raise LessonError(f"{step} has the curve {options.curve!r}, which is none of {', '.join(FIGURES)}.")
    if options.compare and (options.show != "training" or options.compare not in PRESETS):
        raise LessonError(
            f"{step} compares {options.compare!r}, but only a step that shows training can compare, and only one of "
            f"{', '.join(PRESETS)}."
        )
    if options.draw == "curve" and options.curve not in DRAWABLE:
        raise LessonError(f"{step} has the curve {options.curve!r} drawn, but only {', '.join(DRAWABLE)} can be.")
    allowed_names = (
        (options.look, PARTS),
        (options.veil, PARTS),
        (options.needs, (*STEPS, *knobs())),
        (options.knobs or "", tuple(knobs())),
        (options.controls, CONTROLS),
        (options.draw, DRAWINGS),
    )
    for text, allowed in allowed_names:
        for name in split_names(text):
            if name not in allowed:
                raise LessonError(f"{step} names {name!r}, which is none of {', '.join(allowed)}.")
