"""How many pictures weights have seen in training: the splits of an album can change afterwards."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from core.runs.folder import RunFolder
from playground.albums.export import find_pictures
from playground.albums.service import ALBUMS
from playground.runs.privacy import find_lineage, find_runs
from playground.runs.reader import file_stamp, read_about

SIZE = 1  # the place of a file's size in its stamp


def count_seen(weights: str | Path, files: Iterable[Path]) -> int:
    """Returns how many of an album's pictures weights, or their initial weights, were trained on.

    Pictures are compared by their content: the same one may be in an album twice.

    Args:
        weights: The weights, as settings name them.
        files: The files of the pictures.
    """
    trained: dict[int, dict[tuple[int, ...], Path]] = {}  # by size, then by stamp: runs have links to the same files
    for path in _find_trained(weights):
        stamp = file_stamp(path)
        trained.setdefault(stamp[SIZE], {})[stamp] = path
    unread = {size: map(_digest, paths.values()) for size, paths in trained.items()}
    read: dict[int, set[str]] = {size: set() for size in trained}
    sizes = ((path, file_stamp(path)[SIZE]) for path in files)
    return sum(_is_among(_digest(path), read[size], unread[size]) for path, size in sizes if size in trained)


def _is_among(digest: str, read: set[str], unread: Iterator[str]) -> bool:
    """True if a digest is among some; moves those that it passes from the unread to the read ones."""
    while digest not in read:
        following = next(unread, None)
        if following is None:
            return False
        read.add(following)
    return True


def count_held_out_seen(run: RunFolder, initial: str) -> int:
    """Returns how many held-out pictures of a run on an album its initial weights were trained on."""
    source = read_about(run).source
    return count_seen(initial, find_pictures(Path(source), "val")) if ALBUMS.contains(source) else 0


def _find_trained(weights: str | Path) -> Iterator[Path]:
    """Yields the pictures of albums that weights, or their initial weights, were trained on."""
    lineage = {each.path: each for run in find_runs(Path(weights)) for each in find_lineage(run)}
    for source in {read_about(each).source for each in lineage.values()}:
        if ALBUMS.contains(source):
            yield from find_pictures(Path(source), "train")


def _digest(path: Path) -> str:
    """Returns a hash of a file's content, the path itself of a file that cannot be read."""
    return _digest_once(path, file_stamp(path))


@lru_cache(maxsize=4096)
def _digest_once(path: Path, stamp: tuple[int, ...]) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:  # it has been removed meanwhile
        return str(path)
