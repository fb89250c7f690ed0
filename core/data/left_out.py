"""What cannot be used of a data set: it is left out, counted and described, instead of stopping everything."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from core.data.annotations import (
    BAD_FILE,
    BAD_OBJECT,
    BAD_PATH,
    ORPHAN_LABELS,
    UNKNOWN_CLASS,
    UNKNOWN_PICTURE,
)

MISSING, UNREADABLE, OTHER_SIZE = "missing picture", "unreadable picture", "other size"
EMPTY_BOX, OUTSIDE_BOX = "empty box", "outside box"
UNLISTED, GONE = "unlisted picture", "picture that is gone"
# The descriptions follow a count. UNKNOWN_CLASS is not among them: it is refused, never left out.
DESCRIPTIONS = MappingProxyType(
    {
        BAD_FILE: "annotation files that cannot be read",
        BAD_PATH: "picture paths that cannot be used",
        BAD_OBJECT: "objects without a box of four numbers",
        UNKNOWN_CLASS: "objects of an unknown class",
        UNKNOWN_PICTURE: "objects of pictures that are not listed",
        ORPHAN_LABELS: "label files without a picture",
        MISSING: "pictures that do not exist",
        UNREADABLE: "pictures that cannot be opened",
        OTHER_SIZE: "pictures with a size that differs from the annotated one, so that boxes would be misplaced",
        UNLISTED: "pictures in no split",
        GONE: "pictures that a list of splits names, but the data set no longer has",
        EMPTY_BOX: "boxes without area or with a coordinate that is not a number",
        OUTSIDE_BOX: "boxes outside their picture",
    }
)
MAX_EXAMPLES = 1000  # stored examples of one kind


class LeftOut(NamedTuple):
    """What was left out of a data set, all its splits together.

    Attributes:
        counts: The number of occurrences by kind, a key of `DESCRIPTIONS`; only kinds that occur.
        examples: Messages that locate the first `MAX_EXAMPLES` occurrences, by kind.
    """

    counts: Mapping[str, int] = MappingProxyType({})
    examples: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    def __bool__(self) -> bool:
        """True if anything was left out."""
        return bool(self.counts)

    def describe(self) -> str:
        """Returns the counts as a sentence with the first example of each kind; "" if nothing was left out."""
        if not self.counts:
            return ""
        parts = (f"{count:,} {DESCRIPTIONS[kind]} ({self.examples[kind][0]})" for kind, count in self.counts.items())
        return f"Left out: {'; '.join(parts)}."

    def to_dict(self) -> dict[str, Any]:
        """Returns the counts and examples as plain values for JSON."""
        return {"counts": dict(self.counts), "examples": {kind: list(each) for kind, each in self.examples.items()}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returns; raises `KeyError` or `TypeError` for anything else."""
        examples = {str(kind): tuple(map(str, each)) for kind, each in values["examples"].items()}
        return cls({str(kind): int(count) for kind, count in values["counts"].items()}, examples)


class Tally:
    """Counts what is left out; repeated messages count once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._counts: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, kind: str, message: str, count: int = 1) -> None:
        """Adds occurrences; can be passed to a reader as its `ReportProblem`."""
        key = hash((kind, message))
        if key in self._seen:
            return
        self._seen.add(key)
        self._counts[kind] = self._counts.get(kind, 0) + count
        examples = self._examples.setdefault(kind, [])
        if len(examples) < MAX_EXAMPLES:
            examples.append(message)

    def finish(self) -> LeftOut:
        """Returns the counts in the order of `DESCRIPTIONS`."""
        kinds = [kind for kind in DESCRIPTIONS if kind in self._counts]
        return LeftOut(
            {kind: self._counts[kind] for kind in kinds}, {kind: tuple(self._examples[kind]) for kind in kinds}
        )
