"""The runs of the page: in its own queue, in folders of the command line, and those that cannot be read."""

import os
from collections.abc import Sequence
from pathlib import Path

from core.runs.folder import RunFolder, RunStatus, list_folder
from core.scheduler.queue import Queue
from playground.runs.privacy import describe_fault, may_see
from playground.runs.reader import hide_paths, read_about
from playground.runs.service import Runs
from playground.runs.table import ListedRun

MAX_LISTED = 300  # runs in the table
UNREADABLE = "unreadable"  # in place of the state of a run that cannot be read


def list_all(runs: Runs) -> list[ListedRun]:
    """Returns the runs: those of the page, newest first, then those of the command line."""
    found = [_list_run(runs.root, name, status) for name, status in runs.statuses().items()]
    for group in _find_groups(runs.root):
        statuses = Queue(group).statuses()
        found += [_list_run(runs.root, f"{group.name}/{name}", status) for name, status in statuses.items()]
    return found


def select_visible(listed: Sequence[ListedRun], visitor: str) -> list[ListedRun]:
    """Returns at most `MAX_LISTED` of the runs, those that a visitor may see, in the same order."""
    return [each for each in listed if may_see(each.folder, visitor)][:MAX_LISTED]


def list_unread(runs: Runs, listed: Sequence[ListedRun]) -> list[ListedRun]:
    """Returns the runs that cannot be read: nobody can tell what they are, nor whose.

    Args:
        runs: The runs of the page.
        listed: All of them, from `list_all`.
    """
    folders = (RunFolder(path) for path in sorted(list_folder(runs.root)) if not path.name.startswith("."))
    found = [*(folder for folder in folders if folder.was_run), *(each.folder for each in listed)]
    faults = ((folder, describe_fault(folder)) for folder in found)
    return [
        ListedRun(folder.path.relative_to(runs.root).as_posix(), folder, UNREADABLE, UNREADABLE, fault)
        for folder, fault in faults
        if fault
    ]


def _find_groups(root: Path) -> list[Path]:
    """Returns the folders that are not runs themselves, but can contain runs, such as those of a sweep."""
    folders = (path for path in sorted(list_folder(root)) if os.path.isdir(path) and not path.name.startswith("."))
    return [folder for folder in folders if not RunFolder(folder).is_run and os.access(folder, os.R_OK | os.X_OK)]


def _list_run(root: Path, name: str, status: RunStatus) -> ListedRun:
    folder = RunFolder(root / name)
    position = status.queue_position
    text = f"{status.state}, number {position}" if position else status.state
    about = read_about(folder)
    message = hide_paths(status.message, folder)
    return ListedRun(name, folder, status.state, text, message, about.title, about.owner)
