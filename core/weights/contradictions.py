"""Settings that contradict weights: those of another network, and others than the weights were trained with."""

import math
from collections.abc import Mapping
from typing import Any

from core.config import Config, format_value
from core.weights.architecture import SHAPE_SETTINGS, WeightsError
from core.weights.metadata import SIZE_SETTINGS
from core.weights.weights import Weights

SAME = 2e-3  # relative; two decimals of a scale, as in 1.26 for 2^(1/3), shift no anchor by more


def refuse_other_network(values: Mapping[str, Any], weights: Weights) -> None:
    """Raises `WeightsError` at the first of the settings, by path, with which the tensors do not fit the network."""
    for path in SHAPE_SETTINGS:
        needed = weights.settings.get(path)
        if path in weights.settings and path not in weights.assumed and values.get(path, needed) != needed:
            raise WeightsError(
                f"{path} = {values[path]} contradicts the weights {weights.name}, which need {needed}: "
                f"set {path} to {needed} or choose other weights."
            )


def refuse_other_anchor_count(config: Config, weights: Weights) -> None:
    """Raises `WeightsError` for another number of anchors per location than that of the tensors."""
    if weights.architecture and config.anchors.per_location != weights.architecture.anchors_per_location:
        anchors, needed = config.anchors, weights.architecture.anchors_per_location
        raise WeightsError(
            f"anchors.scales × anchors.ratios = {len(anchors.scales)} × {len(anchors.ratios)} = {anchors.per_location} "
            f"anchors per location contradicts the weights {weights.name}, which need {needed}: "
            f"choose {needed} in all, or other weights."
        )


def refuse_other_training(values: Mapping[str, Any], weights: Weights) -> None:
    """Raises `WeightsError` for settings, by path, under which what the weights have learnt would be misread."""
    found = [path for path in find_differences(values, weights) if path not in SIZE_SETTINGS]
    if found:
        given = ", ".join(f"{path} = {format_value(values[path])}" for path in found)
        trained = ", ".join(f"{path} = {format_value(weights.settings[path])}" for path in found)
        contradicts, that = ("contradicts", "that value") if len(found) == 1 else ("contradict", "those values")
        new_heads = ", or train new heads (model.heads = new)" if weights.architecture else ""
        raise WeightsError(
            f"{given} {contradicts} the weights {weights.name}, which were trained with {trained}: use {that}, or "
            f"choose other weights{new_heads}."
        )


def find_differences(values: Mapping[str, Any], weights: Weights) -> tuple[str, ...]:
    """Returns the paths of settings that differ from those that the weights are known to have been trained with.

    The network's own settings are not among them.
    """
    sizes = {path: weights.settings[path] for path in SIZE_SETTINGS if path in weights.settings}
    trained = {**trained_settings(weights), **sizes}
    return tuple(
        path
        for path, value in trained.items()
        if path not in weights.assumed and not is_same(values.get(path, value), value)
    )


def trained_settings(weights: Weights) -> dict[str, Any]:
    """Returns the settings, by path, under which the weights are known to have learnt what they have.

    Those of the network are not among them, nor the anchors if the weights have no heads.
    """
    others = (*SHAPE_SETTINGS, *SIZE_SETTINGS, *weights.assumed)
    known = {path: value for path, value in weights.settings.items() if path not in others}
    return known if weights.architecture else {path: known[path] for path in known if not path.startswith("anchors.")}


def is_same(one: Any, other: Any) -> bool:
    """True for values of a setting that are equal or, as fractions, nearly so."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=SAME)
    return bool(one == other)
