"""The panel "My pictures": what the visitor's album holds, and what can be done with it.

Its controls fire `select` with `{action, value, pixels_key}`, the last of the picture that it is about, or `next`,
`teach` and `download` with `{value}`, which take longer; `playground.events.album` reads them.
"""

import gradio as gr
from markupsafe import Markup

from core.data.dataset import SPLITS
from core.data.formats import FORMATS
from core.data.writers.convert import WRITERS
from playground.support.scripts import read_scripts

SCRIPT = read_scripts("layout/album_panel.js")
TEMPLATE = """
<details class="album">
  <summary data-part="title">My pictures</summary>
  <p data-when="none">Pictures that you upload become your own data set. Draw boxes on a few of them, press
    <b>Train on my pictures</b>, and a minute later a detector of your own looks for the same things.</p>
  <p class="album-whose" data-part="whose" data-when="any"></p>
  <ul class="album-classes" data-part="classes"></ul>
  <p data-part="picture" hidden></p>
  <div class="album-row">
    <button type="button" data-act="show" data-when="away" hidden>Show my pictures</button>
    <button type="button" data-act="empty" data-when="here" hidden>No objects here</button>
    <button type="button" data-act="next" data-when="mine" hidden>Next to label</button>
    <button type="button" class="album-teach" data-act="teach" data-part="teach" data-when="mine"
      hidden>Train on my pictures</button>
  </div>
  <p class="album-small" data-part="teach-note" data-when="mine" hidden></p>
  <div class="album-suggest" data-when="here" hidden>
    <label><input type="checkbox" data-part="suggest"> Suggest boxes</label>
    <label>above <input type="range" min="0.05" max="0.95" step="0.05" data-part="above"
      aria-label="Suggest boxes above this score"> <output data-part="above-text"></output></label>
    <p class="album-small" data-part="suggest-note"></p>
  </div>
  <button type="button" data-act="undo" data-when="undo" data-part="undo" hidden></button>
  <details class="album-more" data-when="mine" hidden>
    <summary>More</summary>
    <div class="album-row" data-when="here" hidden>
      <label>This picture is for <select data-part="split" aria-label="Split of this picture">{splits}</select></label>
      <button type="button" data-act="remove">Remove picture</button>
    </div>
    <div class="album-row">
      <label><input type="checkbox" data-part="share"> Anyone with the link can see them</label>
      <button type="button" data-part="copy" hidden>Copy link</button>
    </div>
    <div class="album-row">
      <label>Format <select data-part="format" aria-label="Format of the download">{formats}</select></label>
      <button type="button" data-act="download">Download</button>
    </div>
    <p class="album-small" data-part="kept"></p>
    <button type="button" data-act="delete">Delete everything of mine</button>
  </details>
</details>
"""


def album_panel() -> gr.HTML:
    """Builds the component, empty; `playground.server.album_state` returns its values."""
    splits = [("", "the automatic split"), *zip(SPLITS, ("training", "validation", "test"), strict=True)]
    formats = [(each.key, each.name) for each in FORMATS if each.key in WRITERS]
    return gr.HTML(
        "",
        part="album",
        html_template=TEMPLATE.format(splits=_options(splits), formats=_options(formats)),
        js_on_load=SCRIPT,
        apply_default_css=False,
        elem_id="album-panel",
    )


def _options(choices: list[tuple[str, str]]) -> Markup:
    return Markup("").join(Markup('<option value="{}">{}</option>').format(*choice) for choice in choices)
