"""Evaluations on the disk: files with what `records` describes, and who they belong to."""

import hashlib
import json
import os
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from core.errors import UserError
from core.io.atomic import mark_used, write_text
from core.io.moving import remove
from core.io.parts import sweep_parts
from core.io.records import open_file, read_object
from core.runs.checkpoint import load_checkpoint, save_checkpoint
from core.runs.folder import RunError
from core.weights.sources import BUILTIN
from playground.albums.followers import DELETED, MOST_DELETED, UNDO_SECONDS
from playground.evaluations.records import StoredCurve, StoredEvaluation, from_state, to_state
from playground.sharing.shares import find_share
from playground.support.shared_folder import FolderLock, modified_at
from playground.support.trash import Trash

MAX_STORED = 100  # evaluations, each up to about 10 MB
FORMAT = 2  # raise this when networks detect something else or the layout of the files changes
SWEEP_SECONDS = 1.0  # for which a sweep waits until another process has made its change
SUFFIX, ORIGIN = ".safetensors", ".json"  # of the results, of what they were made from
LOCK = ".lock"  # held while the folder is changed


class Origin(NamedTuple):
    """What an evaluation was made from, and for whom.

    Attributes:
        source: That of its pictures.
        weights: Its weights.
        owner: The visitor who started it, see `playground.support.visitors`; "" if unknown.
    """

    source: str
    weights: str
    owner: str = ""


class Store:
    """Evaluations in a folder, by the keys of `keys`. The least recently used ones are removed first,
    those of a visitor with too many before those of others.

    Args:
        folder: The folder. It is created when the first evaluation is stored.
        size: The number of evaluations to keep.
    """

    def __init__(self, folder: Path, size: int = MAX_STORED) -> None:
        self._folder, self._size = folder.resolve(), size
        self._changing = FolderLock(self._folder / LOCK)
        self._trash = Trash(self._folder, MOST_DELETED, seconds=UNDO_SECONDS, folder=DELETED)

    def put(self, key: Hashable, record: StoredEvaluation | StoredCurve, origin: Origin) -> None:
        """Stores an evaluation completely or not at all; one that is made again stays whose it was.

        Raises:
            OSError, UserError: It cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(key)
        with self._changing.hold():
            try:
                if not (path.exists() and _read_origin(path.with_suffix(ORIGIN))):
                    # First: it tells how to delete the other.
                    write_text(path.with_suffix(ORIGIN), json.dumps(origin._asdict()))
                save_checkpoint(path, to_state(record))
            finally:
                self._drop_origins()
            with suppress(OSError):  # there is too much until the next one is stored
                self._make_room()

    def sweep(self) -> None:
        """Removes what killed processes left; does nothing in a folder that cannot be changed."""
        if self._folder.is_dir():
            with suppress(OSError, UserError), self._changing.hold(SWEEP_SECONDS):
                sweep_parts(self._folder)
                self._drop_origins()

    def _drop_origins(self) -> None:
        """Removes origins without a result."""
        self._trash.entries()  # which finishes the deletion of both first
        for path in self._folder.glob(f"*{ORIGIN}"):
            if not path.with_suffix(SUFFIX).exists():
                remove(path)

    def _make_room(self) -> None:
        """Removes the oldest evaluations of visitors with too many; if all are too many, of whoever has most."""
        share, kept = find_share(), dict[str, list[Path]]()  # by owner, the least recently used first
        for path in sorted(self._folder.glob(f"*{SUFFIX}"), key=modified_at):
            origin = _read_origin(path.with_suffix(ORIGIN))
            kept.setdefault(origin.owner if share and origin else "", []).append(path)
        for paths in kept.values():
            while share and len(paths) > share.stored_evaluations:
                _remove(paths.pop(0))
        while sum(map(len, kept.values())) > self._size:
            _remove(max(kept.values(), key=len).pop(0))

    def has(self, key: Hashable) -> bool:
        """True if there is a file for the key; cheap enough to be called whenever a knob moves."""
        return os.path.isfile(self._path(key))  # also False in a folder that cannot be looked into

    def get(self, key: Hashable) -> StoredEvaluation | StoredCurve | None:
        """Returns the evaluation stored under a key, None if there is none; a damaged file is removed."""
        path = self._path(key)
        try:
            open_file(path).close()
        except OSError:  # one that cannot be read now is not damaged
            return None
        try:
            record = from_state(load_checkpoint(path))
        except (RunError, KeyError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError):
            with suppress(OSError):
                _remove(path)
            return None
        with suppress(OSError):  # a folder that cannot be changed can be read
            mark_used(path)
        return record

    def hide(self, title: str, is_of: Callable[[Origin], bool]) -> None:
        """Moves the evaluations into the trash for whose origin a function returns True.

        Args:
            title: The name under which `restore` finds them.
            is_of: The function.
        """
        if not self._folder.is_dir():
            return
        with self._changing.hold():
            for path in self._folder.glob(f"*{ORIGIN}"):
                origin, stored = _read_origin(path), path.with_suffix(SUFFIX)
                if origin and is_of(origin) and stored.exists():
                    self._trash.put([stored.name, path.name], title)

    def restore(self, title: str) -> None:
        """Moves evaluations back from the trash; one that was computed anew in the meantime stays."""
        for each in self._trash.entries():
            if each.title == title:
                with suppress(UserError):
                    self._trash.put_back(each.key)

    def clean(self) -> None:
        """Erases evaluations that have been in the trash for too long."""
        self._trash.entries()

    def _path(self, key: Hashable) -> Path:
        # Keys hold plain values, tuples and frozen settings, so their repr is the same after a restart.
        text = repr((FORMAT, modified_at(BUILTIN), key))
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}{SUFFIX}"


def _remove(path: Path) -> None:
    """Removes the files of an evaluation."""
    for each in (path, path.with_suffix(ORIGIN)):
        remove(each)


def _read_origin(path: Path) -> Origin | None:
    """Returns the origin of a stored evaluation, None if its file is damaged."""
    try:
        values = read_object(path) or {}
        return Origin(str(values["source"]), str(values["weights"]), str(values.get("owner", "")))
    except (KeyError, TypeError):
        return None
