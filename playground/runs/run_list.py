"""The runs that are there, for the table: those of the page, and those of comparisons on the command line."""

from pathlib import Path

from core.runs.folder import RunFolder
from core.scheduler.queue import Queue, Standing
from playground.runs.reader import about_of
from playground.runs.service import Runs
from playground.runs.table import Listed

MOST = 300  # runs in the table


def listed(runs: Runs) -> list[Listed]:
    """Returns the runs, at most `MOST`: the page's, the newest first, then those in folders beside them."""
    found = [_listed(runs.place, name, standing) for name, standing in runs.standings().items()]
    for folder in _groups(runs.place):
        found += [
            _listed(runs.place, f"{folder.name}/{name}", each) for name, each in Queue(folder).standings().items()
        ]
    return found[:MOST]


def _groups(place: Path) -> list[Path]:
    """Returns the folders that are no runs, but may hold some."""
    folders = sorted(place.iterdir()) if place.is_dir() else []
    usual = (path for path in folders if path.is_dir() and not path.name.startswith("."))
    return [path for path in usual if not (path / "config.json").is_file()]


def _listed(place: Path, name: str, standing: Standing) -> Listed:
    folder = RunFolder(place / name)
    state = f"{standing.state}, number {standing.place}" if standing.place else standing.state
    about = about_of(folder)
    return Listed(name, folder, standing.state, state, standing.message, about.arm, about.owner)
