"""What the browser asks of the table of runs: what there is, a label, a deletion, or its undoing."""

import hashlib
import json
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import UserError
from core.runs.folder import RunFolder, RunStatus
from core.scheduler.queue import Queue
from playground.runs.curves import MOST, overlaid
from playground.runs.labels import MAX_TAGS, parse_label, write_label
from playground.runs.reader import about_of
from playground.runs.service import ACTIVE, RUNS, Runs
from playground.runs.table import ListedRun, Run, cells_of, columns_of, read_run
from playground.support.trash import Trash
from playground.support.visitors import VISITORS, visitor_of

MAX_LISTED = 300  # runs in the table

MAX_CHOSEN = 1000  # names that are looked at


def runs(request: object, sender: gr.Request) -> dict[str, Any]:
    """Answers the browser for the runs of this page, see `answer`."""
    return answer(request, RUNS, visitor_of(sender))


def answer(request: object, runs: Runs, visitor: str = "") -> dict[str, Any]:
    """Does what is asked and returns what the table shows then.

    Args:
        request: A dict with `act`: "look", "label" (of `run`: `name`, `tags`), "delete" (`run`) or "restore" (`key`);
            with `chosen`, the names of the runs to draw, and `stamp`, that of the last answer. It may be anything.
        runs: The runs of the page.
        visitor: Who asks.

    Returns:
        `said`: a sentence, "" for none; `undo`: key of what was deleted, "" for nothing; and what `_shown` has unless
        the stamp is still the same.
    """
    if not isinstance(request, dict):
        return {"said": "The page sent something that cannot be read: reload it.", "undo": ""}
    said, undo = "", ""
    try:
        said, undo = _act(request, runs, visitor)
    except (UserError, OSError) as error:
        said = str(error) if isinstance(error, UserError) else f"That could not be done: {error.strerror}."
    chosen = request.get("chosen")
    names = [name for name in chosen[:MAX_CHOSEN] if isinstance(name, str)] if isinstance(chosen, list) else []
    shown = _shown(runs, names, visitor)
    text = json.dumps(shown, allow_nan=False)
    stamp = hashlib.sha1(text.encode()).hexdigest()
    same = {} if request.get("stamp") == stamp else {"stamp": stamp, "shown": text}
    return {"said": said, "undo": undo, **same}


def _act(request: dict, runs: Runs, visitor: str) -> tuple[str, str]:
    """Returns what is to be said, and the key of what was deleted."""
    match request.get("act"):
        case "label":
            run = _own(request.get("run"), runs, visitor)
            write_label(run.listed.folder.path, parse_label(request.get("name"), request.get("tags")))
        case "delete":
            return _deleted(request.get("run"), runs, visitor)
        case "restore":
            trash, key = Trash(runs.root), str(request.get("key"))
            found = trash.get(key)
            VISITORS.require(found.owner, visitor, f"The run {found.title}")
            return f"{trash.put_back(key).title} is back.", ""
    return "", ""


def _deleted(name: object, runs: Runs, visitor: str) -> tuple[str, str]:
    with Queue(runs.root).lock():  # nothing is started meanwhile
        run = _own(name, runs, visitor)
        if run.listed.state in ACTIVE:
            raise UserError(f"{run.title} is {run.listed.state}: stop it first, then delete it.")
        with run.listed.folder.acquire_lock():
            deleted = Trash(runs.root).put([run.listed.name], run.title, run.listed.owner)
    return f"{run.title} is deleted.", deleted.key


def _read(each: ListedRun, runs: Runs) -> Run:
    return read_run(each, lambda folder: runs.reader.curve(folder)[1:])


def _own(name: object, runs: Runs, visitor: str) -> Run:
    """Returns a run that a visitor may change; raises `UserError` if there is none or they may not."""
    run = _found(name, runs)
    VISITORS.require(run.listed.owner, visitor, f"The run {run.title}")
    return run


def _found(name: object, runs: Runs) -> Run:
    for each in listed(runs):
        if each.name == name:
            return _read(each, runs)
    raise UserError("That run is not there any more: somebody deleted it.")


def _shown(runs: Runs, chosen: list[str], visitor: str) -> dict[str, Any]:
    """Returns what the table shows, as JSON holds it, with the figure of the chosen runs or why there is none."""
    found = [_read(each, runs) for each in listed(runs)]
    columns = columns_of(found)
    drawn = [run for run in found if run.listed.name in chosen]
    figure, problem = None, ""
    try:
        figure = overlaid([(title, run.curves) for title, run in _titled(drawn)]) if drawn else None
    except UserError as error:
        problem = str(error)
    return {
        "columns": [column._asdict() for column in columns],
        "rows": [_row(run, columns, visitor) for run in found],
        "trash": [each._asdict() for each in Trash(runs.root).entries() if VISITORS.may_change(each.owner, visitor)],
        "figure": json.dumps(figure) if figure else "",
        "problem": problem,
        "limits": {"drawn": MOST, "tags": MAX_TAGS},
    }


def _titled(runs: list[Run]) -> list[tuple[str, Run]]:
    """Returns runs with names that tell them apart."""
    titles = [run.title for run in runs]
    return [(title if titles.count(title) == 1 else f"{title} · {run.listed.name}", run)
            for title, run in zip(titles, runs, strict=True)]  # fmt: skip


def _row(run: Run, columns: list, visitor: str) -> dict[str, Any]:
    return {
        "run": run.listed.name,
        "title": run.title,
        "name": run.label.name,
        "tags": run.label.tags,
        "state": run.listed.told,
        "message": run.listed.message,
        "active": run.listed.state in ACTIVE,
        "mine": VISITORS.may_change(run.listed.owner, visitor),
        "cells": cells_of(run, columns),
    }


def listed(runs: Runs) -> list[ListedRun]:
    """Returns the runs, at most `MAX_LISTED`: the page's, the newest first, then those in folders beside them."""
    found = [_listed(runs.root, name, status) for name, status in runs.statuses().items()]
    for folder in _groups(runs.root):
        found += [_listed(runs.root, f"{folder.name}/{name}", each) for name, each in Queue(folder).statuses().items()]
    return found[:MAX_LISTED]


def _groups(place: Path) -> list[Path]:
    """Returns the folders that are no runs, but may hold some."""
    folders = sorted(place.iterdir()) if place.is_dir() else []
    usual = (path for path in folders if path.is_dir() and not path.name.startswith("."))
    return [path for path in usual if not (path / "config.json").is_file()]


def _listed(place: Path, name: str, status: RunStatus) -> ListedRun:
    folder = RunFolder(place / name)
    position = status.queue_position
    state = f"{status.state}, number {position}" if position else status.state
    about = about_of(folder)
    return ListedRun(name, folder, status.state, state, status.message, about.variant, about.owner)
