"""How the errors of a reading process return: a user's error as the same class and sentence, those of the system,
and a defect as one.
"""

import importlib
import json
import traceback
from typing import Any

from core.errors import UserError


class ReaderDefectError(RuntimeError):
    """A defect in a reading process; the message holds its traceback."""


def pack_error(error: BaseException) -> dict[str, Any]:
    """Returns an error as plain values for JSON."""
    if isinstance(error, OSError) and error.errno:
        return {"system": [error.errno, error.strerror]}
    if not isinstance(error, UserError):
        return {"defect": "".join(traceback.format_exception(error))}
    kind = type(error)
    state = {name: value for name, value in vars(error).items() if _is_plain(value)}
    return {"class": [kind.__module__, kind.__qualname__], "message": str(error), "state": state}


def unpack_error(packed: dict[str, Any], fallback: type[UserError]) -> Exception:
    """Returns the error that another process has packed.

    Args:
        packed: From `pack_error`, and not trusted: only classes derived from `UserError` are made.
        fallback: The class if there is none of that name.
    """
    if "defect" in packed:
        return ReaderDefectError(f"A task of the reading process failed.\n{packed['defect']}")
    if "system" in packed:
        return OSError(*packed["system"])
    kind = _find_class(packed["class"], fallback)
    error = kind.__new__(kind)
    error.args = (str(packed["message"]),)
    vars(error).update({name: _freeze(value) for name, value in packed["state"].items()})
    return error


def freeze_lists(value: Any) -> Any:
    """Returns a value of JSON with tuples instead of lists, at any depth, as they were before."""
    if isinstance(value, dict):
        return {key: freeze_lists(each) for key, each in value.items()}
    return _freeze(value)


def _freeze(value: Any) -> Any:
    return tuple(map(_freeze, value)) if isinstance(value, list) else value


def _find_class(name: list[str], fallback: type[UserError]) -> type[UserError]:
    module, qualified = name
    if module.split(".")[0] == "core":
        importlib.import_module(module)
    known = [UserError]
    for each in known:
        known += each.__subclasses__()
    return next((each for each in known if (each.__module__, each.__qualname__) == (module, qualified)), fallback)


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
