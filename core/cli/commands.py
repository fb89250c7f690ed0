"""The commands of the command line by name.

Every command is a function of the settings and the parsed options; it prints its result and returns it as written by
--json, or None if it writes that file itself.
"""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from core.cli.compare import compare
from core.cli.convert import convert
from core.cli.data import check, split, unpack
from core.cli.detect.command import detect
from core.cli.evaluate import anchors, evaluate
from core.cli.export import export
from core.cli.train import train
from core.config import Config

COMMANDS: dict[str, Callable[[Config, Namespace], Any]] = {
    each.__name__: each for each in (train, compare, anchors, evaluate, detect, export, check, unpack, split, convert)
}
