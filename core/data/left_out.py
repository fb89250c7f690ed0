"""What cannot be used of a data set: it is left out, counted and described, instead of stopping everything."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
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
from core.io.paths import hide_folder
from core.io.text import count_noun

MISSING, UNREADABLE, OTHER_SIZE = "missing picture", "unreadable picture", "other size"
EMPTY_BOX, OUTSIDE_BOX = "empty box", "outside box"
UNLISTED, GONE = "unlisted picture", "picture that is gone"
# The descriptions follow a count of 1, or any other. UNKNOWN_CLASS is refused, never left out.
DESCRIPTIONS = MappingProxyType(
    {
        BAD_FILE: ("annotation file that cannot be read", "annotation files that cannot be read"),
        BAD_PATH: ("picture path that cannot be used", "picture paths that cannot be used"),
        BAD_OBJECT: ("object that cannot be read", "objects that cannot be read"),
        UNKNOWN_CLASS: ("object of an unknown class", "objects of an unknown class"),
        UNKNOWN_PICTURE: ("object of a picture that is not listed", "objects of pictures that are not listed"),
        ORPHAN_LABELS: ("label file without a picture", "label files without a picture"),
        MISSING: ("picture that does not exist", "pictures that do not exist"),
        UNREADABLE: ("picture that cannot be opened", "pictures that cannot be opened"),
        OTHER_SIZE: (
            "picture with a size that differs from the annotated one, so that boxes would be misplaced",
            "pictures with a size that differs from the annotated one, so that boxes would be misplaced",
        ),
        UNLISTED: ("picture in no split, which is not used", "pictures in no split, which are not used"),
        GONE: (
            "picture named in a list of splits that is no longer in the data set",
            "pictures named in a list of splits that are no longer in the data set",
        ),
        EMPTY_BOX: (
            "box without area or with a coordinate that is not a number",
            "boxes without area or with a coordinate that is not a number",
        ),
        OUTSIDE_BOX: ("box outside its picture", "boxes outside their picture"),
    }
)
OBJECTS = frozenset((BAD_OBJECT, UNKNOWN_CLASS, UNKNOWN_PICTURE, EMPTY_BOX, OUTSIDE_BOX))  # each counts
MAX_EXAMPLES = 1000  # stored examples of one kind


def describe_count(kind: str, count: int) -> str:
    """Returns a count of a kind in words, such as "2 pictures that do not exist"."""
    return count_noun(count, *DESCRIPTIONS[kind])


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

    def describe(self, kinds: Collection[str] = DESCRIPTIONS) -> str:
        """Returns the counts of some kinds as a sentence, with the first example of each; "" if there are none."""
        parts = [
            f"{describe_count(kind, count)} ({self.examples[kind][0].rstrip('.')})"
            for kind, count in self.counts.items()
            if kind in kinds
        ]
        return f"Left out: {'; '.join(parts)}." if parts else ""

    def to_dict(self) -> dict[str, Any]:
        """Returns the counts and examples as plain values for JSON."""
        return {"counts": dict(self.counts), "examples": {kind: list(each) for kind, each in self.examples.items()}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returns; raises `KeyError` or `TypeError` for anything else."""
        examples = {str(kind): tuple(map(str, each)) for kind, each in values["examples"].items()}
        return cls({str(kind): int(count) for kind, count in values["counts"].items()}, examples)


NOTHING = LeftOut()


class Tally:
    """Counts occurrences by kind; repeated messages about pictures and files count once.

    Args:
        folder: The data set's folder, which is removed from messages.
    """

    def __init__(self, folder: Path = Path()) -> None:
        self.counts: dict[str, int] = {}
        self.examples: dict[str, list[str]] = {}
        self._folder = folder
        self._seen: set[int] = set()

    def add(self, kind: str, message: str) -> None:
        """Adds one occurrence; can be passed to a reader as its `ReportProblem`."""
        if kind not in OBJECTS:
            key = hash((kind, message))
            if key in self._seen:
                return
            self._seen.add(key)
        self._add(kind, 1, [self._hide_folder(message)])

    def add_all(self, left_out: LeftOut, kinds: Collection[str] = DESCRIPTIONS) -> None:
        """Adds what was left out, of some kinds."""
        for kind, count in left_out.counts.items():
            if kind in kinds:
                self._add(kind, count, left_out.examples[kind])

    def left_out(self) -> LeftOut:
        """Returns the counts of the kinds in `DESCRIPTIONS`, in their order."""
        kinds = [kind for kind in DESCRIPTIONS if kind in self.counts]
        return LeftOut(
            {kind: self.counts[kind] for kind in kinds}, {kind: tuple(self.examples[kind]) for kind in kinds}
        )

    def _hide_folder(self, message: str) -> str:
        """Returns a message without the folder; a relative one alone may be an ordinary word, and is not secret."""
        return hide_folder(message, self._folder, "the folder" if self._folder.is_absolute() else str(self._folder))

    def _add(self, kind: str, count: int, messages: Sequence[str]) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + count
        examples = self.examples.setdefault(kind, [])
        examples += messages[: MAX_EXAMPLES - len(examples)]
