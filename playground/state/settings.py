"""The settings of the page: values of all knobs as one text, to and from a `Config`."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from core.config import MAX_TEXT, Config, ConfigError, Knob, format_value, knobs
from core.io.text import typeset_numbers
from playground.state.weight_names import with_keys
from playground.support.wording import name_value

CHANGED = "changed"  # beside the paths in a text of the settings: those that an event has changed
MAX_VALUE = 24  # characters of a value


def to_widget(knob: Knob, value: Any) -> Any:
    """Returns the value of a knob as its widget holds it."""
    return list(value) if knob.kind == "list" else value


@lru_cache(maxsize=512)  # some 10 KB each; every answer reads the same settings several times
def config_of(settings: str) -> Config:
    """Parses the text of `settings_of`.

    Raises:
        core.config.ConfigError: A value is not allowed.
    """
    if len(settings) > MAX_TEXT:
        raise ConfigError(f"The settings are {len(settings):,} characters long; at most {MAX_TEXT:,} are read.")
    values = _read(settings)
    if values is None:
        raise ConfigError("The page has lost its settings: reload it.")
    return Config.from_flat(
        {path: tuple(value) if isinstance(value, list) else value for path, value in values.items() if path != CHANGED}
    )


def _read(settings: str) -> dict[str, Any] | None:
    """Returns the values in a text of `settings_of`, None if it is none, or too long to be read."""
    try:
        values = json.loads(settings or "{}") if len(settings) <= MAX_TEXT else None
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def settings_of(config: Config) -> str:
    """Returns the values of all knobs as JSON, which the page sends instead of each of them."""
    return json.dumps(dict(zip(knobs(), values_of(config), strict=True)))


def list_changes(old: str, new: str) -> list[str]:
    """Returns the paths of the settings that differ between two texts of `settings_of`."""
    before, after = _read(old) or {}, _read(new) or {}
    return [path for path in knobs() if before.get(path) != after.get(path)]


def leave_out(settings: str, paths: Iterable[str]) -> str:
    """Returns the text without some settings, so that `list_changes` names them."""
    left_out, values = {CHANGED, *paths}, _read(settings)
    return settings if values is None else json.dumps({k: v for k, v in values.items() if k not in left_out})


def mark_changes(settings: str, changed: Sequence[str]) -> str:
    """Returns the text with the paths of those settings that the browser is to take from it, see `live.js`."""
    return json.dumps({**json.loads(settings), CHANGED: changed})


def on_change(path: str) -> str:
    """Returns the script that a widget runs when its value changes."""
    return f"(value) => live.set({json.dumps(path)}, value)"


def values_of(config: Config) -> list[Any]:
    """Returns the values of all widgets, in declared order; weights have a key instead of a path."""
    return [to_widget(knobs()[path], value) for path, value in with_keys(config).to_flat().items()]


def value_text(knob: Knob, value: Any) -> str:
    """Returns the value of a knob in words, with its unit."""
    if knob.kind in ("choice", "bool"):
        return name_value(knob, value)
    text = typeset_numbers(f"{value:g}") if isinstance(value, float) else format_value(value).replace(",", ", ")
    if isinstance(value, tuple) and len(text) > MAX_VALUE:
        text = ", ".join(f"{each:.4g}" for each in value)
    else:
        text = shorten(text)
    return f"{text} {knob.unit}" if knob.unit else text


def shorten(text: str) -> str:
    """Returns a text or its end, which says most in the name of a file."""
    return text if len(text) <= MAX_VALUE else f"…{text[-MAX_VALUE:]}"
