"""What a reader assumed, counted for the report."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from core.data.formats.values import parse_number, parse_whole_number
from core.io.text import count_noun

MAX_SIDE = 10**9
MAX_SENTENCES = 10
BAD_SIZE = "Annotated sizes that cannot be read and were not compared with the pictures"


class Notes:
    """Sentences about what a reader assumed, each once."""

    def __init__(self) -> None:
        self._sentences: dict[str, None] = {}
        self._counts: Counter[str] = Counter()
        self._first: dict[str, Path] = {}

    def add(self, sentence: str) -> None:
        """Adds a sentence unless it is there."""
        self._sentences[sentence] = None

    def count(self, what: str, source: Path) -> None:
        """Counts one more of something, such as "Polygons read as their boxes", which stands in a file."""
        self._counts[what] += 1
        self._first.setdefault(what, source)

    def read_size(self, width: object, height: object, source: Path) -> tuple[int, int] | None:
        """Returns an annotated size; None if it is not given, and None with a note if it is not a size."""
        given = [side for side in (width, height) if not _is_missing(side)]
        sides = [side for each in given if (side := parse_whole_number(each)) is not None and 0 < side < MAX_SIDE]
        if len(sides) < len(given):
            self.count(BAD_SIZE, source)
        return (sides[0], sides[1]) if len(sides) == 2 else None

    def sentences(self) -> tuple[str, ...]:
        """Returns the sentences, those with counts last; of many only the first."""
        counted = [
            f"{what}: {count:,} (the first in {self._first[what].name})." for what, count in self._counts.items()
        ]
        shown = [*islice(self._sentences, MAX_SENTENCES), *counted]
        if (rest := len(self._sentences) - MAX_SENTENCES) > 0:
            verb = "is" if rest == 1 else "are"
            shown.append(f"{count_noun(rest, 'further assumption')} {verb} not shown.")
        # File names may hold bytes that are not UTF-8.
        return tuple(sentence.encode(errors="backslashreplace").decode() for sentence in shown)


def number_classes(names: Sequence[str]) -> tuple[int, ...]:
    """Returns the category ids 1 … K of formats that give none."""
    return tuple(range(1, len(names) + 1))


def _is_missing(side: object) -> bool:
    return side is None or (isinstance(side, str) and not side.strip()) or parse_number(side) == 0
