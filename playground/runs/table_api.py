"""Handles the requests of the table of runs: listing runs, setting a label, deleting a run and restoring it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from core.errors import UserError
from core.io.text import count_noun, join_names
from core.runs.folder import RunFolder
from core.scheduler.queue import Queue
from playground.runs.curves import MAX_RUNS, build_figure
from playground.runs.labels import MAX_TAGS, parse_label, write_label
from playground.runs.listing import list_all, list_unread, select_visible
from playground.runs.privacy import PRIVATE, may_change, may_see, require_changeable
from playground.runs.progress import ACTIVE
from playground.runs.service import RUNS, Runs
from playground.runs.table import EMPTY, Column, ListedRun, Run, build_cells, build_columns, read_run
from playground.support.shared_folder import explain_disk
from playground.support.trash import Trash
from playground.support.visitors import visitor_of
from playground.support.wording import NOT_READ, name_knobs

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
        return {"said": NOT_READ, "undo": ""}
    message, undo, contents = "", "", ""
    try:
        message, undo = _act(request, runs, visitor)
    except UserError as error:
        message = name_knobs(error)
    except OSError as error:
        message = f"The server cannot do this, because {explain_disk(error)}."
    try:
        contents = json.dumps(_build_contents(runs, _parse_names(request.get("chosen")), visitor), allow_nan=False)
    except UserError as error:  # the folder of the runs cannot be read
        return {"said": name_knobs(error), "undo": undo}
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
        listed, title = _find_deletable(name, runs, visitor)
        if listed.state in ACTIVE:
            raise UserError(f"{title} is {listed.state}: stop it first, then delete it.")
        with listed.folder.acquire_lock() as lock:
            lock.allow_move()
            deleted = Trash(runs.root).put([listed.name], title, listed.owner)
    return f"{title} is deleted.", deleted.key


def _find_deletable(name: object, runs: Runs, visitor: str) -> tuple[ListedRun, str]:
    """Returns a run that a visitor may delete, and its title; raises as `_find_own_run`."""
    unread = next((each for each in list_unread(runs, list_all(runs)) if each.name == name), None)
    if unread is None:
        run = _find_own_run(name, runs, visitor)
        return run.listed, run.title
    if not may_change(unread.folder, visitor):
        raise UserError(f"The run {unread.name} cannot be read: only the operator of the server can delete it.")
    return unread, unread.name


def _find_own_run(name: object, runs: Runs, visitor: str) -> Run:
    """Returns a run that a visitor may change.

    Raises:
        UserError: There is no such run, or it belongs to another visitor.
    """
    every = list_all(runs)
    for listed in select_visible(every, visitor):
        if listed.name == name:
            run = _read(listed, runs)
            require_changeable(listed.folder, visitor, f"The run {run.title}")
            return run
    fault = next((each.message for each in list_unread(runs, every) if each.name == name), "")
    raise UserError(fault or "This run no longer exists: somebody has deleted it.")


def _read(listed: ListedRun, runs: Runs) -> Run:
    def read_records(folder: RunFolder) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        records = runs.reader.read_records(folder)
        return records.steps, records.evaluations

    return read_run(listed, read_records)


def _build_contents(runs: Runs, chosen: Sequence[str], visitor: str) -> dict[str, Any]:
    """Returns the contents of the table as JSON holds them.

    They include the figure of the chosen runs, or the problem that prevents it.
    """
    listed = list_all(runs)
    found, unread = [_read(each, runs) for each in select_visible(listed, visitor)], list_unread(runs, listed)
    columns = build_columns(found)
    drawn = [run for run in found if run.listed.name in chosen]
    figure, problem = None, _count_unread(unread)
    try:
        figure = build_figure([(title, run.results.curves) for title, run in _unique_titles(drawn)]) if drawn else None
    except UserError as error:
        problem = f"{name_knobs(error)} {problem}".strip()
    named = {each.name for each in unread}
    hidden = [each for each in listed if each.state in ACTIVE and not may_see(each.folder, visitor)]
    return {
        "columns": [column._asdict() for column in columns],
        "rows": [
            *(
                _plain_row(f"private {number}", PRIVATE, each, columns)
                for number, each in enumerate(hidden, 1)
                if each.name not in named
            ),
            *(
                _plain_row(each.name, each.name, each, columns, mine=may_change(each.folder, visitor))
                for each in unread
            ),
            *(_build_row(run, columns, visitor) for run in found),
        ],
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


def _plain_row(
    name: str, title: str, listed: ListedRun, columns: Sequence[Column], *, mine: bool = False
) -> dict[str, Any]:
    """Returns the row of a run of which nothing but its state can be shown."""
    return {
        "run": name,
        "title": title,
        "name": "",
        "tags": (),
        "state": listed.state_text,
        "message": listed.message if mine else "",
        "active": listed.state in ACTIVE,
        "mine": mine,
        "cells": [EMPTY] * len(columns),
    }


def _count_unread(unread: Sequence[ListedRun]) -> str:
    """Returns how many runs cannot be read, and their names; "" if all can."""
    names = join_names([each.name for each in unread])
    return f"{count_noun(len(unread), 'run')} cannot be read: {names}." if unread else ""
