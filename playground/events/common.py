"""What the page is answered: new values of its parts, or a notice and nothing else."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import gradio as gr

from core.config import Config
from playground.server.live import BROWSERS
from playground.server.render import REFUSALS, TOKENS, Shown, waves
from playground.state.page_state import MAX_FRAME
from playground.state.settings import settings_of, values_of
from playground.steps.loss.step import FIGURES
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


def answers(request: object) -> Iterator[dict[str, Any]]:
    """Answers the browser: what to show for other settings of what was asked before, see `playground.server.live`.

    Args:
        request: A dict with `token`, `held`, `switched` and `playground.server.live.BROWSERS`; it comes from outside
            and may be anything.

    Yields:
        `Shown` by name, as `waves` does, or {"forgotten": True} where the token is no longer known.
    """
    if not isinstance(request, dict) or not _sound(request):
        yield Shown("The page sent something that cannot be read: reload it.")._asdict()
        return
    asked = TOKENS.get(request.get("token"))
    if asked is None:
        yield {"forgotten": True}
        return
    chosen = {name: request[name] for name in BROWSERS}
    hasty = {"held": request.get("held") is True, "switched": request["switched"]}
    RUNS.give_way()
    for shown in waves(asked._replace(**chosen, **hasty)):
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
