"""The base class of all errors that a user can cause, and the values in their messages."""

from reprlib import Repr
from typing import Any

MAX_MESSAGE = 500  # characters; a name of a file alone can have thousands
MAX_QUOTED = 100  # characters of a value in a message


def shorten(text: str, most: int = MAX_MESSAGE) -> str:
    """Returns a text of at most so many characters, without its middle if it has more.

    A message names the thing at its beginning and the remedy at its end.
    """
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[-end:]}"


class _Quote(Repr):
    """Writes out as much of a value as is shown: YAML's aliases make a few bytes a list of billions of characters."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring = 2, MAX_QUOTED

    def repr_str(self, x: str, level: int) -> str:
        return repr(x[: MAX_QUOTED + 1])

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() <= 4 * MAX_QUOTED else "a number of many digits"

    def repr_instance(self, x: Any, level: int) -> str:
        return repr(x) if x is None or isinstance(x, bool | float) else f"a {type(x).__name__}"


def quote(value: object) -> str:
    """Returns the `repr` of an untrusted value, cut to 100 characters, for use in a message.

    A long value takes no longer than a short one.
    """
    text = _Quote().repr(value)
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"


class UserError(Exception):
    """An error that a user can cause and correct.

    The message is one sentence for that user: it names the value, says what is wrong and how to correct it. Only these
    errors become a notice on the page or a one-line refusal of the command line; every other exception is a defect.
    """

    def __str__(self) -> str:
        return shorten(super().__str__())


class IncompleteError(UserError):
    """A result that lacks a part, because some of the input cannot be used; the rest is still written.

    Args:
        message: The message.
        result: What could be done, as the command would return it.
    """

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result


class PictureError(UserError):
    """An image that cannot be read, or that the network cannot process."""
