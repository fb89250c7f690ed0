"""Exports the settings as JSON, as a command line, and as code for torchvision, detectron2 and mmdetection.

Settings that a framework does not support are named in a comment.
"""

import shlex
from collections.abc import Callable

from core.config import Config, format_value
from core.export.detectron2 import to_detectron2
from core.export.framework_settings import acts
from core.export.mmdetection import to_mmdetection
from core.export.torchvision import to_torchvision
from core.weights.metadata import TRAINED_WITH


def to_json(config: Config, num_classes: int) -> str:
    """Returns all settings as JSON, which `python -m core --config` reads."""
    return config.to_json()


def to_command(config: Config, num_classes: int) -> str:
    """Returns the training command with every setting that acts and differs from its default.

    Other weights than the default ones bring their own settings, so that those that they would change are among them.
    """
    values = config.non_default_values()
    if "model.weights" in values:
        values |= {path: value for path, value in config.explicit_values().items() if _follows_weights(path)}
    ordered = {path: values[path] for path in config.to_flat() if path in values and acts(config, path)}
    flags = (f"--{path} {shlex.quote(format_value(value))}" for path, value in ordered.items())
    return " \\\n  ".join(["python -m core train --data scenes --out runs/mine", *flags]) + "\n"


def _follows_weights(path: str) -> bool:
    return path.startswith("anchors.") or path in TRAINED_WITH


FORMATS: dict[str, Callable[[Config, int], str]] = {
    "settings as JSON": to_json,
    "command line": to_command,
    "torchvision": to_torchvision,
    "detectron2": to_detectron2,
    "mmdetection 3": to_mmdetection,
}
