"""Parsers of untrusted text values from links and from the browser."""

import math

from core.config import ConfigError
from core.errors import quote

MAX_NUMBER = 1e6  # larger than any coordinate of a picture
MAX_DIGITS = 9  # of an index


def parse_number(name: str, text: str, limits: tuple[float, float] | None = None) -> float:
    """Returns a number.

    Args:
        name: What it is, for the message.
        text: The number as text.
        limits: The smallest and the largest that is allowed; None for any of up to ±`MAX_NUMBER`.

    Raises:
        ConfigError: It is not a number, or not one within the limits.
    """
    low, high = limits or (-MAX_NUMBER, MAX_NUMBER)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        allowed = f"a number from {low:g} to {high:g}" if limits else "a number"
        raise ConfigError(f"{name} = {quote(text)} is not allowed: it must be {allowed}.")
    return number


def require_one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """Returns a value, which must be one of some.

    Raises:
        ConfigError: It is not; `name` says what it is.
    """
    if value not in allowed:
        raise ConfigError(f"{name} = {quote(value)} is not allowed: it must be one of {', '.join(allowed)}.")
    return value


def is_index(text: str) -> bool:
    """True if a text is an index: decimal digits, not too many of them."""
    return text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS
