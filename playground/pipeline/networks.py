"""Weights and networks of the settings, kept in memory for all visitors, read only."""

from collections.abc import Hashable
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import torch

from core.config import Config, Effect, knobs
from core.retinanet.fuse import folded
from core.retinanet.model import RetinaNet
from core.scenes.render import CLASS_NAMES
from core.weights.sources import Weights, adopt, build, has_new_heads, load_weights, without_heads
from playground.support.cache import Cache


class Network(NamedTuple):
    """A network ready to predict, its class names, and a key that changes with its weights."""

    model: RetinaNet
    class_names: tuple[str, ...]
    key: Hashable


PRIOR = "model.prior_probability"  # where heads start at random
_weights, _networks = Cache(3), Cache(3)
SEEDING = Lock()  # the random state is the whole process's: who seeds it must be alone until all numbers are drawn


def weights_of(name: str, depth: int) -> Weights:
    """Returns weights by name, from memory if they were loaded before and their file has not changed."""
    return _weights.get(
        (name, _stamp(name), depth if name == "imagenet" else 0), lambda: load_weights(name, depth=depth)
    )


def network_of(config: Config) -> Network:
    """Returns the network of the settings.

    Raises:
        WeightsError: The weights cannot be had or contradict the settings.
    """
    key = _network_key(config)
    return _networks.get(key, lambda: _make_network(config, key))


def is_ready(config: Config) -> bool:
    """Whether `network_of` would answer at once."""
    return _network_key(config) in _networks


def _network_key(config: Config) -> tuple:
    settings = [value for path, value in config.to_flat().items() if _shapes_network(path)]
    chance = (config.model.prior_probability, config.training.seed) if has_new_heads(config.model) else ()
    return (*settings, *chance, config.anchors.per_location, _stamp(config.model.weights))


def _shapes_network(path: str) -> bool:
    return path.startswith("model.") and path != PRIOR and knobs()[path].effect == Effect.FORWARD


def weights_under(config: Config) -> Weights:
    """Returns the weights of the settings, without their heads where new ones are asked for."""
    weights = weights_of(config.model.weights, config.model.depth)
    return without_heads(weights) if config.model.heads == "new" else weights


def _make_network(config: Config, key: Hashable) -> Network:
    weights = weights_under(config)
    class_names = weights.class_names or CLASS_NAMES
    settings = adopt(config, weights)
    with SEEDING:
        torch.manual_seed(config.training.seed)  # of what starts at random
        model = build(settings, weights, num_classes=len(class_names))
    return Network(folded(model), class_names, key)


def _stamp(name: str) -> int:
    """When a weights file was last written; 0 for weights that are no file."""
    path = Path(name)
    return path.stat().st_mtime_ns if path.suffix and path.is_file() else 0
