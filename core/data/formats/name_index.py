"""Paths found by what a list calls them, which may lack leading folders or begin with those of another computer."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.data.untrusted import MAX_NAME

MAX_FOLDERS = 32  # of a path that are compared
MAX_SPLIT = 4 * MAX_NAME  # characters of a path, with the folders that its file is relative to; longer ones stay whole


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
    for start in range(max(0, len(parts) - MAX_FOLDERS), len(parts)):
        yield "/".join(parts[start:])


def split_path(path: str) -> list[str]:
    """Returns the parts of a path, without those that stay or climb out of the data set; no file has a longer path."""
    if len(path) > MAX_SPLIT:
        return [path]
    parts: list[str] = []
    for part in path.replace("\\", "/").split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    return parts


def resolve_name(name: str, source: Path, root: Path) -> str:
    """Returns a picture's name as a path with `/`; one that climbs from its annotation file's folder, from the root.

    Args:
        name: The name as written, not trusted.
        source: The annotation file.
        root: The data set's folder.
    """
    name = name.replace("\\", "/")
    if len(name) > MAX_NAME or ".." not in name.split("/"):
        return name
    return "/".join(split_path(f"{source.parent.relative_to(root).as_posix()}/{name}"))
