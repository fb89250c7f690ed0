"""What handlers of Gradio's events hand back: new values of the page's parts, or a notice and nothing else."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from core.config import Config
from playground.asked import MAX_FRAME
from playground.controls import settings_of, values_of
from playground.live import BROWSERS
from playground.show import REFUSALS, TOKENS, Shown, show
from playground.steps.loss import FIGURES
from playground.steps.training import RUNS

LIVE = {"queue": False, "show_progress": "hidden"}
# An event's data must not be deferred: "always_last" would run the last call with the first one's data.
IN_ORDER = {"trigger_mode": "multiple", "show_progress": "hidden"}


def updates(shown: Shown) -> list:
    """Returns what a handler gives the parts of the page."""
    beside = None if shown.beside is None else gr.Column(visible=shown.beside)
    return [gr.skip() if part is None else part for part in shown._replace(beside=beside).parts]


def shown_settings(config: Config) -> list:
    """Returns what a handler gives `Parts.all_settings`."""
    return [settings_of(config), *values_of(config)]


def answer(request: object) -> dict[str, Any]:
    """Answers the browser itself: what to show for other settings of what was asked before, see `playground.live`.

    Args:
        request: A dict with `token`, `held` and `playground.live.BROWSERS`; it comes from outside and may be anything.

    Returns:
        `Shown` by name, or {"forgotten": True} where the token is no longer known.
    """
    if not isinstance(request, dict) or not _sound(request):
        return Shown("The page sent something that cannot be read: reload it.")._asdict()
    asked = TOKENS.get(request.get("token"))
    if asked is None:
        return {"forgotten": True}
    chosen = {name: request[name] for name in BROWSERS}
    RUNS.give_way()
    shown = show(asked._replace(**chosen, held=request.get("held") is True))
    RUNS.give_way()  # for the browser, which paints it now
    return shown._asdict()


def _sound(request: dict) -> bool:
    """Whether the browser's part of what it asks for is what a page of ours sends."""
    settings, curve, p_t, frame = (request.get(name) for name in BROWSERS)
    bounds = ((p_t, 1), (frame, MAX_FRAME))
    numbers = all(isinstance(value, int | float) and 0 <= value <= most for value, most in bounds)
    return isinstance(settings, str) and curve in FIGURES and numbers


def refusing(count: int, handler: Callable[..., list]) -> Callable[..., list]:
    """Wraps a handler: what it refuses becomes a notice, and all it would have changed stays.

    Args:
        count: Outputs of the handler before the parts of the page.
        handler: Raises one of `REFUSALS`.
    """

    @wraps(handler)  # Gradio looks for the parameter that takes the event
    def guarded(*arguments: Any) -> list:
        try:
            return handler(*arguments)
        except REFUSALS as error:
            return [*[gr.skip()] * count, *updates(Shown(str(error)))]

    return guarded
