"""A journal: the records of a long computation, appended to a file as they are made, so that it can be continued."""

import json
import zlib
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any, Self

from core.io.atomic import OutputError, append
from core.io.locks import FileLock
from core.io.troubles import naming


class Journal:
    """Records by key in a file; the first one is a header that says what they depend on.

    A record is a line: the checksum of its JSON text, and the text. It is complete as soon as it is added. Only the
    places of records are kept in memory. Other processes cannot use the file meanwhile.

    Args:
        path: The file, created if it does not exist.
        keep: Whether to keep its records.

    Raises:
        OutputError: Another process uses it, or it holds something else than a journal.
    """

    def __init__(self, path: Path, *, keep: bool) -> None:
        self.path = path
        lock = FileLock.try_acquire(path)
        if lock is None or not lock.is_on(path):  # or the other run has just ended and deleted it
            raise OutputError(f"{path} is used by another run: wait for it, or name another file.")
        self._lock, self._file = lock, FileIO(lock.file, "r+", closefd=False)
        self._places: dict[str, tuple[int, int]] = {}  # where each record begins, and its length
        self.header: dict[str, Any] = {}
        if not keep:
            self._file.truncate(0)
        self._read()

    def _read(self) -> None:
        """Reads the header and the places of all records; drops what follows a line that was cut or changed."""
        end = 0
        with open(self._lock.file, "rb", closefd=False) as lines:
            for number, line in enumerate(lines):
                record = _parse(line)
                if number == 0 and record is None and line.endswith(b"\n"):
                    self.close()
                    raise OutputError(f"{self.path} holds something else than the state of a run: move it away.")
                if record is None:
                    break
                if number == 0:
                    self.header = record
                else:
                    self._places[str(record.get("key"))] = end, len(line)
                end += len(line)
        self._file.truncate(end)

    @property
    def count(self) -> int:
        """The number of records."""
        return len(self._places)

    def begin(self, header: Mapping[str, Any]) -> None:
        """Writes the header of an empty journal."""
        self._append(header)
        self.header = dict(header)

    def add(self, key: str, record: Mapping[str, Any]) -> None:
        """Adds a record; it replaces an earlier one of the same key."""
        self._places[key] = self._append({"key": key, **record})

    def find(self, key: str) -> dict[str, Any] | None:
        """Returns the record of a key, None if there is none."""
        if key not in self._places:
            return None
        place, length = self._places[key]
        self._file.seek(place)
        return _parse(self._file.read(length))

    def _append(self, record: Mapping[str, Any]) -> tuple[int, int]:
        """Writes a line and returns its place; on an error nothing of it remains, so that it can be tried again."""
        text = json.dumps(record, allow_nan=False).encode()
        line = _checksum(text) + text + b"\n"
        with naming(self.path):
            return append(self._file, line), len(line)

    def delete(self) -> None:
        """Closes and deletes the file."""
        self._lock.remove(self.path)

    def close(self) -> None:
        """Closes the file and lets other processes use it."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _checksum(text: bytes) -> bytes:
    return b"%08x " % zlib.crc32(text)


def _parse(line: bytes) -> dict[str, Any] | None:
    """Returns the record of a complete line, None if it holds none, or was changed."""
    text = line[len(_checksum(b"")) : -1]
    if line != _checksum(text) + text + b"\n":
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
