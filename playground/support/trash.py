"""The trash: deleted runs and data sets, which can be put back until they are removed for good.

Each change is safe from a kill at any instant, and can be repeated. A note is written before anything is moved into the
trash, and removed after everything was moved back. The first path of an entry, which makes the thing visible, is moved
first into the trash and last out of it: an entry without it holds nothing that is deleted.
"""

import errno
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import UserError
from core.io.atomic import write_text
from core.io.locks import FileLock
from core.io.moving import rename
from core.io.parts import SUFFIX, sweep_parts
from core.io.paths import is_path
from core.io.records import read_json
from playground.support.age import grow_age

FOLDER = ".trash"  # inside the folder from which things are deleted
MOST, SECONDS = 20, 7 * 86400  # number of entries of a visitor to keep, and for how long
VISITORS = 10  # who can have so many entries at a time; beyond, those of whoever has most are removed first
WAS = "was.json"  # describes an entry; beside it lie the deleted paths, renamed to 0, 1, …
PRESENT = "present"  # its key: all its paths were there; the notes of earlier versions also name missing ones
AGE = "age.json"  # how long an entry has been in the trash
LOCK = ".lock"  # held while the trash is changed
AGE_PARTS = 200  # parts of the time for which an entry is kept, after each of which its age is noted


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
        most: Number of entries of a visitor to keep.
        seconds: For how long they are kept.
        folder: Name of the folder inside the root that holds them.
    """

    def __init__(self, root: Path, most: int = MOST, *, seconds: float = SECONDS, folder: str = FOLDER) -> None:
        self._root, self._most, self._seconds = root, most, seconds
        self._folder = root / folder

    def put(self, names: Sequence[str], title: str, owner: str = "", size: int = 0) -> Deleted:
        """Moves paths of the folder into the trash as one entry: either all of them or none.

        A process that is killed meanwhile leaves all of them in place or the entry in the trash.

        Args:
            names: The paths. All but the first may be missing.
            title: Name of the entry for people.
            owner: The visitor who made it.
            size: Bytes.

        Raises:
            OSError: A path cannot be moved.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock.acquire(self._folder / LOCK):
            if not (self._root / names[0]).exists():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), names[0])
            present = [name for name in names if (self._root / name).exists()]
            keys = [int(entry.name) for entry in self._entry_folders()]
            key = str(max([time.time_ns(), *(key + 1 for key in keys)]))  # later than all, also if the clock went back
            note = {"names": present, "title": title, "owner": owner, "size": size, PRESENT: True}
            try:
                self._move_in(self._folder / key, present, json.dumps(note))
            except OSError:
                self._erase(key)
                raise
            self._tidy()
        return Deleted(key, names[0], title, owner, size)

    def _move_in(self, entry: Path, names: Sequence[str], note: str) -> None:
        entry.mkdir()
        write_text(entry / WAS, note)
        grow_age(entry / AGE, every=0)
        try:
            for number, name in enumerate(names):
                rename(self._root / name, entry / str(number))
        except OSError:
            self._move_out(entry, names)
            raise

    def _move_out(self, entry: Path, names: Sequence[str]) -> None:
        for number, name in reversed(list(enumerate(names))):
            source, target = entry / str(number), self._root / name
            if source.exists():  # else it is still, or already, in its place
                target.parent.mkdir(parents=True, exist_ok=True)
                rename(source, target)

    def path(self, key: str) -> Path:
        """Returns where the first path of an entry lies now."""
        return self._folder / key / "0"

    def get(self, key: str) -> Deleted:
        """Returns an entry.

        Raises:
            UserError: It is no longer in the trash.
        """
        return self._find(key, self.entries())

    def put_back(self, key: str) -> Deleted:
        """Moves an entry back to its former path; after a kill meanwhile, it can be repeated.

        Raises:
            UserError: It is no longer in the trash, or its former path is taken.
        """
        if not self._folder.is_dir():
            return self._find(key, [])
        with FileLock.acquire(self._folder / LOCK):
            found, entry = self._find(key, self._read_all()), self._folder / key
            names = self._read_names(entry)
            if any(
                (entry / str(number)).exists() and (self._root / name).exists() for number, name in enumerate(names)
            ):
                raise UserError(
                    f"{found.name} cannot be put back because its name is taken: delete the other one first."
                )
            self._move_out(entry, names)
            self._erase(key)
        return found

    def remove(self, key: str) -> None:
        """Removes an entry for good."""
        if self._folder.is_dir():
            with FileLock.acquire(self._folder / LOCK):
                self._finish_deletion(self._folder / key)
                self._erase(key)

    def entries(self) -> list[Deleted]:
        """Returns the entries, the latest first."""
        if not self._folder.is_dir():
            return []
        lock = None
        with suppress(OSError):  # nothing is tidied up in a folder that cannot be changed
            lock = FileLock.try_acquire(self._folder / LOCK, timeout=0)
        if lock:  # else somebody is at work here, and tidies up afterwards
            with lock:
                self._tidy()
        return self._read_all()

    def _find(self, key: str, entries: Sequence[Deleted]) -> Deleted:
        found = next((each for each in entries if each.key == key), None)
        if found is None:
            raise UserError("It is no longer in the trash: it has already been put back, or was removed for good.")
        return found

    def _entry_folders(self) -> list[Path]:
        folders = [folder for folder in self._folder.iterdir() if folder.name.isdecimal()]
        return sorted(folders, key=lambda folder: int(folder.name), reverse=True)

    def _tidy(self) -> None:
        """Finishes what killed processes began, and removes old entries for good; the caller holds the lock."""
        sweep_parts(self._folder)
        entries = self._entry_folders()
        whole = [entry for entry in entries if (entry / "0").exists()]
        for entry in whole:
            sweep_parts(entry)
            self._finish_deletion(entry)
        ages = [grow_age(entry / AGE, every=self._seconds / AGE_PARTS) for entry in whole]
        owners = [found.owner if (found := self._read(entry)) else "" for entry in whole]
        surplus = find_surplus(owners, self._most, VISITORS * self._most)
        old = [entry for count, entry in enumerate(whole) if count in surplus or ages[count] > self._seconds]
        for entry in (*old, *(each for each in entries if each not in whole)):
            self._erase(entry.name)

    def _finish_deletion(self, entry: Path) -> None:
        """Moves what a killed deletion left in place after the first path."""
        deleted = self._read(entry)
        note = _read_note(entry) if deleted else {}
        if deleted and note.get(PRESENT) and not (self._root / deleted.name).exists():
            for number, name in enumerate(note["names"]):
                if not (entry / str(number)).exists():
                    with suppress(OSError):
                        rename(self._root / name, entry / str(number))

    def _erase(self, key: str) -> None:
        """Removes an entry, whose first path is moved, or not wanted any more; half of it is never seen as an entry."""
        with suppress(OSError):
            rename(self._folder / key, self._folder / f".{key}{SUFFIX}")
        sweep_parts(self._folder)

    def _read_all(self) -> list[Deleted]:
        return [found for entry in self._entry_folders() if (found := self._read(entry))]

    def _read(self, entry: Path) -> Deleted | None:
        """Reads an entry, None if its description is damaged or names a path outside of the folder."""
        try:
            values, names = _read_note(entry), self._read_names(entry)
            deleted = Deleted(entry.name, names[0], str(values["title"]), str(values["owner"]), int(values["size"]))
            inside = all(map(is_path, names)) and all(
                (self._root / name).resolve().is_relative_to(self._root.resolve()) for name in names
            )
        except (OSError, ValueError, KeyError, TypeError, IndexError, OverflowError, RuntimeError):
            return None
        return deleted if inside and (entry / "0").exists() else None

    def _read_names(self, entry: Path) -> list[str]:
        return [str(name) for name in _read_note(entry)["names"]]


def find_surplus(owners: Sequence[str], most: int, total: int) -> set[int]:
    """Returns the indices of the entries that are too many: one visitor's deletions never push out another's.

    Args:
        owners: To whom each entry belongs, the latest first.
        most: Number of entries of a visitor to keep.
        total: Number of all entries to keep; the oldest of whoever has most go first.
    """
    kept: dict[str, list[int]] = {}
    for index, owner in enumerate(owners):
        kept.setdefault(owner, []).append(index)
    kept = {owner: indices[:most] for owner, indices in kept.items()}
    while sum(map(len, kept.values())) > total:
        max(kept.values(), key=len).pop()
    return set(range(len(owners))) - {index for indices in kept.values() for index in indices}


def _read_note(entry: Path) -> dict[str, Any]:
    """Reads the description of an entry; raises OSError or ValueError if there is none."""
    note = read_json(entry / WAS)
    if not isinstance(note, dict):
        raise ValueError(f"{entry / WAS} does not describe an entry.")
    return note
