"""The bar above the picture: where it comes from, which of how many it is, and the way to the next.

Choosing fires `select` with {"source", "split", "index"}; the arrows fire it with {"turn": ±1}, which leads through the
pictures of a choice where there is one, else through the data set.
"""

from pathlib import Path

import gradio as gr

SCRIPT = (Path(__file__).parent / "source_bar.js").read_text("utf-8")


def source_bar() -> gr.HTML:
    """Builds the component, empty; its value is made by `value`."""
    return gr.HTML(
        "",
        part="bar",
        html_template='<div class="source-bar" role="group" aria-label="Where the picture comes from"></div>',
        js_on_load=SCRIPT,
        apply_default_css=False,
    )
