"""Settings to take home: as JSON, as this project's command, and as code for torchvision, detectron2 and mmdetection.

What a framework cannot express is named in a comment instead of being dropped in silence.
"""

import shlex
from collections.abc import Callable

from core.config import Config, format_value
from core.export.detectron2 import as_detectron2
from core.export.mmdetection import as_mmdetection
from core.export.torchvision import as_torchvision


def as_json(config: Config, num_classes: int) -> str:
    """Returns all settings, as `python -m core --config` reads them."""
    return config.to_json()


def as_command(config: Config, num_classes: int) -> str:
    """Returns the training command with every setting that is not the default."""
    flags = (f"--{path} {shlex.quote(format_value(value))}" for path, value in config.non_default_values().items())
    return " \\\n  ".join(["python -m core train --data scenes --out runs/mine", *flags]) + "\n"


FORMATS: dict[str, Callable[[Config, int], str]] = {
    "settings as JSON": as_json,
    "command line": as_command,
    "torchvision": as_torchvision,
    "detectron2": as_detectron2,
    "mmdetection 3": as_mmdetection,
}
