"""The weights and networks that settings ask for, kept in memory for all visitors. They are read only."""

import os
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import torch

from core.config import Config, Effect, knobs
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.model import RetinaNet
from core.scenes.render import CLASS_NAMES
from core.weights.architecture import WeightsError
from core.weights.download import DOWNLOADED, Published, published
from core.weights.sources import Weights, adopt, build, drop_heads, has_new_heads, load_weights
from playground.support.cache import NETWORKS, Cache


class Network(NamedTuple):
    """A network in evaluation mode, its class names, and a key that changes with its weights."""

    model: RetinaNet
    class_names: tuple[str, ...]
    key: Hashable


PRIOR = "model.prior_probability"  # only matters to heads that are initialised at random
_weights, _networks = Cache(NETWORKS), Cache(NETWORKS)
SEEDING = Lock()  # held from seeding until the last random number is drawn: the generator belongs to the whole process


class MissingWeightsError(WeightsError):
    """Weights that have to be downloaded first, which a visitor has to ask for."""


def weights_of(name: str, depth: int) -> Weights:
    """Returns weights by name, from memory unless their file has changed.

    Raises:
        MissingWeightsError: They have to be downloaded first.
        WeightsError: They cannot be read.
    """
    if missing := find_missing(name, depth):
        raise MissingWeightsError(
            f"The {missing.name} weights are not on this server yet: download them above the picture "
            f"({count_megabytes(missing.size)}), or choose other weights in the Network step."
        )
    with hide_path(name):
        weights: Weights = _weights.get(weights_key(name, depth), lambda: load_weights(name, depth=depth))
    return weights


def find_missing(name: str, depth: int) -> Published | None:
    """Returns weights of this name if they still have to be downloaded."""
    if name not in DOWNLOADED:
        return None
    weights = published(name, depth)
    return None if weights.is_here else weights


def count_megabytes(size: int) -> str:
    """Returns a number of bytes for people."""
    return f"{size / 1e6:.0f} MB"


def weights_key(name: str, depth: int) -> Hashable:
    """Returns a key that changes with the content of weights."""
    return name, _read_mtime(name, depth), depth if name == "imagenet" else 0


def name_weights(name: str) -> str:
    """Returns the name of weights for people: of a file, its name; of a run's weights, the name of the run."""
    path = Path(name)
    return path.name if path.stem != "weights" or not path.is_absolute() else path.parent.name


@contextmanager
def hide_path(name: str) -> Iterator[None]:
    """Names weights without the path of their file in the errors that are raised meanwhile."""
    try:
        yield
    except WeightsError as error:
        if Path(name).is_absolute():
            error.args = (str(error).replace(name, name_weights(name)),)
        raise


def config_weights(config: Config) -> Weights:
    """Returns the weights of the settings, without their heads if the settings ask for new ones."""
    weights = weights_of(config.model.weights, config.model.depth)
    return drop_heads(weights) if config.model.heads == "new" else weights


def network_of(config: Config) -> Network:
    """Returns the network of the settings.

    Raises:
        WeightsError: The weights are not available or contradict the settings.
    """
    key = _network_key(config)
    with hide_path(config.model.weights):
        network: Network = _networks.get(key, lambda: _build_network(config, key))
    return network


def is_cached(config: Config) -> bool:
    """True if `network_of` returns without building or loading anything."""
    return _network_key(config) in _networks


def _network_key(config: Config) -> Hashable:
    settings = [getattr(config.model, name) for name in _shaping()]
    chance = (config.model.prior_probability, config.training.seed) if has_new_heads(config.model) else ()
    return (*settings, *chance, config.anchors.per_location, _read_mtime(config.model.weights, config.model.depth))


@cache
def _shaping() -> tuple[str, ...]:
    """Returns the names of the model's settings that change the network."""
    found = [each for each in knobs().values() if each.section == "model" and each.effect == Effect.FORWARD]
    return tuple(each.name for each in found if each.path != PRIOR)


def _build_network(config: Config, key: Hashable) -> Network:
    weights = config_weights(config)
    class_names = weights.class_names or CLASS_NAMES
    settings = adopt(config, weights, free=True)
    with SEEDING:
        torch.manual_seed(config.training.seed)  # for parts that are initialised at random
        model = build(settings, weights, num_classes=len(class_names))
    return Network(fuse_batch_norms(model), class_names, key)


def _read_mtime(name: str, depth: int) -> int:
    """Returns the modification time of a weights file in ns, 0 for weights that are not a file here."""
    path = published(name, depth).file if name in DOWNLOADED else Path(name)
    return path.stat().st_mtime_ns if path.suffix and os.path.isfile(path) else 0


def follow_weights(config: Config) -> Config:
    """Returns the settings with those that the chosen weights require.

    Raises:
        WeightsError: The weights cannot be loaded.
    """
    weights = weights_of(config.model.weights, config.model.depth)
    if weights.architecture is None:  # they require nothing
        return config
    with hide_path(weights.name):
        return adopt(config.replace(dict(weights.settings)), weights, free=True)
