"""Dials: sliders, lists and buttons beside a figure; they stay where they are while everything else is redrawn."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import gradio as gr

from playground.support.scripts import read_scripts

SCRIPT = read_scripts("components/block.js", "components/button.js", "components/dials.js")
SLIDER, CHOICE, BUTTON = "slider", "choice", "button"


class Dial(NamedTuple):
    """A dial.

    Attributes:
        name: Its name, to which the page sends its value.
        label: Its visible name.
        kind: `SLIDER`, `CHOICE` or `BUTTON`.
        value: Its value; for a button, the value that a click sends.
        low: Lowest value of a slider.
        high: Highest value of a slider.
        step: Step of a slider.
        choices: (label, value) of the entries of a list.
        part: Position in a value of several numbers, separated by commas, that the slider changes; −1 for the whole.
        whole: That value.
    """

    name: str
    label: str
    kind: str
    value: str
    low: float = 0
    high: float = 1
    step: float = 1
    choices: tuple[tuple[str, str], ...] = ()
    part: int = -1
    whole: str = ""


def dials(part: str) -> gr.HTML:
    """Builds the component, empty; its value is what `pack` returns.

    Args:
        part: Its name among the parts of the page, see `playground.layout.page_update.PageUpdate`.
    """
    return gr.HTML(
        "",
        part=part,
        html_template='<div class="dials" role="group" aria-label="Dials of the figure" hidden></div>',
        js_on_load=SCRIPT,
        apply_default_css=False,
        padding=False,
        elem_id=f"part-{part}",
    )


def pack(content: Sequence[Dial]) -> str:
    """Returns the value of the component for some dials, "" for none."""
    # Gradio logs a warning about a "<script>" in a value, such as a class of that name.
    return json.dumps([each._asdict() for each in content]).replace("<", "\\u003c") if content else ""
