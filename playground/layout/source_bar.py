"""The bar above the picture: its source, its index, and buttons for the previous and the next picture.

Choosing fires `select` with {"source", "split", "index"}; the buttons fire it with {"turn": ±1}, which moves through
the chosen pictures of an evaluation if there are any, else through the data set.
"""

import gradio as gr

from playground.support.scripts import read_scripts

SCRIPT = read_scripts("layout/source_bar.js")


def source_bar() -> gr.HTML:
    """Builds the component, empty; `playground.data.browse.build_bar` returns its values."""
    return gr.HTML(
        "",
        part="bar",
        html_template='<div class="source-bar" role="group" aria-label="Where the picture comes from"></div>',
        js_on_load=SCRIPT,
        apply_default_css=False,
        elem_classes=["source-block"],
    )
