"""Recipes: settings that were chosen together by measurement, for a kind of training task."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from core.config import Config


class Recipe(NamedTuple):
    """Settings for a kind of training task.

    Attributes:
        title: What it is for, in a few words.
        help: What it does, and what was measured with it.
        changes: The settings, by path. They suit any initial weights: sizes, anchors and heads are not among them.
    """

    title: str
    help: str
    changes: Mapping[str, Any]


FEW_PICTURES = "few-pictures"
MIN_HELD_OUT = 4  # pictures; the loss of fewer is too noisy to stop a run by
RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        FEW_PICTURES: Recipe(
            "a detector from a few pictures",
            "Many short steps of one picture each: with few pictures and little time, the number of steps counts most.",
            MappingProxyType(
                {
                    "training.batch_size": 1,
                    "training.steps": 120,
                    "training.eval_interval": 30,
                    "training.eval_images": 8,
                    "training.early_stopping": 2,
                }
            ),
        ),
    }
)


def apply_recipe(name: str, config: Config) -> Config:
    """Returns the settings with those of a recipe; the explicit ones stay.

    Args:
        name: A key of `RECIPES`.
        config: The settings.

    Raises:
        ConfigError: An explicit setting contradicts the recipe.
    """
    return config.replace({**RECIPES[name].changes, **config.explicit_values()})


def list_overridden(name: str, config: Config) -> dict[str, Any]:
    """Returns the values, by path, in which settings differ from a recipe."""
    values = config.to_flat()
    return {path: values[path] for path, value in RECIPES[name].changes.items() if values[path] != value}
