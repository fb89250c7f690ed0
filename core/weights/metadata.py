"""The metadata of a weights file: the settings, class names and ε that its tensors need."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.config import Config, ConfigError
from core.io.text import is_text
from core.weights.architecture import SHAPE_SETTINGS, Architecture, WeightsError
from core.weights.weights import CLASSES, ON_COCO, ON_DATA_SET, ON_SCENES

NORM_EPS_SETTING, SIZE_SETTINGS = "model.norm_eps", ("inference.image_size", "inference.max_image_size")
# Settings that weights are trained with, and all of the anchors.
TRAINED_WITH = (*SHAPE_SETTINGS, NORM_EPS_SETTING, "model.head_groups", *SIZE_SETTINGS)
TRAINED_ON = "trained_on"  # the key of the text in `Weights.trained_on`
ASSUMED = "assumed"  # the key of the paths in `Weights.assumed`
OWN = frozenset(("class_names", "category_ids", "norm_eps"))  # keys of which others' metadata have none
MAX_NAME = 100  # characters of a class name in a file


class Metadata(NamedTuple):
    """The validated metadata of a weights file.

    Attributes:
        class_names: One per class, K.
        category_ids: The category of each class in COCO results, K.
        settings: The settings it was trained with that its use requires, by path.
        trained_on: As in `Weights`.
        assumed: As in `Weights`.
    """

    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    settings: dict[str, Any]
    trained_on: str
    assumed: tuple[str, ...]


def is_described(metadata: Mapping[str, str]) -> bool:
    """True if metadata describe weights as `build_metadata` does, well or not; others store a "config", too."""
    return "config" in metadata and bool(OWN & metadata.keys())


def build_metadata(
    config: Config,
    class_names: Sequence[str],
    category_ids: Sequence[int],
    norm_eps: float,
    trained_on: str = "",
    assumed: Sequence[str] = (),
) -> dict[str, str]:
    """Returns the metadata to store in a file, as text by key; the path of the initial weights is not part of it.

    Args:
        config: The settings it was trained with.
        class_names: One per class, K.
        category_ids: The category of each class in COCO results, K.
        norm_eps: ε of the network's batch norms, which training may have changed.
        trained_on: As in `Weights`.
        assumed: As in `Weights`; a copy of a file does not turn what was assumed into a fact.
    """
    origin = Path(config.model.weights).name  # the file may be shared, so it must not reveal local paths
    return {
        "config": config.replace({"model.weights": origin, NORM_EPS_SETTING: norm_eps}).to_json(),
        "class_names": json.dumps(list(class_names)),
        "category_ids": json.dumps(list(category_ids)),
        "norm_eps": repr(norm_eps),  # which older files have here alone
        **({TRAINED_ON: trained_on} if trained_on else {}),
        **({ASSUMED: json.dumps(list(assumed))} if assumed else {}),
    }


def read_metadata(metadata: Mapping[str, str], architecture: Architecture, *, name: str) -> Metadata:
    """Parses metadata from `build_metadata` and checks them against the architecture of the tensors.

    Args:
        metadata: Text by key; not trusted.
        architecture: The architecture of the tensors.
        name: Name of the file in the error message.

    Raises:
        WeightsError: The metadata are damaged or do not belong to this architecture.
    """
    try:
        config = Config.from_json(metadata["config"])
        class_names = json.loads(metadata["class_names"])
        category_ids = json.loads(metadata["category_ids"])
        norm_eps = float(metadata["norm_eps"])
    except (ConfigError, KeyError, ValueError, RecursionError) as error:
        raise _metadata_error(name, f"its settings, class names or ε cannot be read: {error}") from None
    if not isinstance(class_names, list) or not all(is_text(each) and each for each in class_names):
        raise _metadata_error(name, "its class names are not a list of names")
    if len(class_names) != architecture.num_classes or any(len(each) > MAX_NAME for each in class_names):
        raise _metadata_error(
            name, f"there are not {architecture.num_classes} class names of at most {MAX_NAME} characters"
        )
    if not isinstance(category_ids, list) or [type(each) for each in category_ids] != [int] * len(class_names):
        raise _metadata_error(name, f"its category numbers are not {len(class_names)} whole numbers")
    if not (math.isfinite(norm_eps) and 0 <= norm_eps < 1):
        raise _metadata_error(name, f"{norm_eps} is not an ε of batch norms")
    if config.anchors.per_location != architecture.anchors_per_location:
        counts = f"{config.anchors.per_location} anchors per location, not {architecture.anchors_per_location}"
        raise _metadata_error(name, counts)
    settings = {**config.to_flat(), NORM_EPS_SETTING: norm_eps}
    for path, needed in architecture.settings.items():
        if settings[path] != needed:
            raise _metadata_error(name, f"{path} = {settings[path]} where the tensors have {needed}")
    required = {path: settings[path] for path in settings if path.startswith("anchors.") or path in TRAINED_WITH}
    assumed = _read_assumed(metadata, (*required, CLASSES))
    return Metadata(tuple(class_names), tuple(category_ids), required, _read_trained_on(metadata), assumed)


def _read_assumed(metadata: Mapping[str, str], known: Sequence[str]) -> tuple[str, ...]:
    """Returns the known paths that the metadata list as assumed; empty if they list none."""
    try:
        paths = json.loads(metadata.get(ASSUMED, "[]"))
    except (ValueError, RecursionError):
        return ()
    return tuple(path for path in known if isinstance(paths, list) and path in paths)


def _read_trained_on(metadata: Mapping[str, str]) -> str:
    """Returns what the weights were trained on, "" where a file does not say it, as older ones."""
    text = metadata.get(TRAINED_ON, "")
    allowed = text in (ON_SCENES, ON_COCO) or text.startswith(ON_DATA_SET)
    return text if allowed and text.isprintable() and len(text) <= MAX_NAME else ""


def _metadata_error(name: str, reason: str) -> WeightsError:
    return WeightsError(f"The metadata of the weights in {name} do not fit them: {reason}. Save them again.")
