"""Finding a knob among all of them, by its name or a word of its help; it happens in the browser alone."""

from pathlib import Path

import gradio as gr

SCRIPT = (Path(__file__).parent / "knob_search.js").read_text("utf-8")


def search() -> gr.HTML:
    """Builds the field; it shows with all knobs."""
    template = '<div class="search"><input type="search" aria-label="Find a knob" placeholder="Find a knob …"></div>'
    return gr.HTML("", html_template=template, js_on_load=SCRIPT, apply_default_css=False)
