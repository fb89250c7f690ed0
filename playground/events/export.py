"""Exporting the detector of the page's settings as a file, with the command line in its own process."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from core.config import Config
from core.errors import UserError
from core.io.atomic import write_text
from core.io.paths import ROOT
from playground.events.common import Updates, listen, part_updates
from playground.layout.components import PageComponents
from playground.layout.page_update import PageUpdate
from playground.layout.step_controls import EXPORT_FORMATS
from playground.state.page_state import PageState

ENDINGS = tuple(ending for _, ending in EXPORT_FORMATS)
MAX_SECONDS = 900  # of an export; ONNX takes longest
ERROR = "error: "  # with which the command line begins a refusal


def connect_export(page: PageComponents) -> None:
    """Connects the button that exports the chosen format and offers the file."""
    controls = page.controls.network

    def export(state: PageState, ending: str) -> Updates:
        path = export_detector(state.config(), ending)
        offer = gr.DownloadButton(f"Download {path.name}", value=str(path), visible=True)
        return {controls.exported: offer, **part_updates(page, PageUpdate(""))}

    # One at a time: each needs a processor and the same folder, from which Gradio copies the file that it serves.
    listen(
        page,
        controls.export.click,
        export,
        inputs=[controls.export_format],
        outputs=[controls.exported],
        show_progress="minimal",
        show_progress_on=[controls.exported],
        concurrency_limit=1,
    )


def export_detector(config: Config, ending: str) -> Path:
    """Exports the detector of the settings and returns the file.

    Args:
        config: All settings.
        ending: Of the file, one of `ENDINGS`; untrusted.

    Raises:
        UserError: The detector cannot be exported; the message says why.
    """
    if ending not in ENDINGS:
        raise UserError(f"{ending!r} is not an export format: choose one of {', '.join(ENDINGS)}.")
    folder = Path(_folder().name)
    out, settings = folder / f"retinanet{ending}", folder / "settings.json"
    write_text(settings, config.to_json())
    command = [sys.executable, "-m", "core", "export", "--config", str(settings), "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=MAX_SECONDS)
    except subprocess.TimeoutExpired:
        minutes = MAX_SECONDS // 60
        raise UserError(f"The export took more than {minutes} minutes: try again when fewer runs train.") from None
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise UserError(last.removeprefix(ERROR) or "The detector could not be exported: try again.")
    return out


@cache
def _folder() -> TemporaryDirectory[str]:
    """Returns a folder that is removed when this process ends."""
    return TemporaryDirectory(prefix="retinanet-")
