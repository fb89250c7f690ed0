"""A file of JSON lines that grows: what was read before is not read again."""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO


class JsonLines:
    """The records of a file so far, each a JSON object with a whole number "step".

    Args:
        path: Of the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._forget(0)

    def _forget(self, inode: int) -> None:
        self._records: tuple[dict[str, Any], ...] = ()
        self._place, self._inode = 0, inode

    def read(self) -> tuple[dict[str, Any], ...]:
        """Returns the records; a line still being written is left for the next time, what is no record is left out."""
        try:
            with self._path.open("rb") as file:
                self._follow(file)
        except FileNotFoundError:
            self._forget(0)
        return self._records

    def _follow(self, file: BinaryIO) -> None:
        found = os.fstat(file.fileno())
        if found.st_ino != self._inode or found.st_size < self._place:  # another file has taken its place
            self._forget(found.st_ino)
        if found.st_size == self._place:
            return
        file.seek(self._place)
        whole = [line for line in file if line.endswith(b"\n")]
        self._place += sum(map(len, whole))
        self._records += tuple(record for line in whole if (record := _record(line)))


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and type(record.get("step")) is int else None
