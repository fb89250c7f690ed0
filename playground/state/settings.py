"""Hyperparameter → widget, and widgets ↔ settings: all made from the declarations in `core.config`."""

import json
from functools import lru_cache
from typing import Any

import gradio as gr

from core.config import MAX_TEXT, Config, ConfigError, Knob, knobs


def make_widget(knob: Knob, value: Any) -> gr.components.Component:
    """Returns the widget of a hyperparameter: slider, dropdown, checkbox or number."""
    common = {
        "label": knob.label + (f" ({knob.unit})" if knob.unit else ""),
        "info": knob.help,
        "elem_id": element_id(knob.path),
        "elem_classes": ["knob"],
        "interactive": True,
    }
    value = to_widget(knob, value)
    match knob.kind:
        case "bool":
            return gr.Checkbox(value, **common)
        case "choice":
            return gr.Dropdown(
                [(str(choice).replace("_", " "), choice) for choice in knob.choices], value=value, **common
            )
        case "text":
            return gr.Dropdown(list(knob.options), value=value, allow_custom_value=True, **common)
        case "list":
            choices = [(_short(option), option) for option in knob.options]
            return gr.Dropdown(choices, value=value, multiselect=True, allow_custom_value=True, **common)
    if knob.options:
        choices = [(_short(option), option) for option in knob.options]
        return gr.Dropdown(choices, value=value, allow_custom_value=True, **common)
    if knob.step is None:
        return gr.Number(value, precision=0 if knob.kind == "int" else None, minimum=knob.ge, maximum=knob.le, **common)
    return gr.Slider(knob.ge, knob.le, value=value, step=knob.step, **common)


def element_id(path: str) -> str:
    """Returns the id of a hyperparameter's element on the page."""
    return "knob-" + path.replace(".", "-").replace("_", "-")


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


def _short(value: Any) -> str:
    return f"{value:g}" if value >= 0.001 or value == 0 else f"{value:.0e}"
