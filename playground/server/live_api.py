"""Answers the browser's requests on the fast path."""

from collections.abc import Iterator
from typing import Any

from playground.layout.page_update import PageUpdate
from playground.runs.service import RUNS
from playground.server.render import render_in_stages
from playground.server.tokens import BROWSER_FIELDS, TOKENS
from playground.state.effort import asks_for_much
from playground.state.page_state import MAX_FRAME, admit
from playground.steps.loss.step import FIGURES
from playground.support.wording import NOT_READ


def answer(request: object, visitor: str = "") -> Iterator[dict[str, Any]]:
    """Answers a request for other settings of a state that was shown before, see `playground.server.live`.

    Args:
        request: A dict with `token`, `held`, `switched` and `BROWSER_FIELDS`, and `refresh` if no knob has moved, so
            that runs need not give way; untrusted.
        visitor: Who sent it.

    Yields:
        The fields of each `PageUpdate` of `render_in_stages`, or {"forgotten": True} for an unknown token.
    """
    if not isinstance(request, dict) or not _is_valid(request):
        yield PageUpdate(NOT_READ)._asdict()
        return
    state = TOKENS.find(request.get("token"), visitor)
    if state is None:
        yield {"forgotten": True}
        return
    chosen = {name: request[name] for name in BROWSER_FIELDS}
    state, _ = admit(state._replace(**chosen, held=request.get("held") is True, switched=request["switched"]))
    throttle = (lambda: None) if request.get("refresh") is True else RUNS.throttle
    throttle()
    for update in render_in_stages(state):
        throttle()  # also while the browser paints
        yield update._asdict()


def is_heavy(request: object, visitor: str = "") -> bool:
    """True if the answer to a request takes long; arguments as for `answer`."""
    if not isinstance(request, dict) or not _is_valid(request):
        return False
    state = TOKENS.find(request.get("token"), visitor)
    if state is None:
        return False
    chosen = {name: request[name] for name in ("settings", "dials")}
    return asks_for_much(state._replace(**chosen, held=request.get("held") is True))


def _is_valid(request: dict) -> bool:
    """True if the browser's fields have types and bounds that the page can send."""
    settings, curve, p_t, frame, dials = (request.get(name) for name in BROWSER_FIELDS)
    bounds = ((p_t, 1), (frame, MAX_FRAME))
    numbers = all(isinstance(value, int | float) and 0 <= value <= most for value, most in bounds)
    switched = request.get("switched")
    layers = isinstance(switched, dict) and all(isinstance(on, bool) for on in switched.values())
    return isinstance(settings, str) and isinstance(dials, str) and curve in FIGURES and numbers and layers
