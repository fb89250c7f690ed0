"""The trash: deleted runs and data sets, which can be put back until they are removed for good."""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from core.errors import UserError
from core.io.atomic import write_text

FOLDER = ".trash"  # inside the folder from which things are deleted
MOST, SECONDS = 20, 7 * 86400  # number of entries to keep, and for how long
WAS = "was.json"  # describes an entry; beside it lie the deleted paths, renamed to 0, 1, …


class Deleted(NamedTuple):
    """An entry of the trash.

    Attributes:
        key: Its name in the trash.
        name: Its path in the folder from which it was deleted.
        title: Its name for people.
        owner: The visitor who made it, see `playground.support.visitors`.
        size: Bytes, 0 if unknown.
    """

    key: str
    name: str
    title: str
    owner: str = ""
    size: int = 0


class Trash:
    """The trash of a folder.

    Args:
        root: The folder.
        most: Number of entries to keep.
        seconds: For how long they are kept.
        folder: Name of the folder inside the root that holds them.
    """

    def __init__(self, root: Path, most: int = MOST, *, seconds: float = SECONDS, folder: str = FOLDER) -> None:
        self._root, self._most, self._seconds = root, most, seconds
        self._folder = root / folder

    def put(self, names: Sequence[str], title: str, owner: str = "", size: int = 0) -> Deleted:
        """Moves paths of the folder into the trash as one entry: either all of them or none.

        Args:
            names: The paths. All but the first may be missing.
            title: Name of the entry for people.
            owner: The visitor who made it.
            size: Bytes.

        Raises:
            OSError: A path cannot be moved.
        """
        key = str(time.time_ns())
        entry = self._folder / key
        moved: list[tuple[int, str]] = []
        entry.mkdir(parents=True)
        try:
            for number, name in enumerate(names):
                if number == 0 or (self._root / name).exists():
                    (self._root / name).rename(entry / str(number))
                    moved.append((number, name))
            write_text(entry / WAS, json.dumps({"names": names, "title": title, "owner": owner, "size": size}))
        except OSError:
            for number, name in moved:
                (entry / str(number)).rename(self._root / name)
            shutil.rmtree(entry)
            raise
        self._remove_old()
        return Deleted(key, names[0], title, owner, size)

    def path(self, key: str) -> Path:
        """Returns where the first path of an entry lies now."""
        return self._folder / key / "0"

    def get(self, key: str) -> Deleted:
        """Returns an entry.

        Raises:
            UserError: It is no longer in the trash.
        """
        found = next((each for each in self.entries() if each.key == key), None)
        if found is None:
            raise UserError("It is no longer in the trash: it has already been put back, or was removed for good.")
        return found

    def put_back(self, key: str) -> Deleted:
        """Moves an entry back to its former path.

        Raises:
            UserError: It is no longer in the trash, or its former path is taken.
        """
        found, entry = self.get(key), self._folder / key
        moves = [(entry / str(number), self._root / name) for number, name in enumerate(self._read_names(entry))]
        if any(target.exists() for _, target in moves):
            raise UserError(f"{found.name} cannot be put back because its name is taken: delete the other one first.")
        for source, target in reversed(moves):  # the first path, which makes the thing visible, comes last
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                source.rename(target)
        shutil.rmtree(entry)
        return found

    def remove(self, key: str) -> None:
        """Removes an entry for good."""
        shutil.rmtree(self._folder / key, ignore_errors=True)

    def entries(self) -> list[Deleted]:
        """Returns the entries, the latest first."""
        if not self._folder.is_dir():
            return []
        self._remove_old()
        return [found for entry in self._entry_folders() if (found := self._read(entry))]

    def _entry_folders(self) -> list[Path]:
        folders = [folder for folder in self._folder.iterdir() if folder.name.isdecimal()]
        return sorted(folders, key=lambda folder: int(folder.name), reverse=True)

    def _remove_old(self) -> None:
        oldest = time.time_ns() - int(self._seconds * 1e9)
        for count, folder in enumerate(self._entry_folders()):
            if count >= self._most or int(folder.name) < oldest:
                self.remove(folder.name)

    def _read(self, entry: Path) -> Deleted | None:
        """Reads an entry, None if its description is damaged or names a path outside of the folder."""
        try:
            values = json.loads((entry / WAS).read_text("utf-8"))
            names = self._read_names(entry)
            deleted = Deleted(entry.name, names[0], str(values["title"]), str(values["owner"]), int(values["size"]))
            inside = all((self._root / name).resolve().is_relative_to(self._root.resolve()) for name in names)
        except (OSError, ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError, RuntimeError):
            return None
        return deleted if inside and (entry / "0").exists() else None

    def _read_names(self, entry: Path) -> list[str]:
        return [str(name) for name in json.loads((entry / WAS).read_text("utf-8"))["names"]]
