"""The base class of all errors that a user can cause."""


class UserError(Exception):
    """An error that a user can cause and correct.

    The message is one sentence for that user: it names the value, says what is wrong and how to correct it. Only these
    errors become a notice on the page or a one-line refusal of the command line; every other exception is a defect.
    """


class PictureError(UserError):
    """An image that cannot be read, or that the network cannot process."""
