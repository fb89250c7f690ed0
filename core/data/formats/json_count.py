"""Counts the values of a JSON file before Python objects are built of them, which may take 200 times its bytes."""

from typing import NamedTuple

import numpy as np

CHUNK = 2**22  # bytes that are looked at together
OUTER = 2  # levels of the keys and of the lists in them, whose entries take most memory
_STEPS = np.zeros(256, np.int8)
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1
_MARKS = np.zeros(256, bool)
_MARKS[list(b'[]{},"')] = True
_QUOTE, _COMMA, _ESCAPE = b'",\\'


class JsonCount(NamedTuple):
    """The size of a JSON file in values.

    Attributes:
        values: All values, at most.
        containers: Those that are lists and objects.
        outer: Those in at most `OUTER` lists and objects.
        depth: The most lists and objects in each other.
    """

    values: int
    containers: int
    outer: int
    depth: int


def count_json(content: bytes) -> JsonCount:
    """Counts the values of JSON in UTF-8 without building objects; the counts of other content mean nothing."""
    values, containers, outer, depth, deepest, in_text, escaped = 1, 0, 1, 0, 0, False, False
    everything = np.frombuffer(content, np.uint8)
    for first in range(0, len(everything), CHUNK):
        marks, in_text, escaped = _find_marks(everything[first : first + CHUNK], in_text, escaped)
        steps = _STEPS[marks]
        depths = depth + np.cumsum(steps, dtype=np.int64)
        starts = (steps > 0) | (marks == _COMMA)
        values += int(starts.sum())
        containers += int((steps > 0).sum())
        outer += int((starts & (depths <= OUTER)).sum())
        if len(depths):
            depth, deepest = int(depths[-1]), max(deepest, int(depths.max()))
    return JsonCount(values, containers, outer, deepest)


def _find_marks(content: np.ndarray, in_text: bool, escaped: bool) -> tuple[np.ndarray, bool, bool]:
    """Returns the brackets and commas outside texts, and whether the next bytes are in a text and escaped."""
    plain = np.ones(len(content), bool)
    if escaped:
        plain[0] = False
    slashes = np.flatnonzero(content == _ESCAPE)
    escaped = False
    if len(slashes):  # the byte behind every other one of a run of backslashes is escaped
        firsts = np.flatnonzero(np.diff(slashes, prepend=-2) != 1)
        run = np.repeat(slashes[firsts], np.diff(np.append(firsts, len(slashes))))
        at = slashes - run + (~plain[run])  # a run whose first backslash is escaped itself begins one later
        ends = slashes[at % 2 == 0] + 1
        escaped = bool(len(ends) and ends[-1] == len(content))
        plain[ends[ends < len(content)]] = False
    found = np.flatnonzero(_MARKS[content] & plain)
    marks = content[found]
    quotes = marks == _QUOTE
    inside = (np.cumsum(quotes) + in_text) % 2 == 1
    return marks[~inside & ~quotes], bool(inside[-1]) if len(inside) else in_text, escaped
