"""The stability atlas: a grid of short training runs over the loss, γ, α, the prior π and the learning rate.

A place of the grid is a tuple with a value per axis, in their order. Under some losses an axis does not act, as γ under
cross-entropy: its value is `IDLE` there. Combinations that would train the same are one place.
"""

import math
from collections.abc import Mapping
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Any

from core.config import Config, ConfigError, knobs

KIND, GAMMA, ALPHA = "loss.kind", "loss.gamma", "loss.alpha"
PRIOR, RATE = "model.prior_probability", "training.learning_rate"
FOCAL, BALANCED = "focal", "balanced_cross_entropy"  # the second is focal loss with γ = 0
IDLE = None
IDLE_TEXT = "-"
STEPS = 40
Place = tuple[Any, ...]

AXES: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        KIND: ("cross_entropy", BALANCED, FOCAL, "ohem", "quality_focal", "ghm"),
        GAMMA: (0.0, 2.0, 5.0),
        ALPHA: (0.1, 0.25, 0.75),
        PRIOR: (0.01, 0.1, 0.5),
        RATE: (0.001, 0.01, 0.1, 1.0),
    }
)  # fmt: skip

# What all runs share. As in the paper nothing softens the first steps: SGD with momentum, neither warm-up nor clipping.
# Plain heads would learn nothing in so few steps, so that these are normalised.
BASE: Mapping[str, Any] = MappingProxyType(
    {
        "model.weights": "builtin",
        "model.heads": "new",
        "model.freeze_stages": 5,
        "scenes.image_size": 128,
        "scenes.min_size": 0.15,
        "inference.image_size": 128,
        "inference.score_threshold": 0.001,  # scores are still low after few steps, and AP needs only their order
        "training.batch_size": 4,
        "training.steps": STEPS,
        "training.optimizer": "sgd",
        "training.schedule": "constant",
        "training.warmup_steps": 0,
        "training.clip_norm": 0.0,
        "training.eval_interval": 0,
        "training.eval_images": 24,
    }
)


def list_places(axes: Mapping[str, tuple[Any, ...]] = AXES) -> tuple[Place, ...]:
    """Returns the places of a grid whose runs differ, in the order of its axes."""
    return tuple(dict.fromkeys(reduce_place(place) for place in product(*axes.values())))


@cache
def reduce_place(place: Place) -> Place:
    """Returns a place without the values that do not act; balanced cross-entropy is the focal loss that it equals."""
    if place[0] == BALANCED:
        place = (FOCAL, 0.0, *place[2:])
    config = Config.from_flat({**BASE, **to_settings(place)})
    return tuple(value if knobs()[path].acts(config) else IDLE for path, value in zip(AXES, place, strict=True))


def to_settings(place: Place) -> dict[str, Any]:
    """Returns the values of a place that act, by path."""
    return {path: value for path, value in zip(AXES, place, strict=True) if value is not IDLE}


def build_config(place: Place, seed: int, base: Mapping[str, Any] = BASE) -> Config:
    """Returns the settings of a run: those that all share, and those of its place."""
    return Config.from_flat({**base, **to_settings(place), "training.seed": seed})


def to_key(place: Place) -> str:
    """Returns a place as text: "focal,2,0.25,0.01,0.1", with "-" for an axis that does not act."""
    return ",".join(IDLE_TEXT if value is IDLE else _format(value) for value in place)


def parse_key(text: str) -> Place:
    """Reads a place from what `to_key` returns; untrusted.

    Raises:
        ConfigError: It is no place of the grid.
    """
    found = _places_by_key().get(text)
    if found is None:
        raise ConfigError("The atlas has no such run: choose one on its map.")
    return found


def find_nearest(config: Config) -> Place | None:
    """Returns the place nearest to some settings, None if the atlas does not have their loss.

    Each axis counts alone. Learning rates and π are compared by their ratio, γ and α by their difference.
    """
    return reduce_place(find_values(config)) if config.loss.kind in AXES[KIND] else None


def find_values(config: Config) -> Place:
    """Returns the nearest value of each axis, idle ones included, with focal loss in place of one that it lacks."""
    kind = config.loss.kind
    known = kind if kind in AXES[KIND] else FOCAL
    values = config.to_flat()
    return known, *(_find_nearest(path, values[path]) for path in AXES if path != KIND)


def _find_nearest(path: str, value: float) -> float:
    scale = math.log if path in (PRIOR, RATE) else float
    # A learning rate may be 0, which is nearest to the lowest.
    return float(min(AXES[path], key=lambda each: abs(scale(each) - scale(max(value, 1e-12)))))


@cache
def _places_by_key() -> dict[str, Place]:
    return {to_key(place): place for place in list_places()}


def _format(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"
