"""A figure that the browser redraws in place with plotly.js: it keeps zoom and legend, and follows the theme."""

from pathlib import Path

import gradio as gr
import plotly

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
SCRIPT = (Path(__file__).parent / "plot.js").read_text("utf-8")


def plot(part: str) -> gr.HTML:
    """Builds the component, empty; its value is a figure (`playground.components.figures`) as JSON, or "" for none.

    Args:
        part: Its name among the parts of the page, see `playground.server.render.PageUpdate`.
    """
    return gr.HTML(
        "",
        part=part,
        html_template='<div class="plot" role="img" hidden></div>',
        js_on_load=SCRIPT,
        apply_default_css=False,
    )


def head() -> str:
    """Returns the script tag of plotly.js for the page's head, served from its Python package."""
    gr.set_static_paths([str(PLOTLY_JS)])
    return f'<script src="gradio_api/file={PLOTLY_JS}"></script>'
