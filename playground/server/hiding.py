"""What a teacher's link hides, `?hide=training,loss.gamma`: steps, knobs, buttons; the browser does it (`strip.js`)."""

import difflib
from urllib.parse import parse_qsl

from core.config import knobs
from playground.steps import STEPS

KEY = "hide"
CONTROLS = ("lessons", "all-knobs", "format", "pin", "curve", "example")  # by the ids of their elements
SHOWN = 40  # characters of a name that is not known


def unknown_names(query: str) -> str:
    """Returns a sentence about what a link wants to hide and cannot, "" where all is known."""
    known = (*STEPS, *knobs(), *CONTROLS)
    named = [name.strip() for name in dict(parse_qsl(query)).get(KEY, "").split(",")]
    return " ".join(_sentence(name, known) for name in dict.fromkeys(named) if name and name not in known)


def _sentence(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it may name steps ({', '.join(STEPS)}), knobs such as loss.gamma, "
    hint += "" if near else f"or {', '.join(CONTROLS)}."
    return f"{KEY} = {name[:SHOWN]!r} hides nothing: {hint}"
