"""What a convention is: a matter in which frameworks differ, with what each of them does."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

TORCHVISION, DETECTRON2, MMDETECTION = "torchvision", "detectron2", "mmdetection"
FRAMEWORKS: Mapping[str, str] = MappingProxyType(
    {TORCHVISION: "torchvision", DETECTRON2: "detectron2", MMDETECTION: "MMDetection"}
)


class Practice(NamedTuple):
    """What a framework does.

    Attributes:
        text: In words.
        source: File and function or class of its code.
        settings: The hyperparameters here that do the same, by path.
        rules: The `Rules` that do, by name.
        accepts: The values of hyperparameters that the framework has; weights that need another do not load.
        as_here: Whether it is what is done here, which must be said where the effect is not computed.
    """

    text: str
    source: str
    settings: Mapping[str, Any] = MappingProxyType({})
    rules: Mapping[str, Any] = MappingProxyType({})
    accepts: Mapping[str, tuple[Any, ...]] = MappingProxyType({})
    as_here: bool = False


class Convention(NamedTuple):
    """A matter in which frameworks differ.

    Attributes:
        key: Its identifier.
        title: Its name.
        practices: What each framework does, by its key.
        told: Why its effect is said and not computed, "" if it is computed; where a framework does as is done here, it
            has none.
        min_depth: Layers of a ResNet from which on it matters.
    """

    key: str
    title: str
    practices: Mapping[str, Practice]
    told: str = ""
    min_depth: int = 0
