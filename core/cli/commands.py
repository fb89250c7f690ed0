"""What the command line does, by name; every function takes settings and options and returns what --json holds."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from core.cli.compare import compare
from core.cli.data import check, split, unpack
from core.cli.detect import detect
from core.cli.evaluate import anchors, evaluate
from core.cli.export import export
from core.cli.train import train
from core.config import Config

COMMANDS: dict[str, Callable[[Config, Namespace], Any]] = {
    each.__name__: each for each in (train, compare, anchors, evaluate, detect, export, check, unpack, split)
}
