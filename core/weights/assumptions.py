"""What is assumed of weights whose file holds tensors alone: what torchvision's RetinaNet has."""

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torchvision.models.detection import RetinaNet_ResNet50_FPN_Weights

from core.config import Config, ConfigError, Model, format_value
from core.io.text import join_names
from core.retinanet.backbone import NORM_EPS
from core.retinanet.heads import norm_groups
from core.weights.architecture import Architecture
from core.weights.contradictions import find_differences, is_same
from core.weights.weights import BACKGROUND_FIRST, CLASSES, Weights

TORCHVISION_SETTINGS: Mapping[str, Any] = {
    **{f"anchors.size_p{level}": 4.0 * 2**level for level in range(3, 8)},
    "anchors.scales": (1.0, 2 ** (1 / 3), 2 ** (2 / 3)),
    "anchors.ratios": (0.5, 1.0, 2.0),
    "anchors.convention": "torchvision",
    "inference.image_size": 800,
    "inference.max_image_size": 1333,
}
SHAPES, PER_LOCATION = ("anchors.scales", "anchors.ratios"), 9  # that torchvision's have at a location
COCO_CLASSES = tuple(RetinaNet_ResNet50_FPN_Weights.COCO_V1.meta["categories"])
LINE = 100  # characters of a line of settings
REMARKS = {  # what a person may want to know to state a setting
    "model.norm_eps": "torchvision's COCO_V1 weights, and networks trained from them with frozen batch norms, need 0",
    "model.p6_source": "the tensors fit both",
}


def assume_settings(architecture: Architecture) -> dict[str, Any]:
    """Returns the settings, by path, that are assumed of a network of this architecture."""
    settings = {**TORCHVISION_SETTINGS, "model.norm_eps": NORM_EPS}
    if architecture.anchors_per_location != PER_LOCATION:  # other scales and ratios, which have to be stated
        settings = {path: value for path, value in settings.items() if path not in SHAPES}
    if architecture.head_norm == "group":
        settings["model.head_groups"] = norm_groups(Model(fpn_channels=architecture.fpn_channels))
    if architecture.p6_source is None:
        settings["model.p6_source"] = "p5"  # as torchvision decides if the shapes do not
    return settings


def assume_class_names(num_classes: int) -> tuple[str, ...]:
    """Returns the class names that are assumed: COCO's if there are as many as torchvision's."""
    return COCO_CLASSES if num_classes == len(COCO_CLASSES) else number_classes(num_classes)


def _suggest_background(class_names: Sequence[str], count: int) -> str:
    """Returns a hint for weights with one nameless class more than `count`, maybe the background; "" for others."""
    is_nameless = tuple(class_names) == number_classes(count + 1)
    return BACKGROUND_FIRST if is_nameless else ""


def describe_names(source: str, class_names: Sequence[str]) -> str:
    """Returns a sentence on the class names of weights, which come from a file or a flag."""
    return f"The class names come from {source}: {join_names(class_names)}."


def describe_unused_names(source: str, class_names: Sequence[str], num_classes: int) -> str:
    """Returns a sentence on the class names in a file whose network has another number of classes."""
    return (
        f"The class names in {source} ({join_names(class_names)}) do not fit the network's number of classes, "
        f"{num_classes}, and are not used."
    )


def number_classes(num_classes: int) -> tuple[str, ...]:
    """Returns the names "class 0", "class 1" and so on of classes that a file does not name."""
    return tuple(f"class {label}" for label in range(num_classes))


def state_settings(weights: Weights, config: Config, *, free: bool = False) -> Weights:
    """Returns weights of which the settings that a configuration states are no longer assumed.

    Args:
        weights: The weights.
        config: The settings; explicit ones are stated.
        free: True if all settings are explicit, as on the page: only those that differ from the assumed ones count.
    """
    stated = config.explicit_values()
    known = {path: stated[path] for path in weights.assumed if path in stated}
    if free:
        known = {path: value for path, value in known.items() if not is_same(value, weights.settings[path])}
    # Of scales and ratios that `assume_settings` left to be stated, those that are not keep torchvision's values.
    unstated = SHAPES if weights.assumed and not weights.settings.keys() & SHAPES else ()
    rest = {path: TORCHVISION_SETTINGS[path] for path in unstated if path not in stated}
    assumed = tuple(path for path in (*rest, *weights.assumed) if path not in known)
    return weights._replace(settings={**rest, **weights.settings, **known}, assumed=assumed)


