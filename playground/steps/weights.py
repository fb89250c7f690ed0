"""What the chosen weights were trained with, in words."""

from pathlib import Path

from markupsafe import Markup

from core.config import Config, knobs
from core.weights.assumptions import describe_differences, describe_weights, state_settings
from core.weights.sources import Weights, WeightsError
from playground.components import html
from playground.pipeline.networks import config_weights


def paragraphs(config: Config) -> Markup:
    """Returns what the weights were trained with, what is assumed of them, and what is set otherwise.

    Raises:
        WeightsError: The weights are not available.
    """
    return html.join(map(html.paragraph, (*_trained_with(_weights(config)), *describe(config))))


def describe(config: Config) -> tuple[str, ...]:
    """Returns sentences on what is assumed of the weights, and on what is set otherwise than in their training.

    Raises:
        WeightsError: The weights are not available.
    """
    return describe_weights(_weights(config), config, _label)


def differences(config: Config) -> Markup:
    """Returns what is set otherwise than in the weights' training; nothing if the weights are not available."""
    try:
        sentences = describe_differences(_weights(config), config, _label)
    except WeightsError:
        return Markup()
    return html.join(map(html.paragraph, sentences))


def _label(path: str) -> str:
    return knobs()[path].label


def _weights(config: Config) -> Weights:
    """Returns the weights under a name for people; what the visitor has set otherwise is not assumed any more."""
    weights = state_settings(config_weights(config), config, free=True)
    return weights._replace(name=Path(weights.name).name)


def _trained_with(weights: Weights) -> list[str]:
    """Returns a sentence on the anchors and pictures of the weights' training, none for weights without heads."""
    values = weights.settings
    if weights.architecture is None or weights.assumed:
        return []
    low, high = values["anchors.size_p3"], values["anchors.size_p7"]
    scales, ratios = (", ".join(f"{each:.3g}" for each in values[f"anchors.{name}"]) for name in ("scales", "ratios"))
    return [
        f"{weights.name} was trained with anchors of {low:g}–{high:g} px (scales {scales}; ratios {ratios}; arithmetic "
        f"{values['anchors.convention']}) on pictures of {values['inference.image_size']} px."
    ]
