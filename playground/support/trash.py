"""What visitors deleted, runs or data sets: moved aside so that it can come back, later removed for good."""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from core.errors import UserError
from core.io.atomic import write_text

FOLDER = ".trash"  # in the folder that things are deleted from
MOST, SECONDS = 20, 7 * 86400  # things and time that are kept
WAS = "was.json"  # what lies here; beside it the paths themselves, numbered


class Deleted(NamedTuple):
    """A thing in the trash.

    Attributes:
        key: Names it there.
        name: Where it was in the folder.
        title: What it was called.
        owner: Who made it, see `playground.support.visitors`.
        size: Bytes, as far as they were told.
    """

    key: str
    name: str
    title: str
    owner: str = ""
    size: int = 0


class Trash:
    """The trash of a folder.

    Args:
        place: The folder.
        most: Things that are kept.
    """

    def __init__(self, place: Path, most: int = MOST) -> None:
        self._place, self._most = place, most
        self._folder = place / FOLDER

    def put(self, names: Sequence[str], title: str, owner: str = "", size: int = 0) -> Deleted:
        """Moves paths of the folder that are one thing into the trash, all or none.

        Args:
            names: Of the paths; what is missing is left out, except for the first.
            title: What the thing is called.
            owner: Who made it.
            size: Bytes.

        Raises:
            OSError: They cannot be moved.
        """
        key = str(time.time_ns())
        home, moved = self._folder / key, []
        home.mkdir(parents=True)
        try:
            for number, name in enumerate(names):
                if number == 0 or (self._place / name).exists():
                    (self._place / name).rename(home / str(number))
                    moved.append((number, name))
            write_text(home / WAS, json.dumps({"names": names, "title": title, "owner": owner, "size": size}))
        except OSError:
            for number, name in moved:
                (home / str(number)).rename(self._place / name)
            shutil.rmtree(home)
            raise
        self._tidy()
        return Deleted(key, names[0], title, owner, size)

    def get(self, key: str) -> Deleted:
        """Returns what lies under a key; raises `UserError` if it is not in the trash any more."""
        found = next((each for each in self.things() if each.key == key), None)
        if found is None:
            raise UserError("That is not in the trash any more: it was put back already, or removed for good.")
        return found

    def put_back(self, key: str) -> Deleted:
        """Moves a thing back to where it was.

        Raises:
            UserError: It is not in the trash any more, or something else is in its place.
        """
        found, home = self.get(key), self._folder / key
        there = [(home / str(number), self._place / name) for number, name in enumerate(self._names(home))]
        if any(target.exists() for _, target in there):
            raise UserError(f"{found.name} cannot be put back because another has that place: delete that first.")
        for source, target in reversed(there):  # the first, by which the thing is found, at last
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                source.rename(target)
        shutil.rmtree(home)
        return found

    def drop(self, key: str) -> None:
        """Removes a thing for good."""
        shutil.rmtree(self._folder / key, ignore_errors=True)

    def things(self) -> list[Deleted]:
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
            if count >= self._most or int(home.name) < oldest:
                self.drop(home.name)

    def _read(self, home: Path) -> Deleted | None:
        try:
            found = json.loads((home / WAS).read_text("utf-8"))
            names = self._names(home)
            thing = Deleted(home.name, names[0], str(found["title"]), str(found["owner"]), int(found["size"]))
        except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
            return None
        root = self._place.resolve()
        inside = all((self._place / name).resolve().is_relative_to(root) for name in names)
        return thing if inside and (home / "0").exists() else None

    def _names(self, home: Path) -> list[str]:
        return [str(name) for name in json.loads((home / WAS).read_text("utf-8"))["names"]]
