"""The header: the way home, the ways through the page, sharing, undo and redo, and the theme.

On narrow screens all but the first few are in a menu of their own. Buttons that only the browser answers are found by
their ids in `header.js`.
"""

import gradio as gr

from core.export.settings import FORMATS
from playground.components.menu import MenuItem, menu
from playground.layout.components import HeaderControls
from playground.lessons.panel import build_chooser
from playground.support.scripts import read_scripts

SCRIPT = read_scripts("layout/leaving.js", "layout/header.js")
OWN = ("settings as JSON", "command line")  # of the formats to copy; the others are code for frameworks
LINK = "link"  # the key of the page's address among the formats to copy
TEMPLATE = """
<a class="header-skip" href="#knobs">Skip to the knobs</a>
<h1><a class="header-home" href="?view=story" title="To the first screen">RetinaNet <span>Playground</span></a></h1>
<div class="header-said" role="status"></div>
"""


def build_header() -> HeaderControls:
    """Builds the header inside the open `gr.Blocks`."""
    with gr.Row(elem_classes=["header"]):
        gr.HTML(
            "",
            html_template=TEMPLATE,
            js_on_load=SCRIPT,
            apply_default_css=False,
            padding=False,
            elem_classes=["header-brand"],
        )
        chooser = build_chooser()
        with gr.Row(elem_classes=["header-rest"], elem_id="header-rest"):
            _button("Explore", "explore")
            _button("My pictures", "my-pictures")
            all_knobs = _button("All knobs", "all-knobs")
            formats = [MenuItem(name, f"Copy {name if name in OWN else f'code for {name}'}") for name in FORMATS]
            share = menu("Share ▾", [MenuItem(LINK, "Copy link"), *formats], elem_id="share")
            copied = gr.Textbox(visible="hidden")
            pin = _button("Compare: keep this as A", "pin")
            reset = _button("Reset", "reset")
            _button("Light / dark", "theme")
        undo, redo = _button("Undo", "undo"), _button("Redo", "redo")
        _button("⋯ More", "more")
    return HeaderControls(chooser, all_knobs, share, copied, pin, undo, redo, reset)


def _button(label: str, elem_id: str) -> gr.Button:
    return gr.Button(label, size="sm", min_width=0, elem_id=elem_id)
