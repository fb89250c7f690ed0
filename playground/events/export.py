"""Exporting the detector of the page's settings as a file, with the command line in its own process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from core.config import Config
from core.errors import UserError, quote
from core.io.atomic import write_text
from core.io.paths import ROOT, hide_folder
from playground.events.common import Updates, listen, part_updates
from playground.layout.components import PageComponents
from playground.layout.page_update import PageUpdate
from playground.layout.step_controls import EXPORT_FORMATS
from playground.pipeline.networks import name_weights
from playground.state.page_state import PageState
from playground.support.shared_folder import explain_disk

ENDINGS = tuple(ending for _, ending in EXPORT_FORMATS)
MAX_SECONDS = 900  # of an export; ONNX takes longest
ERROR = "error: "  # with which the command line begins a refusal
PROGRESS = gr.Progress()  # as a parameter's default, it makes Gradio pass the progress of the event
LONG = "Exporting; ONNX takes a minute or two"
# The file is offered while it is of the settings and the format on show, also if they have changed meanwhile.
OFFER = """(made, settings, ending) => {
  const shown = JSON.stringify([ending, JSON.parse(settings)]);
  document.body.toggleAttribute("data-file-hidden", made === "" || JSON.stringify(JSON.parse(made)) !== shown);
}"""


def connect_export(page: PageComponents) -> None:
    """Connects the button that exports the chosen format and offers the file."""
    controls = page.controls.network

    def export(state: PageState, ending: str, *, progress: gr.Progress = PROGRESS) -> Updates:
        path = export_detector(state.config(), ending, lambda seconds: progress((seconds, None), LONG, unit="s"))
        label = f"Download {path.name}"
        offer = gr.DownloadButton(label, value=str(path), visible=True)
        made = json.dumps([ending, json.loads(state.settings)])
        said = part_updates(page, PageUpdate(f"The file is ready: press “{label}”."))
        return {controls.exported: offer, controls.exported_of: made, **said}

    # One at a time: each needs a processor and the same folder, from which Gradio copies the file that it serves. What
    # is asked for meanwhile comes next, once, with the settings on show by then.
    listen(
        page,
        controls.export.click,
        export,
        inputs=[controls.export_format],
        outputs=[controls.exported, controls.exported_of],
        show_progress="full",
        show_progress_on=[controls.export],
        concurrency_limit=1,
        trigger_mode="always_last",
    )
    shown: list[gr.Textbox | gr.Dropdown] = [controls.exported_of, page.settings, controls.export_format]
    for each in shown:
        each.change(None, shown, js=OFFER)


def export_detector(config: Config, ending: str, report: Callable[[int], object] = lambda seconds: None) -> Path:
    """Exports the detector of the settings and returns the file.

    Args:
        config: All settings.
        ending: Of the file, one of `ENDINGS`; untrusted.
        report: Called every second with the seconds so far.

    Raises:
        UserError: The detector cannot be exported; the message says why.
    """
    if ending not in ENDINGS:
        raise UserError(f"{quote(ending)} is not an export format: choose one of {', '.join(ENDINGS)}.")
    try:
        folder = Path(_folder().name)
        out, settings = folder / f"retinanet{ending}", folder / "settings.json"
        write_text(settings, config.to_json())
        process = _start(settings, out)
    except OSError as error:
        raise UserError(f"The server cannot export a detector, because {explain_disk(error)}.") from None
    said = _wait(process, report)
    if process.returncode:
        last = hide_folder(said.strip().rpartition("\n")[2].removeprefix(ERROR), folder, "the file")
        weights = config.model.weights
        last = last.replace(weights, name_weights(weights)) if Path(weights).is_absolute() else last
        raise UserError(last or "The detector could not be exported: try again.")
    return out


def _start(settings: Path, out: Path) -> subprocess.Popen[str]:
    """Starts an export; raises `OSError` where the system has no memory or no process left."""
    command = [sys.executable, "-X", "utf8", "-m", "core", "export", "--config", str(settings), "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
    )


def _wait(process: subprocess.Popen[str], report: Callable[[int], object]) -> str:
    """Waits for an export and returns what it said; ends it if it takes too long.

    Raises:
        UserError: It took more than `MAX_SECONDS`.
    """
    try:
        for seconds in range(MAX_SECONDS):
            report(seconds)
            with suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=1)[1]
    finally:
        process.kill()  # does nothing after its end
        process.wait()
    minutes = MAX_SECONDS // 60
    raise UserError(f"The export took more than {minutes} minutes: try again when fewer runs train.")


@cache
def _folder() -> TemporaryDirectory[str]:
    """Returns a folder that is removed when this process ends."""
    return TemporaryDirectory(prefix="retinanet-")
