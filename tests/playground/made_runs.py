"""Folders of runs, made without any training."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.config import Config
from core.runs.folder import FINISHED, RunFolder
from playground.runs.service import RUNS


def step(number: int, classification: float = 0.5, **values: float) -> dict[str, Any]:
    usual = {"box": 0.25, "learning_rate": 0.001, "foreground": 30, "gradient_norm": 1.0, "images_per_second": 8.0}
    return {"step": number, "classification": classification, **usual, **values}


def evaluation(number: int, ap: float | None) -> dict[str, Any]:
    return {"step": number, "metrics": {"ap": ap, "ap50": ap, "ap75": ap}}


def make_run(
    folder: Path, settings: dict[str, Any], records: list[dict[str, Any]], *, state: str = FINISHED, message: str = ""
) -> RunFolder:
    run = RunFolder(folder)
    run.create()
    run.config.write_text(Config.from_flat(settings).to_json())
    run.metrics.write_text("".join(json.dumps(record) + "\n" for record in records))
    run.write_status(state, message)
    return run


@contextmanager
def runs_at(root: Path) -> Iterator[None]:
    """Switches the page to the runs of another folder, and back at the end."""
    before = RUNS.root
    RUNS.use_folder(root)
    yield
    RUNS.use_folder(before)
