"""Help texts and notes of the knobs, and accessible names of their reset buttons."""

import json
from collections.abc import Mapping

import gradio as gr

from core.config import knobs
from playground.layout.knob_widgets import element_id
from playground.state.settings import value_text
from playground.support.scripts import read_scripts

SCRIPT = read_scripts("layout/knob_notes.js")


def knob_notes(others: Mapping[str, gr.Slider]) -> gr.HTML:
    """Builds the component, which shows nothing itself; its value is that of `playground.server.idle.build_idle`.

    Args:
        others: The sliders that are no knobs, by the id of their element.
    """
    resets = {element_id(path): (knob.label, value_text(knob, knob.default)) for path, knob in knobs().items()}
    resets |= {element: (str(slider.label), f"{slider.value:g}") for element, slider in others.items()}
    return gr.HTML(
        "",
        part="idle",
        names=json.dumps({element: f"Reset {label} to {value}" for element, (label, value) in resets.items()}),
        html_template="<i hidden></i>",
        js_on_load=SCRIPT,
        apply_default_css=False,
        elem_classes=["nothing"],
    )
