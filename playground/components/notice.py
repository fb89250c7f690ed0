"""A notice to the visitor that something could not be done; plain text, announced by screen readers."""

import gradio as gr

from playground.support.scripts import read_scripts

SCRIPT = (
    read_scripts("components/block.js")
    + """
const banner = element.querySelector(".notice");
const say = (text) => { banner.textContent = text || ""; banner.hidden = !text; markEmpty(!text); };
const show = live.part(props.part, say, () => props.value);
watch("value", show);
show();
"""
)


def notice() -> gr.HTML:
    """Builds the component, empty; its value is a sentence, or "" to hide it."""
    return gr.HTML(
        "",
        part="notice",
        html_template='<div class="notice" role="alert" hidden></div>',
        js_on_load=SCRIPT,
        apply_default_css=False,
        elem_id="part-notice",
    )
