"""Comparison of class names."""

from collections.abc import Iterable

DIFFER_LITTLE = "differ only in capitals, spaces or punctuation"  # of names that `simplify` makes equal


def simplify(name: str) -> str:
    """Returns a name without capitals, spaces and punctuation; the name itself if it has nothing else."""
    return "".join(character for character in name.casefold() if character.isalnum()) or name


def find_alike(names: Iterable[str]) -> list[tuple[str, str]]:
    """Returns the pairs of different names that `simplify` makes equal."""
    known: dict[str, str] = {}
    pairs = []
    for name in names:
        other = known.setdefault(simplify(name), name)
        if other != name:
            pairs.append((other, name))
    return pairs
