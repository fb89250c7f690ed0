"""A search field that filters the knobs by name and help text, entirely in the browser."""

import gradio as gr

from playground.support.scripts import read_scripts

SCRIPT = read_scripts("components/knob_search.js")


def search() -> gr.HTML:
    """Builds the search field; it is visible while all knobs are."""
    template = '<div class="search"><input type="search" aria-label="Find a knob" placeholder="Find a knob …"></div>'
    return gr.HTML(
        "", html_template=template, js_on_load=SCRIPT, apply_default_css=False, elem_classes=["search-block"]
    )
