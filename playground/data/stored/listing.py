"""The list of the data sets in a folder, which follows what any process adds to it or removes."""

import os
from pathlib import Path
from threading import Lock

from core.io.records import is_missing
from playground.data.stored.records import StoredDataSet, read_record

FileStamp = tuple[int, int, int, int]
SUFFIX = ".json"  # of records


class Listing:
    """The data sets with a record in a folder; a record is read again only if its file has changed.

    Args:
        folder: The folder; there may be none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[FileStamp, StoredDataSet | None]] = {}  # None for a damaged record
        self._lock = Lock()

    def read(self) -> dict[str, StoredDataSet]:
        """Returns the data sets by name. An uploaded one is complete, and is listed, when its folder is there, too."""
        found = [each for each in self._read_all().values() if each]
        return {each.name: each for each in found if not each.uploaded or os.path.isdir(each.folder)}

    def list_unread(self) -> list[str]:
        """Returns the names of the data sets whose records cannot be read."""
        return sorted(name for name, found in self._read_all().items() if found is None)

    def is_readable(self) -> bool:
        """Returns False if there is a folder that cannot be read."""
        return is_missing(self._folder) or os.access(self._folder, os.R_OK | os.X_OK)

    def _read_all(self) -> dict[str, StoredDataSet | None]:
        with self._lock:
            self._known = {name: self._read(name, stamp) for name, stamp in self._find_records().items()}
            return {name: found for name, (_, found) in self._known.items()}

    def _find_records(self) -> dict[str, FileStamp]:
        """Returns a stamp of each record, by the name of the data set; a folder that cannot be read has none."""
        try:
            with os.scandir(self._folder) as entries:
                names = [each.name for each in entries if each.name.endswith(SUFFIX) and not each.name.startswith(".")]
        except OSError:
            return {}
        stamps = {name[: -len(SUFFIX)]: _stamp(self._folder / name) for name in names}
        return {name: stamp for name, stamp in stamps.items() if stamp}

    def _read(self, name: str, stamp: FileStamp) -> tuple[FileStamp, StoredDataSet | None]:
        known = self._known.get(name)
        return known if known and known[0] == stamp else (stamp, read_record(self._folder / f"{name}{SUFFIX}"))


def _stamp(record: Path) -> FileStamp | None:
    """Returns a stamp that changes with a record and with who may read it; None if it has just been removed."""
    try:
        status = record.stat()
    except OSError:
        return None if is_missing(record) else (0, 0, 0, 0)  # a link to nothing
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode
