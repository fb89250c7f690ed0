"""The widgets of the hyperparameters, made from their declarations in `core.config`."""

from typing import Any, TypedDict

import gradio as gr

from core.config import Knob
from core.io.text import typeset_numbers
from playground.state.settings import to_widget
from playground.support.wording import name_choice

KnobWidget = gr.Slider | gr.Dropdown | gr.Checkbox | gr.Number


class _Common(TypedDict):
    """Arguments that the widgets of all knobs share."""

    label: str
    info: str
    elem_id: str
    elem_classes: list[str]
    interactive: bool


def make_widget(knob: Knob, value: Any) -> KnobWidget:
    """Returns the widget of a hyperparameter: slider, dropdown, checkbox or number."""
    common: _Common = {
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
            return gr.Dropdown([(name_choice(choice), choice) for choice in knob.choices], value=value, **common)
        case "text":
            return gr.Dropdown(list(knob.options), value=value, allow_custom_value=True, **common)
        case "list":
            choices = [(_short(option), option) for option in knob.options]
            return gr.Dropdown(choices, value=value, multiselect=True, allow_custom_value=True, **common)
    if knob.options:
        choices = [(_short(option), option) for option in knob.options]
        return gr.Dropdown(choices, value=value, allow_custom_value=True, **common)
    if knob.step is None or knob.ge is None or knob.le is None:
        return gr.Number(value, precision=0 if knob.kind == "int" else None, minimum=knob.ge, maximum=knob.le, **common)
    return gr.Slider(knob.ge, knob.le, value=value, step=knob.step, **common)


def element_id(path: str) -> str:
    """Returns the id of a hyperparameter's element on the page."""
    return "knob-" + path.replace(".", "-").replace("_", "-")


def _short(value: Any) -> str:
    return f"{value:g}" if value >= 0.001 or value == 0 else typeset_numbers(f"{value:.0e}")
