"""Brings the visitor's pictures: chosen, dropped on the picture, pasted, or taken with the camera.

The browser uploads each file and hands its path to a function of the server. When all of them are in, the component
fires `upload` with `{pixels_key, path, name}` of the first: the key is null if it could not be saved; and `began`, what
was on show before (`PageState.choices`), null if the visitor draws or has gone to another step. When the visitor
deletes their album meanwhile, the rest stays out.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from playground.support.scripts import read_scripts

SCRIPTS = ("layout/camera.js", "layout/intake.js")  # one program, in this order
TEMPLATE = """
<div class="intake">
  <div class="intake-buttons">
    <button type="button" class="intake-choose">Upload pictures</button>
    <button type="button" class="intake-camera">Take a picture</button>
    <input type="file" class="intake-files" accept="image/*" multiple hidden aria-label="Pictures to upload">
  </div>
  <p class="intake-hint">Or drop or paste them anywhere on the picture.</p>
  <progress class="intake-progress" aria-label="Upload" hidden></progress>
  <p class="intake-said" role="status" hidden></p>
  <dialog class="intake-dialog" aria-label="Camera">
    <video playsinline muted></video><canvas hidden></canvas>
    <div class="intake-buttons">
      <button type="button" data-do="take">Take</button>
      <button type="button" data-do="use" hidden>Use</button>
      <button type="button" data-do="discard" hidden>Discard</button>
      <button type="button" data-do="close">Close</button>
    </div>
  </dialog>
</div>
"""


def intake(answer: Callable[[object, gr.Request], dict[str, Any]], *, files: int, size: int, side: int) -> gr.HTML:
    """Builds the component.

    Args:
        answer: Takes what the browser says of an uploaded file; its name is what the script calls.
        files: Maximum number of pictures at once.
        size: Maximum size of a file, bytes.
        side: Longer side to which larger pictures are scaled down, px.
    """
    return gr.HTML(
        "",
        html_template=TEMPLATE,
        js_on_load=read_scripts(*SCRIPTS),
        max_files=files,
        max_bytes=size,
        max_side=side,
        apply_default_css=False,
        server_functions=[answer],
        elem_classes=["intake-block"],
    )
