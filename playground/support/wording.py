"""Messages of the library in the words of the page, without paths of the server, and with what its visitors can do.

The library names a hyperparameter by its path, such as `loss.gamma`, as the command line and its files do. On the page
it is found by its label, in a step: `name_knobs` turns the one into the other, so that every sentence is written once.
"""

import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from core.config import Knob, format_value, knobs
from core.errors import MAX_MESSAGE, UserError, shorten
from core.io.paths import ROOT
from core.io.troubles import FULL, REMEDIES
from playground.support.groups import TITLES, step_of
from playground.support.visitors import VISITORS

SWITCHED = {"true": "on", "false": "off"}
NOT_READ = "The page sent something that cannot be read: reload it."  # of requests that no page of ours makes
SPELLINGS = {  # of choices that are more than words
    "smooth_l1": "smooth L1", "l1": "L1", "giou": "GIoU", "diou": "DIoU", "ciou": "CIoU", "ohem": "OHEM", "c5": "C5",
    "p5": "P5", "sgd": "SGD", "asgd": "ASGD", "adamw": "AdamW", "adam": "Adam", "nadam": "NAdam", "radam": "RAdam",
    "rmsprop": "RMSprop", "adagrad": "Adagrad", "adadelta": "Adadelta", "adamax": "AdaMax",
    "poly1_focal": "Poly-1 focal", "ghm": "GHM-C", "max_iou": "max IoU",
    "atss": "ATSS", "simota": "SimOTA",
}  # fmt: skip

# What can be done at the command line, and on the page.
ON_THE_PAGE = {
    "does not exist: check the path": "is not on this server any more: choose another",
    "the command check lists them": "the check of the data set in the Picture step lists them",
}
# What whoever has the computer can do, and what visitors can.
FOR_VISITORS = {
    **{re.escape(f"{remedy}."): "Ask the operator of this server to correct that." for remedy in REMEDIES.values()},
    re.escape(f"{REMEDIES[FULL]}."): "Delete what you no longer need, or ask the operator of this server to make room.",
    "see its log: [^;]*\\.$": "ask the operator of this server to look into its log.",
}
LONGEST = 4 * MAX_MESSAGE  # characters of a message in which paths are looked for
# An absolute path of any system: neither that of an address, nor a share such as 3/4, nor a code such as /m/01g317.
PATH = re.compile(r"""(?<![\w:/.…~\\-])(?!/m/0\w+['"])(?:/|[A-Za-z]:[\\/])(?:[^\s/\\'"]*[/\\])*([^\s/\\'"]+)""")


def name_choice(choice: object) -> str:
    """Returns a choice of a hyperparameter as people write it, such as "smooth L1"."""
    return SPELLINGS.get(str(choice), str(choice).replace("_", " "))


def name_value(knob: Knob, value: Any) -> str:
    """Returns a value of a hyperparameter as people write it: a choice by its name, a switch as on or off."""
    text = format_value(value)
    return name_choice(value) if knob.kind == "choice" else SWITCHED[text] if knob.kind == "bool" else text


def name_knobs(message: str | UserError) -> str:
    """Returns a message with labels in place of the paths of hyperparameters, and with the steps that have them.

    It tells no path of the server, see `hide_server`.

    A suggestion for a misspelt path, "Did you mean loss.gamma?", and an example, "as in loss.gamma", stay: that is what
    has to be written.
    """
    message = hide_server(str(message)).encode(errors="replace").decode()  # what no encoding accepts cannot be sent
    found = list(dict.fromkeys(each["path"] for each in _paths().finditer(message)))
    if not found:
        return message
    named = [knobs()[path] for path in found]
    text = _paths().sub(_label, message)
    for choice in {str(each) for knob in named for each in knob.choices}:
        text = re.sub(rf"\b{choice}\b", name_choice(choice), text)
    return shorten(f"{text if text.endswith(('.', '!', '?')) else text + '.'} {_say_where(named)}")


def hide_server(message: str) -> str:
    """Returns a message with "…/name" in place of every absolute path, remedies of the page, and of bounded length.

    A visitor need not know where the server has its files; whose path it is cannot be told, so that one that the
    visitor wrote is shortened, too. Where visitors are apart, remedies are what they can do, not what the operator can.
    """
    message = shorten(message, LONGEST)
    for words, others in {**ON_THE_PAGE, **(FOR_VISITORS if VISITORS.apart else {})}.items():
        message = re.sub(words, others, message)
    if "/" not in message and "\\" not in message:
        return shorten(message)
    for folder in _folders():
        message = message.replace(folder, "/server")
    return shorten(PATH.sub(r"…/\1", message))


@cache
def _folders() -> tuple[str, ...]:
    """Returns folders of the server whose names may have spaces, at which `PATH` ends."""
    folders = {str(each) for each in (tempfile.gettempdir(), Path.home(), Path.cwd(), ROOT)}
    return tuple(sorted((each for each in folders if len(each) > 1), key=len, reverse=True))


@cache
def _paths() -> re.Pattern[str]:
    """Returns a pattern of all paths, with the value that follows; names of files are none."""
    paths = "|".join(map(re.escape, sorted(knobs(), key=len, reverse=True)))
    value = r"(?:(?P<lead> = | to | \()(?P<value>\w+))?"
    return re.compile(rf"(?<!mean )(?<!as in )(?<![\w./-])(?P<path>{paths})(?!\w|\.\w){value}")


def _label(found: re.Match[str]) -> str:
    """Returns the label of a path, and the value of a switch as on or off."""
    knob = knobs()[found["path"]]
    value = found["value"] or ""
    shown = SWITCHED.get(value, value) if knob.kind == "bool" else value
    return f"“{knob.label}”{found['lead'] or ''}{shown}"


def _say_where(named: list[Knob]) -> str:
    """Returns a sentence on the steps that have hyperparameters."""
    steps: dict[str, list[str]] = {}
    for knob in named:
        steps.setdefault(TITLES[step_of(knob)], []).append(f"“{knob.label}”")
    if len(steps) == 1:
        (title,) = steps
        who = {1: "That knob is", 2: "Both knobs are"}.get(len(named), "These knobs are")
        return f"{who} in the step {title}."
    places = (f"{' and '.join(dict.fromkeys(labels))} in the step {title}" for title, labels in steps.items())
    return f"You find {', '.join(places)}."
