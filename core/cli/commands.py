"""The commands of the command line by name.

Every command is a function of the settings and the parsed options; it prints its result and returns it as written by
--json, or None if it writes that file itself.
"""

from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from typing import Any

from core.config import Config

Command = Callable[[Config, Namespace], Any]

# The module of each command; no other is imported.
MODULES = {
    "train": "train",
    "compare": "compare",
    "anchors": "evaluate",
    "evaluate": "evaluate",
    "detect": "detect.command",
    "export": "export",
    "check": "data",
    "unpack": "data",
    "split": "data",
    "convert": "convert",
}


def find_command(name: str) -> Command:
    """Returns a command by its name."""
    command: Command = getattr(import_module(f"core.cli.{MODULES[name]}"), name)
    return command
