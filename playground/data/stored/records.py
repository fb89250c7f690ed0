"""The records of stored data sets: one JSON file for each, beside its folder."""

import json
import os
import time
from pathlib import Path
from typing import NamedTuple

from core.analysis.dataset_check import DataCheck
from core.data.dataset import SPLITS
from core.data.files import list_files
from core.data.splits import SPLITS_FILE
from core.data.untrusted import DataError
from core.io.atomic import write_text
from core.io.records import read_object


class StoredDataSet(NamedTuple):
    """A data set in the library.

    Attributes:
        name: Unique in the library.
        folder: The folder with its pictures and annotations.
        uploaded: True if the folder belongs to the library, False if it is another folder of the server.
        size: Bytes of an uploaded data set, else 0.
        stamp: Changes with the pictures or splits.
        check: The result of checking it.
        owner: The visitor who added it, see `playground.support.visitors`; "" if unknown.
        format: The key of the annotation format that the visitor chose; None if there is no choice.
        lists: The digest of the lists of splits that it was checked with, see `split_history`; None if unknown.
    """

    name: str
    folder: Path
    uploaded: bool
    size: int
    stamp: int
    check: DataCheck
    owner: str = ""
    format: str | None = None
    lists: str | None = None

    @property
    def splits(self) -> dict[str, int]:
        """The number of pictures in each split."""
        return {name: split.pictures for name, split in self.check.splits.items()}


def read_record(path: Path) -> StoredDataSet | None:
    """Reads a data set from its record, NAME.json; returns None if the record is damaged."""
    try:
        values = read_object(path) or {}
        folder = Path(values["folder"]) if values["folder"] else path.with_suffix("")
        check = DataCheck.from_dict(values["check"])
        size, owner, format = int(values["size"]), str(values.get("owner", "")), values.get("format")
        uploaded = not values["folder"]
        stamp, lists = compute_stamp(folder, uploaded=uploaded), values.get("lists")
        format, lists = (None if each is None else str(each) for each in (format, lists))
        if not set(check.splits) <= set(SPLITS) or not os.path.isabs(folder):
            return None
        return StoredDataSet(path.stem, folder, uploaded, size, stamp, check, owner, format, lists)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def stand_in(path: Path) -> StoredDataSet:
    """Returns what stands for a data set whose record is damaged: its name, and the folder that it has if uploaded."""
    return StoredDataSet(path.stem, path.with_suffix(""), True, 0, 0, DataCheck(None, (), {}, {}, ()))


def write_record(path: Path, data_set: StoredDataSet) -> None:
    """Writes the record of a data set."""
    folder = None if data_set.uploaded else str(data_set.folder)
    values = {
        "folder": folder, "size": data_set.size, "check": data_set.check.to_dict(), "owner": data_set.owner,
        "format": data_set.format, "lists": data_set.lists,
    }  # fmt: skip
    write_text(path, json.dumps(values))


def compute_stamp(folder: Path, *, uploaded: bool) -> int:
    """Returns a number that changes with a data set: of an uploaded one only its lists of splits can change."""
    if not uploaded:
        try:
            return int(list_files(folder).stamp[:15], 16)
        except DataError:
            return time.time_ns()
    paths = (folder, folder / SPLITS_FILE)
    return max((path.stat().st_mtime_ns for path in paths if path.exists()), default=time.time_ns())
