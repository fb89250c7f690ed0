"""Incremental reading of a JSON Lines file that another process appends to."""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO


class JsonLines:
    """The records of a growing file, each a JSON object with an integer "step"; only new lines are read and parsed.

    Args:
        path: Path of the file, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reset(inode=0)

    def _reset(self, *, inode: int) -> None:
        self._records: tuple[dict[str, Any], ...] = ()
        self._offset, self._inode = 0, inode

    def read(self) -> tuple[dict[str, Any], ...]:
        """Returns all records so far, without an unfinished last line and without lines that hold no record."""
        try:
            with self._path.open("rb") as file:
                self._read_new_lines(file)
        except FileNotFoundError:
            self._reset(inode=0)
        return self._records

    def _read_new_lines(self, file: BinaryIO) -> None:
        found = os.fstat(file.fileno())
        if found.st_ino != self._inode or found.st_size < self._offset:  # the file has been replaced
            self._reset(inode=found.st_ino)
        if found.st_size == self._offset:
            return
        file.seek(self._offset)
        complete = [line for line in file if line.endswith(b"\n")]
        self._offset += sum(map(len, complete))
        self._records += tuple(record for line in complete if (record := _parse(line)))


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and type(record.get("step")) is int else None
