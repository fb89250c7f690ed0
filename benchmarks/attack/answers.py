"""The JSON sent to the browser, which must be valid for browsers: no NaN or infinity."""

import json
from contextlib import suppress

from playground.layout.page_update import PageUpdate


def require_readable(update: PageUpdate) -> None:
    """Raises `AssertionError` if a part of an answer is JSON with NaN or ∞, for which `JSON.parse` fails."""
    for name, part in update._asdict().items():

        def refuse(constant: str, name: str = name) -> None:
            raise AssertionError(f"{name} holds {constant}")

        if isinstance(part, str) and part.startswith(("{", "[")):
            with suppress(json.JSONDecodeError):  # a text
                json.loads(part, parse_constant=refuse)
