"""What the chosen weights were trained with, in words."""

from markupsafe import Markup

from core.config import Config, knobs
from core.io.text import count_noun, typeset_numbers
from core.weights.assumptions import assumed_values, describe_differences, describe_weights, state_settings
from core.weights.sources import Weights, WeightsError
from core.weights.weights import CLASSES
from playground.components import html
from playground.pipeline.networks import config_weights, name_weights


def paragraphs(config: Config) -> Markup:
    """Returns what the weights were trained with, what is assumed of them, and what is set otherwise.

    Raises:
        WeightsError: The weights are not available.
    """
    weights = _weights(config)
    return html.join(map(html.paragraph, (*_trained_with(weights), *describe(config)))) + _build_assumed(weights)


def describe(config: Config) -> tuple[str, ...]:
    """Returns sentences on what is assumed of the weights, and on what is set otherwise than in their training.

    Raises:
        WeightsError: The weights are not available.
    """
    return describe_weights(_weights(config), config, _label, listed=False)


def differences(config: Config) -> Markup:
    """Returns what is set otherwise than in the weights' training; nothing if the weights are not available."""
    try:
        sentences = describe_differences(_weights(config), config, _label)
    except WeightsError:
        return Markup()
    return html.join(map(html.paragraph, sentences))


def _build_assumed(weights: Weights) -> Markup:
    """Returns the settings that are assumed, folded; nothing if there are none."""
    rows = tuple(
        (_label(path), _format_short(value)) for path, value in assumed_values(weights).items() if path != CLASSES
    )
    table = html.table(html.Table("", ("setting", "assumed value"), rows))
    return html.details(f"{count_noun(len(rows), 'assumed setting')}", table) if rows else Markup()


def _format_short(value: object) -> str:
    """Returns a value with at most four digits of each number."""
    if isinstance(value, tuple):
        return ", ".join(map(_format_short, value))
    return typeset_numbers(f"{value:.4g}") if isinstance(value, float) else str(value)


def _label(path: str) -> str:
    return knobs()[path].label


def _weights(config: Config) -> Weights:
    """Returns the weights under a name for people; what the visitor has set otherwise is not assumed any more."""
    weights = state_settings(config_weights(config), config, free=True)
    return weights._replace(name=name_weights(weights.name))


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
