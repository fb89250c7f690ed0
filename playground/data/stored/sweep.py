"""Removes from the library what killed processes left, and completes or takes back what they had begun."""

from contextlib import suppress
from pathlib import Path

from core.errors import UserError
from core.io.moving import remove
from core.io.parts import sweep_parts
from playground.data.stored.listing import SUFFIX, Listing
from playground.data.stored.records import StoredDataSet, read_record
from playground.data.stored.split_history import SplitHistory
from playground.support.shared_folder import Uses


def sweep_library(folder: Path, listing: Listing, uses: Uses, splits: SplitHistory) -> None:
    """Brings a library into order, whose caller keeps others from changing it; what others use or make stays.

    Raises:
        OSError: The disk does not take the changes.
    """
    sweep_parts(folder)
    sweep_parts(splits.folder)
    for record in folder.glob(f"*{SUFFIX}"):
        data_set = read_record(record)
        if data_set and data_set.uploaded and not data_set.folder.is_dir():
            remove(record)
    data_sets = listing.read()
    for name in {*data_sets, *splits.names(), *uses.names()}.difference(listing.list_unread()):  # which may come back
        with suppress(OSError, UserError):  # a folder of the server may be read-only
            _settle(name, data_sets.get(name), uses, splits)


def _settle(name: str, data_set: StoredDataSet | None, uses: Uses, splits: SplitHistory) -> None:
    """Takes back a split that was cut short, or forgets a data set that is gone, unless somebody is at work on it."""
    with uses.alone(name) as free:
        if free and data_set:
            sweep_parts(data_set.folder)
            splits.settle(data_set)
        elif free:
            splits.drop(name)
            uses.drop(name)
