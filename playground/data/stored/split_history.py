"""The lists of splits that data sets had before they were split on the page: for undo, and for splits cut short.

A note is a file that holds the lists before a split, in its name the digest of those after it. It is written before the
lists are replaced, and the record of the data set, which says what lists it was checked with, afterwards. So whenever
the lists are not those of the record, a split was cut short, and its note tells what to put back.
"""

import hashlib
from collections.abc import Iterable
from glob import escape
from pathlib import Path

from core.data.splits import MAX_SPLITS_BYTES, SPLITS_FILE
from core.data.untrusted import read_bounded
from core.io.atomic import write_atomically
from core.io.moving import remove
from playground.data.stored.records import StoredDataSet
from playground.support.shared_folder import modified_at

NONE = "none"  # the digest where there are no lists
FOR_UNDO, WHILE_UNDOING = ".before", ".undone"  # of notes: the second ones are of no use once an undo is complete


class SplitHistory:
    """The notes on the splits of data sets.

    Args:
        folder: Where the notes lie. It is created when the first data set is split.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def note(self, name: str, before: bytes | None, made: bytes | None, *, undoing: bool = False) -> None:
        """Notes the lists of a data set before they are replaced.

        Args:
            name: The name of the data set.
            before: Its lists, None for none.
            made: The new lists, None for none.
            undoing: True if they undo a split.

        Raises:
            OSError: The note cannot be written.
        """
        if digest_lists(before) == digest_lists(made):  # an earlier note tells more
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self._path(name, digest_lists(made), WHILE_UNDOING if undoing else FOR_UNDO), before)

    def last(self, data_sets: Iterable[StoredDataSet]) -> str:
        """Returns the one of some data sets that was split last and has not changed since, "" for none."""
        times = {each.name: modified_at(self._path(each.name, each.lists or "", FOR_UNDO)) for each in data_sets}
        return max((name for name, time in times.items() if time), key=lambda name: times[name], default="")

    def before(self, data_set: StoredDataSet) -> bytes | None:
        """Returns the lists before the last split, None for none; raises `OSError` if they are not known."""
        return _read(self._path(data_set.name, data_set.lists or "", FOR_UNDO))

    def settle(self, data_set: StoredDataSet) -> None:
        """Puts the lists back that a data set was checked with, if a split was cut short, and drops what is of no use.

        Lists that were not made here, such as those of the command line, stay.

        Raises:
            OSError: They cannot be written.
        """
        notes = self._find(data_set.name)
        now = digest_lists(read_lists(data_set.folder)) if notes else data_set.lists
        for note in notes:
            if now != data_set.lists and _made_of(note) == now and digest_lists(_read(note)) == data_set.lists:
                write_lists(data_set.folder, _read(note))
                break
        for note in notes:
            if note.suffix == WHILE_UNDOING or _made_of(note) != data_set.lists:
                remove(note)

    def drop(self, name: str) -> None:
        """Forgets the splits of a data set."""
        for note in self._find(name):
            remove(note)

    def names(self) -> set[str]:
        """Returns the names of all data sets with notes."""
        return {path.name.rsplit(".", 2)[0] for path in self.folder.glob("[!.]*.*.*")}

    def _find(self, name: str) -> list[Path]:
        return [path for path in self.folder.glob(f"{escape(name)}.*.*") if path.name.rsplit(".", 2)[0] == name]

    def _path(self, name: str, made: str, suffix: str) -> Path:
        return self.folder / f"{name}.{made}{suffix}"


def read_lists(folder: Path) -> bytes | None:
    """Returns the file of lists that replace the splits of a data set's annotations; None if there is none.

    Raises:
        DataError: It cannot be read, or is too large.
    """
    path = folder / SPLITS_FILE
    return read_bounded(path, MAX_SPLITS_BYTES) if path.is_file() else None


def write_lists(folder: Path, lists: bytes | None) -> None:
    """Replaces the lists of a data set, or removes them for None; raises `OSError` if that is not possible."""
    if lists is None:
        remove(folder / SPLITS_FILE)
    else:
        with write_atomically(folder / SPLITS_FILE) as temporary:
            temporary.write_bytes(lists)


def digest_lists(lists: bytes | None) -> str:
    """Returns a digest of lists, `NONE` for none."""
    return NONE if lists is None else hashlib.sha256(lists).hexdigest()[:32]


def _made_of(note: Path) -> str:
    """Returns the digest of the lists after the split of a note."""
    return note.name.rsplit(".", 2)[1]


def _write(note: Path, lists: bytes | None) -> None:
    with write_atomically(note) as temporary:
        temporary.write_bytes(lists or b"")


def _read(note: Path) -> bytes | None:
    return note.read_bytes() or None
