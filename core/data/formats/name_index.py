"""Paths found by what a list calls them, which may lack leading folders or begin with those of another computer."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator

from core.data.untrusted import MAX_NAME


class NameIndex:
    """Relative paths by each of their ends: `a/b/c.jpg` is found as itself, as `b/c.jpg` and as `c.jpg`.

    Args:
        paths: The paths, with `/` between folders.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            for tail in _tails(path):
                self._paths[tail].append(path)

    def find(self, name: str) -> list[str]:
        """Returns the paths that end like the name, for the longest end of it that any has; [] if there are none."""
        if len(name) > MAX_NAME:
            return []
        return next((self._choose(tail) for tail in _tails(name) if tail in self._paths), [])

    def _choose(self, tail: str) -> list[str]:
        """A path that is the name itself goes before those that only end like it."""
        paths = self._paths[tail]
        exact = [path for path in paths if unicodedata.normalize("NFC", path) == tail]
        return exact or paths


def _tails(path: str) -> Iterator[str]:
    """Yields the ends of a path, the longest first; both Unicode forms of a name have the same."""
    parts = [part for part in unicodedata.normalize("NFC", path).replace("\\", "/").split("/") if part not in ("", ".")]
    for start in range(len(parts)):
        yield "/".join(parts[start:])
