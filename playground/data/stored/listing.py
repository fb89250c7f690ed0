"""The list of the data sets in a folder, which follows what any process adds to it or removes."""

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock

from playground.data.stored.records import StoredDataSet, read_record

FileStamp = tuple[int, int, int]
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
        with self._lock:
            stamps = self._find_records()
            self._known = {name: self._read(name, stamp) for name, stamp in stamps.items()}
            found = [each for _, each in self._known.values() if each]
        return {each.name: each for each in found if not each.uploaded or os.path.isdir(each.folder)}

    def _find_records(self) -> dict[str, FileStamp]:
        """Returns a stamp of each record, by the name of the data set; a folder that cannot be read has none."""
        found: dict[str, FileStamp] = {}
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.endswith(SUFFIX) and not entry.name.startswith("."):
                        with suppress(OSError):  # it has just been removed, or is a link to nothing
                            status = entry.stat()
                            found[entry.name[: -len(SUFFIX)]] = status.st_mtime_ns, status.st_size, status.st_ino
        except OSError:
            return found
        return found

    def _read(self, name: str, stamp: FileStamp) -> tuple[FileStamp, StoredDataSet | None]:
        known = self._known.get(name)
        return known if known and known[0] == stamp else (stamp, read_record(self._folder / f"{name}{SUFFIX}"))
