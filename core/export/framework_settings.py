"""Conversions that the exports to torchvision, detectron2 and mmdetection share, and the settings that these lack.

Every setting that acts is exported or named in a comment, except those at defaults that a framework does not have
either; one counts as exported only if another value of it would change what is exported. Those that do not act beside
the others (`Knob.acts`) are left out, or have their defaults where a framework needs a value (`reset_idle`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from core.config import Config, Knob, format_value, knobs

BASIC_WIDTHS = {18: (64, 128, 256, 512), 34: (64, 128, 256, 512)}  # channels of C2 … C5
BOTTLENECK_WIDTHS = (256, 512, 1024, 2048)
LOSS_KINDS = ("focal", "balanced_cross_entropy", "cross_entropy")  # supported by all frameworks
WEIGHTS, HEADS = "model.weights", "model.heads"

# Settings of this library's own work, named when they differ from their default: rendered data, evaluation, speed, and
# which part of the weights is used, which are named themselves.
_OWN = ("scenes.", "training.eval_images", "training.cache_features", HEADS)


class Framework(NamedTuple):
    """A framework to which settings are exported.

    Attributes:
        name: Its name.
        build: Returns what is exported of the settings, comparable by value.
        supported: Settings that are not exported, or not all their values, by path, with the values that behave in the
            framework as here.
        ignored: Beginnings of paths of settings that are named only when they differ from their default.
    """

    name: str
    build: Callable[[Config], Any]
    supported: Mapping[str, tuple[object, ...]]
    ignored: tuple[str, ...] = ()


def get_focal_parameters(config: Config) -> tuple[float, float]:
    """Returns α and γ of the focal loss that equals the chosen loss; all frameworks read α = −1 as no weighting.

    The result for kinds that no framework supports is what they build on: focal loss for Poly-1 focal, balanced
    cross-entropy for cutoff, cross-entropy for the others.
    """
    loss = config.loss
    if loss.kind in ("focal", "poly1_focal"):
        return loss.alpha, loss.gamma
    return (loss.alpha if loss.kind in ("balanced_cross_entropy", "cutoff") else -1.0), 0.0


def acts(config: Config, path: str) -> bool:
    """Returns whether a setting acts beside the others."""
    return knobs()[path].acts(config)


def reset_idle(config: Config) -> Config:
    """Returns the settings with the default of each one that does not act; the same ones act."""
    values: dict[str, dict[str, Any]] = {}
    for path, knob in knobs().items():
        if not acts(config, path):
            values.setdefault(knob.section, {})[knob.name] = knob.default
    sections = {name: getattr(config, name).model_copy(update=changed) for name, changed in values.items()}
    return config.model_copy(update=sections)


def format_missing(config: Config, framework: Framework) -> str:
    """Returns comment lines that name the settings without a counterpart in a framework, "" if there are none."""
    values = config.to_flat()
    missing = list(find_missing(config, framework))
    if not missing:
        return ""
    shown = {**values, WEIGHTS: Path(values[WEIGHTS]).name}  # a path of this machine is of no use elsewhere
    lines = [f"#   {path} = {format_value(shown[path])} ({knobs()[path].label})" for path in missing]
    return "\n".join([f"# These settings have no counterpart in {framework.name}:", *lines]) + "\n\n"


def find_missing(config: Config, framework: Framework) -> Iterator[str]:
    """Yields the paths of all settings that act, are not exported, and in which the framework may differ.

    One of `ignored` counts when it differs from its default.
    """
    exported = framework.build(config)
    ignored = (*_OWN, *framework.ignored)
    for path, value in config.to_flat().items():
        knob = knobs()[path]
        if not acts(config, path):
            continue
        if path in framework.supported:
            if value not in framework.supported[path]:
                yield path
        elif any(framework.build(other) != exported for other in _change(config, knob)):
            continue
        elif value != knob.default or not path.startswith(ignored):
            yield path


def _change(config: Config, knob: Knob) -> Iterator[Config]:
    """Yields the settings with other values of one of them, unchecked."""
    section = getattr(config, knob.section)
    value = getattr(section, knob.name)
    for other in _other_values(knob, value):
        changed = section.model_copy(update={knob.name: other})
        yield config.model_copy(update={knob.section: changed})


def _other_values(knob: Knob, value: Any) -> Iterable[Any]:
    if knob.kind == "bool":
        return (not value,)
    if knob.kind == "choice":
        return (choice for choice in knob.choices if choice != value)
    if knob.kind == "text":
        return (f"another {value}",)
    if knob.kind == "list":
        return ((knob.le,), (knob.ge, knob.le))
    return (bound for bound in (knob.ge, knob.le) if bound != value)
