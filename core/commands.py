"""What the command line does, by name; every function takes settings and options and returns what --json holds."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from core.compare_commands import compare
from core.config import Config
from core.data_commands import check, split, unpack
from core.detection_commands import detect
from core.evaluation_commands import anchors, evaluate
from core.export_commands import export
from core.train_commands import train
from core.training import TrainingError

REFUSALS = (TrainingError, ValueError, OSError)  # every other error of core is a ValueError
COMMANDS: dict[str, Callable[[Config, Namespace], Any]] = {
    each.__name__: each for each in (train, compare, anchors, evaluate, detect, export, check, unpack, split)
}
