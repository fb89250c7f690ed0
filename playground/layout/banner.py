"""The banner above the picture: words, buttons that help, and the progress of a download.

A button fires `select` with {"action", "name"}, where the action is "weights" or "train"; weights that had to be
downloaded fire it once they are here, as "downloaded" with {"before"}, the weights in use when the button was pressed.
The button of the action "teach" opens My pictures.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from playground.support.scripts import read_scripts

SCRIPT = read_scripts("components/block.js", "layout/leaving.js", "layout/banner.js")


def banner(download: Callable[[object], dict[str, Any]]) -> gr.HTML:
    """Builds the component, empty; `playground.server.banner.build_banner` returns its values.

    Args:
        download: Starts, leaves or reads a download; takes a request of the browser, which is untrusted.
    """
    return gr.HTML(
        "",
        part="banner",
        html_template='<section class="banner" aria-label="What the weights know" hidden></section>',
        js_on_load=SCRIPT,
        apply_default_css=False,
        padding=False,
        server_functions=[download],
        elem_id="part-banner",
    )
