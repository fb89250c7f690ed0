"""The comparison of this library with a framework, by convention and all together."""

from typing import NamedTuple

from core.config import Config, ConfigError, format_value
from core.conventions.convention import FRAMEWORKS, Convention, Practice
from core.conventions.differences import Difference, find_differences
from core.conventions.rules import HERE, Rules
from core.conventions.table import CONVENTIONS
from core.conventions.view import Seen, Subject, see


class Outcome(NamedTuple):
    """What a convention of a framework changes.

    Attributes:
        convention: The convention.
        practice: What the framework does.
        difference: What it changes by itself; None if it does the same as the settings here, or is not computed.
        told: What is to be said instead, "" if it is computed.
    """

    convention: Convention
    practice: Practice
    difference: Difference | None
    told: str = ""


class Comparison(NamedTuple):
    """The comparison of this library with a framework.

    Attributes:
        framework: Its key.
        outcomes: What each convention changes by itself, in the order of `CONVENTIONS`.
        here: What is made of the picture here.
        there: What is made of it there, with all conventions together.
        difference: The differences between both.
    """

    framework: str
    outcomes: tuple[Outcome, ...]
    here: Seen
    there: Seen
    difference: Difference


def compare(subject: Subject, config: Config, framework: str) -> Comparison:
    """Compares the anchors, assignment, losses and detections here with those of a framework, for the same weights.

    What the conventions do not say is as the settings are: anchor sizes, thresholds, NMS.

    Args:
        subject: The picture as the network sees it.
        config: All settings; with another assigner than max IoU, which all frameworks have, nothing can be compared.
        framework: A key of `FRAMEWORKS`.

    Raises:
        ConfigError: The assigner is another one.
    """
    require_comparable(config, framework)
    here = see(subject, config, HERE)
    outcomes = tuple(_judge(each, subject, config, framework, here) for each in CONVENTIONS)
    there = see(subject, *apply(config, [each.practices[framework] for each in CONVENTIONS]))
    return Comparison(framework, outcomes, here, there, find_differences(here, there))


def require_comparable(config: Config, framework: str) -> None:
    """Raises `ConfigError` if the settings have another assigner than max IoU, the only one of all frameworks."""
    if config.matching.assigner != "max_iou":
        raise ConfigError(
            f"matching.assigner = {config.matching.assigner} is not in the RetinaNet of {FRAMEWORKS[framework]}: set "
            "it to max_iou to compare."
        )


def apply(config: Config, practices: list[Practice]) -> tuple[Config, Rules]:
    """Returns the settings and the rules under which this library does what a framework does."""
    settings = {path: value for each in practices for path, value in each.settings.items()}
    rules = {name: value for each in practices for name, value in each.rules.items()}
    return config.replace(settings), HERE._replace(**rules)


def _judge(convention: Convention, subject: Subject, config: Config, framework: str, here: Seen) -> Outcome:
    practice = convention.practices[framework]
    as_here = practice.as_here or config.model.depth < convention.min_depth
    told = "" if as_here else convention.told or _find_refusal(config, practice)
    theirs, rules = apply(config, [practice])
    if told or (theirs.to_flat() == config.to_flat() and rules == HERE):
        return Outcome(convention, practice, None, told)
    return Outcome(convention, practice, find_differences(here, see(subject, theirs, rules)))


def _find_refusal(config: Config, practice: Practice) -> str:
    """Returns why the weights do not fit the framework's network, "" if they do."""
    values = config.to_flat()
    refused = [
        f"{path} = {format_value(values[path])}"
        for path, allowed in practice.accepts.items()
        if values[path] not in allowed
    ]
    return f"it lacks {' and '.join(refused)}, so that its network refuses these weights" if refused else ""
