"""Settings of scenes that are worth a look; a setting that an example does not name has its default."""

from collections.abc import Mapping
from typing import Any

from core.config import Config, knobs
from core.errors import UserError

EXAMPLES: dict[str, Mapping[str, Any]] = {
    "Everyday": {},
    "Small things": {
        "scenes.min_size": 0.03,
        "scenes.max_size": 0.08,
        "scenes.min_objects": 12,
        "scenes.max_objects": 16,
    },
    "Crowd": {"scenes.min_objects": 30, "scenes.max_objects": 40, "scenes.max_size": 0.2, "scenes.overlap": 0.6},
    "Long and thin": {"scenes.elongation": 6.0, "scenes.min_size": 0.2, "scenes.max_size": 0.6},
    "One giant": {"scenes.min_objects": 1, "scenes.max_objects": 1, "scenes.min_size": 0.9, "scenes.max_size": 1.0},
    "Only clutter": {"scenes.empty_share": 1.0, "scenes.clutter": 1.0},
    "Night shot": {"scenes.noise": 0.8, "scenes.seed": 7},
}


def apply_example(name: object, config: Config) -> Config:
    """Returns the settings with the scenes of an example; the other sections stay as they are.

    Raises:
        UserError: There is no such example; `name` is untrusted.
    """
    if not isinstance(name, str) or name not in EXAMPLES:
        raise UserError("There is no such example: choose one from the list.")
    defaults = {path: knob.default for path, knob in knobs().items() if knob.section == "scenes"}
    return config.replace({**defaults, **EXAMPLES[name]})
