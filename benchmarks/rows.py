"""The results of a comparison: the rows that `python -m benchmarks` prints."""

from collections.abc import Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """The times of two implementations of the same work.

    Attributes:
        work: Description of the work.
        baseline: Name of the implementation that ours is compared with.
        theirs: Median time of the baseline in seconds.
        ours: Median time of ours in seconds.
        goal: Required speed-up over the baseline; 0 if there is none.
        note: Further information, such as the machine's limit.
    """

    work: str
    baseline: str
    theirs: float
    ours: float
    goal: float = 0.0
    note: str = ""

    @property
    def ratio(self) -> float:
        """The speed-up over the baseline."""
        return self.theirs / self.ours


def print_rows(rows: Iterable[Row]) -> None:
    """Prints one line per row."""
    for row in rows:
        goal = f"  (goal {row.goal:g}×)" if row.goal else ""
        times = f"{row.baseline} {1000 * row.theirs:,.1f} ms, ours {1000 * row.ours:,.1f} ms"
        print(f"{row.work:52} {times}: {row.ratio:.2f}×{goal}  {row.note}".rstrip(), flush=True)
