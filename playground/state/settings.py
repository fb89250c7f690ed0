"""Hyperparameter → widget, and widgets ↔ settings: all made from the declarations in `core.config`."""

import json
from functools import lru_cache
from typing import Any

from core.config import MAX_TEXT, Config, ConfigError, Knob, format_value, knobs

LONGEST = 24  # characters of a value; a file's name says most at its end


def to_widget(knob: Knob, value: Any) -> Any:
    """Returns a setting's value as its widget holds it."""
    return list(value) if knob.kind == "list" else value


@lru_cache(maxsize=64)  # each answer asks several times
def config_of(settings: str) -> Config:
    """Reads the settings off the text that the page keeps of its widgets' values (`settings_of`).

    Raises:
        core.config.ConfigError: A value is not allowed.
    """
    if len(settings) > MAX_TEXT:
        raise ConfigError(f"The settings are {len(settings):,} characters long; at most {MAX_TEXT:,} are read.")
    try:
        values = json.loads(settings or "{}")
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise ConfigError("The page has lost its settings: reload it.")
    return Config.from_flat(
        {path: tuple(value) if isinstance(value, list) else value for path, value in values.items()}
    )


def settings_of(config: Config) -> str:
    """Returns the values of all widgets as one text, which the page sends instead of each of them."""
    return json.dumps(dict(zip(knobs(), values_of(config), strict=True)))


def tell(path: str) -> str:
    """Returns the script with which a widget tells the page its new value."""
    return f"(value) => live.set({json.dumps(path)}, value)"


def values_of(config: Config) -> list[Any]:
    """Returns what the widgets show for settings, in declared order."""
    return [to_widget(knobs()[path], value) for path, value in config.to_flat().items()]


def value_text(knob: Knob, value: Any) -> str:
    """Returns a setting's value in words, with its unit."""
    text = f"{value:g}" if isinstance(value, float) else format_value(value).replace(",", ", ")
    if isinstance(value, tuple) and len(text) > LONGEST:
        text = ", ".join(f"{each:.4g}" for each in value)
    else:
        text = _shortened(text)
    return f"{text} {knob.unit}" if knob.unit else text


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"…{text[-LONGEST:]}"
