"""Answers the browser's questions past Gradio's events."""

from collections.abc import Iterator
from typing import Any

from playground.runs.service import RUNS
from playground.server.live import BROWSERS
from playground.server.render import TOKENS, PageUpdate, render_in_stages
from playground.state.page_state import MAX_FRAME
from playground.steps.loss.step import FIGURES


def answers(request: object) -> Iterator[dict[str, Any]]:
    """Answers the browser: what to show for other settings of what was asked before, see `playground.server.live`.

    Args:
        request: A dict with `token`, `held`, `switched` and `playground.server.live.BROWSERS`; it comes from outside
            and may be anything.

    Yields:
        `PageUpdate` by name, as `render_in_stages` does, or {"forgotten": True} where the token is no longer known.
    """
    if not isinstance(request, dict) or not _sound(request):
        yield PageUpdate("The page sent something that cannot be read: reload it.")._asdict()
        return
    state = TOKENS.get(request.get("token"))
    if state is None:
        yield {"forgotten": True}
        return
    chosen = {name: request[name] for name in BROWSERS}
    hasty = {"held": request.get("held") is True, "switched": request["switched"]}
    RUNS.give_way()
    for shown in render_in_stages(state._replace(**chosen, **hasty)):
        RUNS.give_way()  # for the browser, too, which paints it now
        yield shown._asdict()


def _sound(request: dict) -> bool:
    """Whether the browser's part of what it asks for is what a page of ours sends."""
    settings, curve, p_t, frame = (request.get(name) for name in BROWSERS)
    bounds = ((p_t, 1), (frame, MAX_FRAME))
    numbers = all(isinstance(value, int | float) and 0 <= value <= most for value, most in bounds)
    switched = request.get("switched")
    layers = isinstance(switched, dict) and all(isinstance(on, bool) for on in switched.values())
    return isinstance(settings, str) and curve in FIGURES and numbers and layers
