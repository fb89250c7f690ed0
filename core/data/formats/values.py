"""Values of annotation files as tools spell them: one reading of names, flags and numbers for all formats.

Tools write `iscrowd` as 1, true or "1", and a width as 640, 640.0 or "640". Whatever has one meaning is read; anything
else gives None, so that the caller can report it and does not take it for "no" or "not given".
"""

import unicodedata

from core.io.text import is_text

MAX_WHOLE = 2**53  # the whole numbers that JSON readers in other languages keep
_FLAGS = {
    "1": True, "true": True, "yes": True, "y": True, "t": True,
    "0": False, "false": False, "no": False, "n": False, "f": False,
    "": False, "unspecified": False, "none": False, "null": False,
}  # fmt: skip
_MAX_DIGITS = 100  # of a number written as text


def parse_name(value: object) -> str | None:
    """Returns a class name without space around it, in the composed Unicode form; digits are one, too.

    Both forms of "ä" look alike, so that names that differ in it only would be two classes that nobody can tell apart.
    None for anything else.
    """
    if type(value) is int and abs(value) <= MAX_WHOLE:
        return str(value)
    return unicodedata.normalize("NFC", value.strip()) or None if is_text(value) else None


def parse_flag(value: object) -> bool | None:
    """Returns a flag; a missing one is False, and an unknown spelling None."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and (word := value.strip().lower()) in _FLAGS:
        return _FLAGS[word]
    number = parse_whole_number(value)  # "1.0", as tables with gaps have it
    return bool(number) if number in (0, 1) else None


def parse_number(value: object) -> float | None:
    """Returns a number, infinite if it is too large for a float; None for anything else."""
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        return _parse_text(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return None


def parse_whole_number(value: object) -> int | None:
    """Returns a whole number of at most `MAX_WHOLE`, also if it is written as text or with a fraction of 0."""
    if type(value) is int:
        return value if abs(value) <= MAX_WHOLE else None
    number = parse_number(value)
    if number is None or not abs(number) <= MAX_WHOLE or number != int(number):
        return None
    return int(number)


def _parse_text(text: str) -> float | None:
    """Returns a number written in ASCII, without the underscores that Python allows."""
    if len(text) > _MAX_DIGITS or "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None
