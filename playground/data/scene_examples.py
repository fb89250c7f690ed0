"""Scenes worth a look, as settings of the dials; what is not named goes back to its default."""

from core.config import Config, knobs

EXAMPLES = {
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


def scenes_of(name: str, config: Config) -> Config:
    """Returns settings with the dials of an example; everything but the scenes stays."""
    dials = {path: knob.default for path, knob in knobs().items() if knob.section == "scenes"}
    return config.replace({**dials, **EXAMPLES[name]})
