"""Splitting stored data sets again, and undoing that: completely or not at all."""

from collections.abc import Sequence

from core.config import Config
from core.data.folders import GIVEN, SPLIT_METHODS, make_lists
from core.data.splits import format_splits
from core.data.untrusted import DataError, quote
from core.io.paths import hide_folder
from playground.data.checking import check_stored
from playground.data.stored.library import DataSetLibrary
from playground.data.stored.records import StoredDataSet, compute_stamp
from playground.data.stored.split_history import digest_lists, read_lists, write_lists

SPLIT_CHOICES = (GIVEN, *SPLIT_METHODS)


def split(library: DataSetLibrary, name: str, by: str, shares: Sequence[float], config: Config) -> StoredDataSet:
    """Splits a data set again and checks it, see `DataSets.split`."""
    if by not in SPLIT_CHOICES:
        raise DataError(f"{quote(by)} is not a way to split a data set: choose one of {', '.join(SPLIT_CHOICES)}.")
    with library.alone(name) as data_set:
        try:
            lists = make_lists(data_set.folder, by, shares, config.training.seed, format=data_set.format)
        except DataError as error:
            raise DataError(hide_folder(str(error), data_set.folder, name)) from None
        after = None if lists is None else format_splits(lists).encode()
        return _replace_lists(library, data_set, read_lists(data_set.folder), after, config)


def undo_split(library: DataSetLibrary, name: str, config: Config) -> StoredDataSet:
    """Restores the splits that a data set had before it was split last, see `DataSets.undo_split`."""
    with library.alone(name) as data_set:
        before = read_lists(data_set.folder)
        if digest_lists(before) != data_set.lists or not library.splits.last([data_set]):
            raise DataError(f"The last split of {name} cannot be undone any more: split the data set again.")
        return _replace_lists(library, data_set, before, library.splits.before(data_set), config, undoing=True)


def _replace_lists(
    library: DataSetLibrary,
    data_set: StoredDataSet,
    before: bytes | None,
    lists: bytes | None,
    config: Config,
    *,
    undoing: bool = False,
) -> StoredDataSet:
    """Replaces the lists of a data set, checks it, and stores the result; an error leaves everything as it was."""
    if data_set.lists != digest_lists(before):  # a record of an earlier version, or lists of the command line
        data_set = library.put(data_set._replace(lists=digest_lists(before)))
    library.splits.note(data_set.name, before, lists, undoing=undoing)
    try:
        write_lists(data_set.folder, lists)
        check = check_stored(data_set.folder, config, format=data_set.format)
        stamp = compute_stamp(data_set.folder, uploaded=data_set.uploaded)
        after = library.put(data_set._replace(check=check, stamp=stamp, lists=digest_lists(lists)))
    except BaseException:
        library.splits.settle(data_set)
        raise
    library.splits.settle(after)
    return after
