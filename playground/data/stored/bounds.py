"""The limits of the library of data sets, and which data sets make room for another one."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from core.data.untrusted import DataError
from core.data.zip_import import Limits
from playground.data.stored.records import StoredDataSet


class Bounds(NamedTuple):
    """Limits of the library, which all visitors share.

    Attributes:
        sets: The number of data sets.
        size: Bytes of all uploaded data sets together.
        zip: Limits of one zip archive.
    """

    sets: int = 12
    size: int = 8 * 2**30
    zip: Limits = Limits(size=4 * 2**30, files=100_000)

    def choose_removed(
        self, data_sets: Iterable[StoredDataSet], size: int, title: str, may_remove: Callable[[StoredDataSet], bool]
    ) -> Sequence[StoredDataSet]:
        """Returns the data sets to remove for another one.

        Args:
            data_sets: The present ones, the least recently used ones first.
            size: Bytes of the other one.
            title: Its name, for the message.
            may_remove: Returns True for a data set that can be removed; asked only where one has to be.

        Raises:
            DataError: It does not fit even then.
        """
        present = list(data_sets)
        total, count = size + sum(each.size for each in present), len(present) + 1
        removed = []
        for each in present:
            if self._fits(total, count):
                break
            if may_remove(each):
                removed.append(each)
                total, count = total - each.size, count - 1
        if not self._fits(total, count):
            raise DataError(
                f"There is no room for {title}: at most {self.sets} data sets of {self.size / 2**30:g} GB in total are "
                "stored, and the present ones are in use. Use a smaller one, or try again later."
            )
        return removed

    def require_place(self, count: int, title: str) -> None:
        """Raises `DataError` unless one more than so many data sets can be stored."""
        if count >= self.sets:
            raise DataError(
                f"There is no room for {title}: at most {self.sets} data sets are stored. Delete another one first."
            )

    def _fits(self, total: int, count: int) -> bool:
        return total <= self.size and count <= self.sets
