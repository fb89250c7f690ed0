"""Weights and the description of their network."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from core.weights.architecture import Architecture

# Values of `Weights.trained_on`
ON_SCENES, ON_COCO, ON_DATA_SET = "scenes", "COCO", "data set "  # the last one with the data set's name
CLASSES = "classes"  # stands for the class names among what is assumed, and is the flag that states them
BACKGROUND_FIRST = f"If class 0 is the background, state all with --{CLASSES}, the background first."


class Weights(NamedTuple):
    """Weights and the description of their network, before a model is built from them.

    Attributes:
        name: The requested name (builtin, coco, …) or path.
        state: Tensors by torchvision's keys; without the heads if these were dropped, only those of the backbone for
            imagenet, none for random.
        architecture: That of their network; None without heads: for imagenet and random, and if they were dropped.
        class_names: One per class, K; empty if the architecture is None.
        category_ids: The category of each class in COCO results, K.
        settings: The settings that the weights were trained with or require, by path.
        assumed: What the file does not say and is assumed: paths in `settings`, and `CLASSES` for the class names.
        notes: Sentences on how the file was read, for people.
        trained_on: The pictures they were last trained on: `ON_SCENES`, `ON_COCO`, or `ON_DATA_SET` with a name; "" if
            that is not recorded.
    """

    name: str
    state: Mapping[str, Tensor]
    architecture: Architecture | None
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    settings: Mapping[str, Any]
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    trained_on: str = ""
