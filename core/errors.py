"""The base class of all errors that a user can cause."""

from typing import Any


class UserError(Exception):
    """An error that a user can cause and correct.

    The message is one sentence for that user: it names the value, says what is wrong and how to correct it. Only these
    errors become a notice on the page or a one-line refusal of the command line; every other exception is a defect.
    """


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
