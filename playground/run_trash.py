"""Deleted runs: moved aside so that they can come back, and removed for good after a week or when there are many."""

import json
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from core.files import write_text

FOLDER = ".trash"  # in the folder of the runs
MOST, SECONDS = 20, 7 * 86400  # runs and time that are kept
WAS, RUN = "was.json", "run"  # where a run was, and the run itself


class Deleted(NamedTuple):
    """A run in the trash.

    Attributes:
        key: Names it there.
        name: Where it was in the folder of the runs.
        title: What it was called.
    """

    key: str
    name: str
    title: str


class Trash:
    """The trash of a folder of runs.

    Args:
        place: The folder of the runs.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._folder = place / FOLDER

    def put(self, name: str, title: str) -> Deleted:
        """Moves a run, named by its place in the folder of the runs, into the trash; `OSError` if it cannot be."""
        key = str(time.time_ns())
        home = self._folder / key
        home.mkdir(parents=True)
        write_text(home / WAS, json.dumps({"name": name, "title": title}))
        try:
            (self._place / name).rename(home / RUN)
        except OSError:
            shutil.rmtree(home)
            raise
        self._tidy()
        return Deleted(key, name, title)

    def put_back(self, key: str) -> Deleted:
        """Moves a run back to where it was.

        Raises:
            ValueError: It is not in the trash any more, or something else is in its place.
        """
        found = next((each for each in self.runs() if each.key == key), None)
        if found is None:
            raise ValueError("That run is not in the trash any more: it was put back already, or removed for good.")
        target = self._place / found.name
        if target.exists():
            raise ValueError(f"{found.name} cannot be put back because another run has that place: delete that first.")
        target.parent.mkdir(parents=True, exist_ok=True)
        (self._folder / key / RUN).rename(target)
        shutil.rmtree(self._folder / key)
        return found

    def runs(self) -> list[Deleted]:
        """Returns what is in the trash, the latest first."""
        if not self._folder.is_dir():
            return []
        self._tidy()
        return [found for home in self._homes() if (found := self._read(home))]

    def _homes(self) -> list[Path]:
        homes = [home for home in self._folder.iterdir() if home.name.isdecimal()]
        return sorted(homes, key=lambda home: int(home.name), reverse=True)

    def _tidy(self) -> None:
        oldest = time.time_ns() - SECONDS * 10**9
        for count, home in enumerate(self._homes()):
            if count >= MOST or int(home.name) < oldest:
                shutil.rmtree(home, ignore_errors=True)

    def _read(self, home: Path) -> Deleted | None:
        try:
            found = json.loads((home / WAS).read_text("utf-8"))
            name, title = str(found["name"]), str(found["title"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        inside = (self._place / name).resolve().is_relative_to(self._place.resolve())
        return Deleted(home.name, name, title) if inside and (home / RUN).is_dir() else None
