"""Text from untrusted files."""

from typing import TypeGuard


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
