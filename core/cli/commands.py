"""The commands of the command line by name.

Every command is a function of the settings and the parsed options; it prints its result and returns it as written by
--json, or None if it writes that file itself.
"""

from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # --help needs no declarations
    from core.config import Config

Function = Callable[["Config", Namespace], Any]


class Command(NamedTuple):
    """A command: its description, and the module that holds its function; only the chosen one is imported."""

    help: str
    module: str


COMMANDS = {
    "train": Command("Train a detector; Ctrl-C stops it with a checkpoint.", "training.train"),
    "compare": Command(
        "Train variants of a detector that differ in one setting, on scenes, about a minute each.", "training.compare"
    ),
    "find-lr": Command("Test learning rates in a hundred steps, and suggest one.", "training.find_lr"),
    "anchors": Command("Measure how well the anchors fit, and search for better scales and ratios.", "evaluate"),
    "evaluate": Command("Compute the twelve COCO metrics, and explain them.", "evaluate"),
    "rescue": Command("Find the setting whose fewest steps undo each kind of fault in many pictures.", "rescue"),
    "detect": Command("Detect objects in pictures.", "detect.command"),
    "explain": Command("Draw the importance map of one detection.", "explain.command"),
    "differ": Command("Compare with torchvision, detectron2 or MMDetection, with the same weights.", "differ.command"),
    "export": Command("Write a detector for use elsewhere.", "export"),
    "check": Command("Check your own data set for problems that would harm training.", "data"),
    "unpack": Command("Check a data set in a zip file, and unpack it if it is usable.", "data"),
    "split": Command("Split a data set into pictures for training, validation and test.", "data"),
    "convert": Command("Write a data set in another format.", "convert"),
}


def find_command(name: str) -> Function:
    """Returns the function of a command by its name."""
    function: Function = getattr(import_module(f"core.cli.{COMMANDS[name].module}"), name.replace("-", "_"))
    return function
