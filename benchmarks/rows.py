"""What a comparison found: one line of the table that `python -m benchmarks` prints."""

from collections.abc import Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """One piece of work, done by two.

    Attributes:
        work: What is done, on what.
        baseline: Who it is compared with.
        theirs: Median seconds of the baseline.
        ours: Median seconds of ours.
        goal: How many times as fast ours should be; 0 where nothing is promised.
        note: What else is worth knowing, such as the distance to the machine's limit.
    """

    work: str
    baseline: str
    theirs: float
    ours: float
    goal: float = 0.0
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times as fast ours is."""
        return self.theirs / self.ours


def print_rows(rows: Iterable[Row]) -> None:
    """Prints one line a row."""
    for row in rows:
        goal = f"  (goal {row.goal:g}×)" if row.goal else ""
        times = f"{row.baseline} {1000 * row.theirs:,.1f} ms, ours {1000 * row.ours:,.1f} ms"
        print(f"{row.work:52} {times}: {row.ratio:.2f}×{goal}  {row.note}".rstrip(), flush=True)
