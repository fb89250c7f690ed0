"""The limits of the library of data sets, and which data sets make room for another one."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from core.data.untrusted import DataError
from core.data.zips.entries import Limits
from playground.data.stored.records import StoredDataSet
from playground.sharing.shares import find_share
from playground.support.visitors import VISITORS


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
        self,
        data_sets: Iterable[StoredDataSet],
        size: int,
        title: str,
        owner: str,
        may_remove: Callable[[StoredDataSet], bool],
    ) -> Sequence[StoredDataSet]:
        """Returns the data sets to remove for another one: only such as its owner may delete.

        Args:
            data_sets: The present ones, the least recently used ones first.
            size: Bytes of the other one.
            title: Its name, for the message.
            owner: The visitor who brings it.
            may_remove: Returns True for a data set that can be removed; asked only where one has to be.

        Raises:
            DataError: It does not fit even then.
        """
        share, kept, removed = self._share(), list(data_sets), []
        for each in [each for each in kept if VISITORS.may_change(each.owner, owner)]:
            if self._fits(kept, size) and share._fits(_of(owner, kept), size):
                break
            if may_remove(each):
                removed.append(each)
                kept.remove(each)
        if not share._fits(_of(owner, kept), size):
            raise DataError(
                f"There is no room for {title}: a visitor can have {share}, and yours are in use. Use a smaller one, "
                "or try again later."
            )
        if not self._fits(kept, size):
            raise DataError(
                f"There is no room for {title}: {self} are stored here, and the present ones are in use or belong to "
                "others. Use a smaller one, or try again later."
            )
        return removed

    def require_place(self, data_sets: Iterable[StoredDataSet], title: str, owner: str) -> None:
        """Raises `DataError` unless a visitor can have one more beside the present data sets."""
        present = list(data_sets)
        for bounds, kept in ((self, present), (self._share(), _of(owner, present))):
            if len(kept) >= bounds.sets:
                raise DataError(
                    f"There is no room for {title}: at most {bounds.sets} data sets are stored. Delete another one "
                    "first."
                )

    def _share(self) -> "Bounds":
        """Returns the limits for the data sets of one visitor."""
        share = find_share()
        return self._replace(sets=share.data_sets, size=share.data_bytes) if share else self

    def _fits(self, data_sets: Sequence[StoredDataSet], size: int) -> bool:
        """True if another data set of so many bytes fits beside some."""
        return len(data_sets) < self.sets and size + sum(each.size for each in data_sets) <= self.size

    def __str__(self) -> str:
        return f"at most {self.sets} data sets of {self.size / 2**30:g} GB in total"


def _of(owner: str, data_sets: Sequence[StoredDataSet]) -> list[StoredDataSet]:
    return [each for each in data_sets if each.owner == owner]
