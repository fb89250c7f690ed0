"""Comparison of class names."""

from collections.abc import Iterable


def find_alike(names: Iterable[str]) -> list[tuple[str, str]]:
    """Returns the pairs of names that differ only in capitals, spaces or punctuation."""
    known: dict[str, str] = {}
    pairs = []
    for name in names:
        plain = "".join(character for character in name.casefold() if character.isalnum())
        other = known.setdefault(plain, name)
        if plain and other != name:
            pairs.append((other, name))
    return pairs
