"""Handles the requests of the table of runs: listing runs, setting a label, deleting a run and restoring it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import UserError
from core.runs.folder import RunFolder, RunStatus
from core.scheduler.queue import Queue
from playground.runs.curves import MAX_RUNS, build_figure
from playground.runs.labels import MAX_TAGS, parse_label, write_label
from playground.runs.privacy import PRIVATE, may_change, may_see, require_changeable
from playground.runs.progress import ACTIVE
from playground.runs.reader import hide_paths, read_about
from playground.runs.service import RUNS, Runs
from playground.runs.table import EMPTY, Column, ListedRun, Run, build_cells, build_columns, read_run
from playground.support.trash import Trash
from playground.support.visitors import visitor_of

MAX_LISTED = 300  # runs in the table
MAX_CHOSEN = 1000  # names of runs to draw that are read from a request


def runs(request: object, sender: gr.Request) -> dict[str, Any]:
    """Handles a request for the runs of the page, see `handle_request`; the browser calls it by this name."""
    return handle_request(request, RUNS, visitor_of(sender))


def handle_request(request: object, runs: Runs, visitor: str = "") -> dict[str, Any]:
    """Handles a request of the browser and returns the new contents of the table.

    Args:
        request: A dict with `act`: "look", "label" (of `run`, with `name` and `tags`), "delete" (`run`) or "restore"
            (`key`); with `chosen`, the names of the runs to draw, and `stamp`, that of the last response. It comes
            from the browser and can be anything.
        runs: The runs of the page.
        visitor: The visitor who sends it.

    Returns:
        `said`: a message, "" for none; `undo`: the key of a deleted run, "" if none was deleted; unless the contents
            have the stamp of the request, `stamp`, and `shown`: the contents as JSON, see `_build_contents`.
    """
    if not isinstance(request, dict):
        return {"said": "The page sent something that cannot be read: reload it.", "undo": ""}
    message, undo = "", ""
    try:
        message, undo = _act(request, runs, visitor)
    except UserError as error:
        message = str(error)
    except OSError as error:
        message = f"This is not possible: {error.strerror}."
    contents = json.dumps(_build_contents(runs, _parse_names(request.get("chosen")), visitor), allow_nan=False)
    stamp = hashlib.sha1(contents.encode()).hexdigest()
    changes = {} if request.get("stamp") == stamp else {"stamp": stamp, "shown": contents}
    return {"said": message, "undo": undo, **changes}


def _parse_names(names: object) -> list[str]:
    return [name for name in names[:MAX_CHOSEN] if isinstance(name, str)] if isinstance(names, list) else []


def _act(request: Mapping[str, Any], runs: Runs, visitor: str) -> tuple[str, str]:
    """Does what a request asks for; returns a message and the key of a deleted run, both "" for none."""
    match request.get("act"):
        case "label":
            run = _find_own_run(request.get("run"), runs, visitor)
            write_label(run.listed.folder.path, parse_label(request.get("name"), request.get("tags")))
        case "delete":
            return _delete(request.get("run"), runs, visitor)
        case "restore":
            trash, key = Trash(runs.root), str(request.get("key"))
            deleted = trash.get(key)
            require_changeable(_deleted_folder(trash, key), visitor, f"The run {deleted.title}")
            return f"{trash.put_back(key).title} is back.", ""
    return "", ""


def _delete(name: object, runs: Runs, visitor: str) -> tuple[str, str]:
    with Queue(runs.root).lock():  # no run starts in the meantime
        run = _find_own_run(name, runs, visitor)
        if run.listed.state in ACTIVE:
            raise UserError(f"{run.title} is {run.listed.state}: stop it first, then delete it.")
        with run.listed.folder.acquire_lock():
            deleted = Trash(runs.root).put([run.listed.name], run.title, run.listed.owner)
    return f"{run.title} is deleted.", deleted.key


def _find_own_run(name: object, runs: Runs, visitor: str) -> Run:
    """Returns a run that a visitor may change.

    Raises:
        UserError: There is no such run, or it belongs to another visitor.
    """
    for listed in list_runs(runs, visitor):
        if listed.name == name:
            run = _read(listed, runs)
            require_changeable(listed.folder, visitor, f"The run {run.title}")
            return run
    raise UserError("This run no longer exists: somebody has deleted it.")


def _read(listed: ListedRun, runs: Runs) -> Run:
    def read_records(folder: RunFolder) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        records = runs.reader.read_records(folder)
        return records.steps, records.evaluations

    return read_run(listed, read_records)


def _build_contents(runs: Runs, chosen: Sequence[str], visitor: str) -> dict[str, Any]:
    """Returns the contents of the table as JSON holds them.

    They include the figure of the chosen runs, or the problem that prevents it.
    """
    found = [_read(each, runs) for each in list_runs(runs, visitor)]
    columns = build_columns(found)
    drawn = [run for run in found if run.listed.name in chosen]
    figure, problem = None, ""
    try:
        figure = build_figure([(title, run.results.curves) for title, run in _unique_titles(drawn)]) if drawn else None
    except UserError as error:
        problem = str(error)
    return {
        "columns": [column._asdict() for column in columns],
        "rows": [*_build_private_rows(runs, columns, visitor), *(_build_row(run, columns, visitor) for run in found)],
        "trash": _list_deleted(runs, visitor),
        "figure": json.dumps(figure) if figure else "",
        "problem": problem,
        "limits": {"drawn": MAX_RUNS, "tags": MAX_TAGS},
    }


def _list_deleted(runs: Runs, visitor: str) -> list[dict[str, Any]]:
    """Returns the deleted runs that a visitor can restore, as JSON holds them."""
    trash = Trash(runs.root)
    mine = (each for each in trash.entries() if may_change(_deleted_folder(trash, each.key), visitor))
    return [each._asdict() for each in mine]


def _deleted_folder(trash: Trash, key: str) -> RunFolder:
    return RunFolder(trash.path(key))


def _unique_titles(runs: Sequence[Run]) -> list[tuple[str, Run]]:
    """Returns runs with their titles; the name is added where several have the same title."""
    titles = [run.title for run in runs]
    return [(title if titles.count(title) == 1 else f"{title} · {run.listed.name}", run)
            for title, run in zip(titles, runs, strict=True)]  # fmt: skip


def _build_row(run: Run, columns: Sequence[Column], visitor: str) -> dict[str, Any]:
    return {
        "run": run.listed.name,
        "title": run.title,
        "name": run.label.name,
        "tags": run.label.tags,
        "state": run.listed.state_text,
        "message": run.listed.message,
        "active": run.listed.state in ACTIVE,
        "mine": may_change(run.listed.folder, visitor),
        "cells": build_cells(run, columns),
    }


def _build_private_rows(runs: Runs, columns: Sequence[Column], visitor: str) -> list[dict[str, Any]]:
    """Returns rows that say nothing of private runs of others but that they occupy the queue."""
    hidden = [each for each in list_all(runs) if each.state in ACTIVE and not may_see(each.folder, visitor)]
    return [
        {
            "run": f"private {number}",
            "title": PRIVATE,
            "name": "",
            "tags": (),
            "state": listed.state_text,
            "message": "",
            "active": True,
            "mine": False,
            "cells": [EMPTY] * len(columns),
        }
        for number, listed in enumerate(hidden, 1)
    ]


def list_runs(runs: Runs, visitor: str) -> list[ListedRun]:
    """Returns at most `MAX_LISTED` runs that a visitor may see, in the order of `list_all`."""
    return [each for each in list_all(runs) if may_see(each.folder, visitor)][:MAX_LISTED]


def list_all(runs: Runs) -> list[ListedRun]:
    """Returns the runs: those of the page, newest first, then those of the command line."""
    found = [_list_run(runs.root, name, status) for name, status in runs.statuses().items()]
    for group in _find_groups(runs.root):
        statuses = Queue(group).statuses()
        found += [_list_run(runs.root, f"{group.name}/{name}", status) for name, status in statuses.items()]
    return found


def _find_groups(root: Path) -> list[Path]:
    """Returns the folders that are not runs themselves, but can contain runs, such as those of a sweep."""
    paths = sorted(root.iterdir()) if root.is_dir() else []
    folders = (path for path in paths if path.is_dir() and not path.name.startswith("."))
    return [folder for folder in folders if not (folder / "config.json").is_file()]


def _list_run(root: Path, name: str, status: RunStatus) -> ListedRun:
    folder = RunFolder(root / name)
    position = status.queue_position
    text = f"{status.state}, number {position}" if position else status.state
    about = read_about(folder)
    message = hide_paths(status.message, folder)
    return ListedRun(name, folder, status.state, text, message, about.variant, about.owner)
