"""The table of runs: drawn, sorted and filtered by the browser, which calls the server directly."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from playground.components import plot
from playground.runs.labels import MAX_NAME
from playground.support.scripts import read_scripts

# One program, after the script of the figure.
SCRIPTS = (*plot.SCRIPTS, "layout/runs_rows.js", "layout/runs_actions.js", "layout/runs_table.js")
TEMPLATE = f"""
<section class="runs" aria-label="Runs" data-longest="{MAX_NAME}">
  <div class="runs-head">
    <h2>Runs</h2>
    <input type="search" aria-label="Find runs" placeholder="Find by name, tag, state or setting …">
    <span class="runs-count"></span>
  </div>
  <div class="runs-message" role="status"></div>
  <div class="runs-scroll" tabindex="0" role="region" aria-label="Table of runs">
    <table><thead></thead><tbody></tbody></table>
  </div>
  <p class="runs-problem" hidden></p>
  {plot.FIGURE}
  <details class="runs-trash" hidden><summary></summary><ul></ul></details>
</section>
"""


def run_view(answer: Callable[[object, gr.Request], dict[str, Any]]) -> gr.HTML:
    """Builds the component.

    Args:
        answer: Takes what the browser sends; its name is what the script calls.
    """
    return gr.HTML(
        "",
        part="",
        html_template=TEMPLATE,
        js_on_load=read_scripts(*SCRIPTS),
        apply_default_css=False,
        server_functions=[answer],
        elem_classes=["all-runs"],
    )