def state_class_names(weights: Weights, names: Sequence[str]) -> Weights:
    """Returns weights with these class names, if their file does not name the classes.

    Raises:
        ConfigError: There is another number of classes, or the file names them otherwise.
    """
    if len(names) != len(weights.class_names):
        hint = _suggest_background(weights.class_names, len(names))
        raise ConfigError(
            f"--{CLASSES} names {len(names)} classes, but the weights {weights.name} have {len(weights.class_names)}."
            f"{hint and ' '}{hint}"
        )
    if CLASSES not in weights.assumed and tuple(names) != weights.class_names:
        raise ConfigError(
            f"--{CLASSES} contradicts the weights {weights.name}, which have the classes "
            f"{join_names(weights.class_names)}: omit it."
        )
    if CLASSES not in weights.assumed:
        return weights
    assumed = tuple(path for path in weights.assumed if path != CLASSES)
    notes = (*weights.notes, describe_names(f"--{CLASSES}", names))
    return weights._replace(class_names=tuple(names), assumed=assumed, notes=notes)


def suggest_class_names(weights: Weights, names: Sequence[str]) -> Weights:
    """Returns weights with these class names, which are assumed, if there are as many nameless classes."""
    nameless = CLASSES in weights.assumed and weights.class_names == number_classes(len(names))
    return weights._replace(class_names=tuple(names)) if nameless else weights


def assumed_values(weights: Weights) -> dict[str, Any]:
    """Returns what is assumed of weights, by path, and the class names under `CLASSES`."""
    values = {**weights.settings, CLASSES: weights.class_names}
    return {path: values[path] for path in weights.assumed}


def describe_weights(
    weights: Weights, config: Config, label: Callable[[str], str] = "--{}".format, *, listed: bool = True
) -> tuple[str, ...]:
    """Returns sentences on what was found and assumed of weights, and on settings other than those of their training.

    Args:
        weights: The weights.
        config: Settings from `adopt`.
        label: Returns the name of a setting, by path, under which people can change it.
        listed: Whether the sentences list the assumed settings, which are otherwise shown beside them.
    """
    return (
        *weights.notes,
        *_describe_assumptions(weights, label, listed=listed),
        *describe_differences(weights, config, label),
    )


def to_record(weights: Weights, config: Config, new_classes: Sequence[str] = ()) -> dict[str, Any]:
    """Returns, for JSON, what is assumed of weights, by path, and sentences for people.

    Args:
        weights: The weights.
        config: Settings from `adopt`.
        new_classes: The classes that the weights are trained on, if they are.
    """
    notes = [*describe_weights(weights, config)]
    if new_classes and weights.architecture and tuple(new_classes) != weights.class_names:
        notes.append(f"The classes are not those of {weights.name}: the last class layer starts anew.")
    return {"assumed": assumed_values(weights), "notes": notes}


def _describe_assumptions(weights: Weights, label: Callable[[str], str], *, listed: bool) -> list[str]:
    """Returns sentences on what is assumed, each with the names of the settings that change it."""
    values = assumed_values(weights)
    names = values.pop(CLASSES, ())
    sentences = []
    if values:
        items = _fill(f"{label(path)} {format_value(value)}" for path, value in values.items())
        middle = f":\n{items}.\n  Override " if listed else "; override "
        sentences.append(
            f"{weights.name} does not say with which settings it was trained. Those of torchvision are assumed"
            f"{middle}any that are wrong."
        )
        sentences += [f"{label(path)}: {remark}." for path, remark in REMARKS.items() if path in values]
    if names:
        kind = "those of the data set are assumed, in its order"
        if names in (COCO_CLASSES, number_classes(len(names))):
            kind = "those of COCO are assumed" if names == COCO_CLASSES else "they are numbered from 0"
        sentences.append(
            f"{weights.name} does not name its {len(names)} classes: {kind} ({join_names(names)}). On the command "
            f"line, --{CLASSES} names them; export writes them to a file."
        )
    return sentences


def describe_differences(weights: Weights, config: Config, label: Callable[[str], str]) -> list[str]:
    """Returns sentences on the settings that differ from those the weights are known to have been trained with."""
    values = config.to_flat()
    return [
        f"{label(path)} is {format_value(values[path])}, but {weights.name} was trained with "
        f"{format_value(weights.settings[path])}."
        for path in find_differences(values, weights)
    ]


def _fill(items: Iterable[str]) -> str:
    """Returns items, which may contain spaces, as indented lines, each item on one of them."""
    text = ", ".join(item.replace(" ", "\xa0") for item in items)
    lines = textwrap.wrap(text, LINE - 2, break_long_words=False, break_on_hyphens=False)
    return textwrap.indent("\n".join(lines), "  ").replace("\xa0", " ")
