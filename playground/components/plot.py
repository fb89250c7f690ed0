"""A figure that the browser redraws in place with plotly.js: it keeps zoom and legend, and follows the theme."""

from pathlib import Path

import gradio as gr
import plotly

from playground.support.scripts import read_scripts

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
SCRIPTS = ("components/plot.js", "components/embed.js", "components/figure.js")  # one program, in this order
FIGURE = """
<figure class="figure">
  <div class="figure-head">
    <figcaption></figcaption>
    <div class="figure-tools" role="group" aria-label="Figure">
      <button type="button" data-do="present" aria-pressed="false" aria-label="Present the figure" title="Present (F)"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4"/></svg></button>
      <button type="button" data-do="png" aria-label="Save the figure as PNG" title="Save as PNG">PNG</button>
      <button type="button" data-do="svg" aria-label="Save the figure as SVG" title="Save as SVG">SVG</button>
      <button type="button" data-do="embed" aria-label="Embed the figure" title="HTML for another page">&lt;/&gt;</button>
      <a class="figure-full" target="_blank" rel="noopener">Open the full page</a>
    </div>
  </div>
  <input class="figure-code" aria-label="HTML that shows this figure in another page" readonly hidden>
  <p class="figure-none">There is nothing to draw yet. The buttons are on the full page: open it, and press Start or Evaluate there.</p>
  <div class="plot" role="img" tabindex="0" aria-keyshortcuts="F" hidden></div>
</figure>
"""  # noqa: E501


def plot(part: str) -> gr.HTML:
    """Builds the component, empty; its value is a figure (`playground.components.figures`) as JSON, or "" for none.

    Args:
        part: Its name among the parts of the page, see `playground.layout.page_update.PageUpdate`.
    """
    return gr.HTML(
        "",
        part=part,
        html_template=FIGURE,
        js_on_load=read_scripts(*SCRIPTS),
        apply_default_css=False,
        elem_classes=["figure-block"],
    )


def head() -> str:
    """Returns the tags for the page's head: a preload of plotly.js, and the scripts that run it and present figures."""
    gr.set_static_paths([str(PLOTLY_JS)])
    scripts = read_scripts(
        "components/storage.js", "components/full_screen.js", "components/present.js", "components/plotly.js"
    )
    return f'<link rel="preload" as="script" id="plotly" href="gradio_api/file={PLOTLY_JS}"><script>{scripts}</script>'
