"""The detector on show as a file to take home, made by the command line in a process of its own."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from core.config import Config
from core.errors import UserError
from core.io.atomic import write_text
from core.io.paths import ROOT
from playground.events.common import refusing, updates
from playground.layout.layout import Parts
from playground.layout.step_controls import TAKE_HOME
from playground.server.render import PageUpdate
from playground.state.page_state import PageState

OFFERED = tuple(ending for _, ending in TAKE_HOME)
PATIENCE = 900  # seconds; ONNX takes the longest
REFUSED = "error: "  # how the command line says that it cannot


def connect_take_home(parts: Parts) -> None:
    """Makes the file that is chosen, and offers it."""

    def make(ending: str, *inputs: Any) -> list:
        path = exported(PageState(*inputs).config(), ending)
        offer = gr.DownloadButton(f"Download {path.name}", value=str(path), visible=True)
        return [offer, *updates(PageUpdate(""))]

    buttons = parts.buttons
    # One at a time: each takes a processor and the same place, from which Gradio copies what it hands out.
    buttons["take_home"].click(
        refusing(1, make),
        [buttons["take_home_as"], *parts.state],
        [buttons["take_home_file"], *parts.shown],
        show_progress="minimal",
        show_progress_on=[buttons["take_home_file"]],
        concurrency_limit=1,
    )


def exported(config: Config, ending: str) -> Path:
    """Returns a file with the detector of the settings.

    Args:
        config: All settings.
        ending: Of the file, one of `OFFERED`; it comes from outside.

    Raises:
        UserError: It cannot be made; the message says why.
    """
    if ending not in OFFERED:
        raise UserError(f"There is no file {ending!r} to take home: choose one of {', '.join(OFFERED)}.")
    place = Path(_place().name)
    out, settings = place / f"retinanet{ending}", place / "settings.json"
    write_text(settings, config.to_json())
    command = [sys.executable, "-m", "core", "export", "--config", str(settings), "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise UserError(f"The file was not ready after {PATIENCE // 60} minutes: try again when less runs.") from None
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise UserError(last.removeprefix(REFUSED) or "The file could not be made: try again.")
    return out


@cache
def _place() -> TemporaryDirectory:
    """A folder that goes with this process."""
    return TemporaryDirectory(prefix="retinanet-")
