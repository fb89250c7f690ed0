"""Text: what untrusted files hold, and counts and lists of names in sentences."""

import io
import re
import sys
from collections.abc import Sequence
from typing import TypeGuard

MAX_LISTED = 5  # names in a sentence
EXPONENT = re.compile(r"(?<![\w.])(-?\d+(?:\.\d+)?)e([+-]?\d+)(?![\w.])")  # of a number as Python writes it
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def is_text(value: object) -> TypeGuard[str]:
    """Returns True for a string that can be written and displayed.

    JSON and YAML can also hold lone surrogates, such as "\\ud800", and file names can hold bytes that are not UTF-8:
    Python reads them as strings, but no encoding accepts them.
    """
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def print_any_text() -> None:
    """Lets this process print any text: signs that a console has not, and bytes of names that are no text, are escaped.

    Consoles of Windows have a few hundred signs.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def count_noun(count: int, singular: str, plural: str = "") -> str:
    """Returns a count with its noun, such as "1 picture" or "2,000 pictures".

    Args:
        count: The count.
        singular: The noun after 1.
        plural: The noun after any other count; by default the singular with an "s".
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def typeset_numbers(text: str) -> str:
    """Returns text with numbers such as 2.63e-07 as people write them, 2.63·10⁻⁷."""
    return EXPONENT.sub(lambda found: f"{found[1]}·10{str(int(found[2])).translate(SUPERSCRIPTS)}", text)


def join_names(names: Sequence[str]) -> str:
    """Returns the first names for a sentence, and how many more there are."""
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more
