"""JSON Lines files: appending to one, and reading one incrementally that another process appends to."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from core.io.atomic import append
from core.io.records import is_missing, open_file

MAX_BYTES = 2**30  # of a file; a million steps have a third
MAX_LINE = 2**20  # bytes; a thousand boxes have a tenth
MAX_STEP = 10**12  # a number beyond it is no step of a run


class JsonLines:
    """The records of a growing file, each a JSON object with an integer "step"; only new lines are read and parsed.

    Args:
        path: Path of the file, which need not exist yet.

    Attributes:
        lost: Number of complete lines that hold no record.
        is_readable: False if there is a file that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reset(inode=0)

    def _reset(self, *, inode: int) -> None:
        self._records: tuple[dict[str, Any], ...] = ()
        self._offset, self._inode = 0, inode
        self.lost, self.is_readable = 0, True

    def read(self) -> tuple[dict[str, Any], ...]:
        """Returns all records so far, without an unfinished last line and without lines that hold no record."""
        try:
            with open_file(self._path) as file:
                self._read_new_lines(file)
        except OSError:
            self._reset(inode=0)
            self.is_readable = is_missing(self._path)
        return self._records

    def _read_new_lines(self, file: BinaryIO) -> None:
        found = os.fstat(file.fileno())
        if found.st_size > MAX_BYTES:
            raise OSError(f"{self._path} has more than {MAX_BYTES:,} bytes.")
        if found.st_ino != self._inode or found.st_size < self._offset:  # the file has been replaced
            self._reset(inode=found.st_ino)
        if found.st_size == self._offset:
            return
        file.seek(self._offset)
        records = []
        for line in _complete_lines(file):
            self._offset = file.tell()
            record = _parse(line)
            if record is None:
                self.lost += 1
            else:
                records.append(record)
        self._records += tuple(records)


def _complete_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yields the lines up to the first that is unfinished; one that is longer than `MAX_LINE` as an empty line."""
    while line := file.readline(MAX_LINE):
        is_long = not line.endswith(b"\n")
        while not line.endswith(b"\n"):
            if len(line) < MAX_LINE:
                return
            line = file.readline(MAX_LINE)
        yield b"" if is_long else line


def append_json_line(path: Path, record: dict[str, Any]) -> None:
    """Appends a record to a file, or nothing on an error: half a line would make the next one unreadable.

    Raises:
        OSError: It cannot be written.
    """
    with path.open("ab", buffering=0) as file:
        append(file, json.dumps(record).encode() + b"\n")


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    step = record.get("step") if isinstance(record, dict) else None
    return record if type(step) is int and 0 <= step <= MAX_STEP else None
