"""One sentence to the visitor when something could not be done; text only, announced by screen readers."""

import gradio as gr

SCRIPT = """
const banner = element.querySelector(".notice");
const show = () => { banner.textContent = props.value || ""; banner.hidden = !props.value; };
watch("value", show);
show();
"""


def notice() -> gr.HTML:
    """Builds the component, empty; its value is a sentence or ""."""
    return gr.HTML(
        "", html_template='<div class="notice" role="alert" hidden></div>', js_on_load=SCRIPT, apply_default_css=False
    )
