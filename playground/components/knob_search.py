"""A search field that filters the knobs by name and help text, entirely in the browser."""

from pathlib import Path

import gradio as gr

SCRIPT = (Path(__file__).parent / "knob_search.js").read_text("utf-8")


def search() -> gr.HTML:
    """Builds the search field; it is visible while all knobs are."""
    template = '<div class="search"><input type="search" aria-label="Find a knob" placeholder="Find a knob …"></div>'
    return gr.HTML("", html_template=template, js_on_load=SCRIPT, apply_default_css=False)
