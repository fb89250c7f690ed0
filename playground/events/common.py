"""What the page is answered: new values of its parts, or a notice and nothing else."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from core.config import Config
from core.errors import UserError
from playground.server.render import PageUpdate
from playground.state.settings import settings_of, values_of

LIVE = {"queue": False, "show_progress": "hidden"}
# An event's data must not be deferred: "always_last" would run the last call with the first one's data.
IN_ORDER = {"trigger_mode": "multiple", "show_progress": "hidden"}


def updates(shown: PageUpdate) -> list:
    """Returns what a handler gives the parts of the page."""
    beside = None if shown.beside is None else gr.Column(visible=shown.beside)
    return [gr.skip() if part is None else part for part in shown._replace(beside=beside).parts]


def shown_settings(config: Config) -> list:
    """Returns what a handler gives `Parts.all_settings`."""
    return [settings_of(config), *values_of(config)]


def refusing(count: int, handler: Callable[..., list]) -> Callable[..., list]:
    """Wraps a handler: what it refuses becomes a notice, and all it would have changed stays.

    Args:
        count: Outputs of the handler before the parts of the page.
        handler: Raises `UserError` for what a visitor can mend.
    """

    @wraps(handler)  # Gradio looks for the parameter that takes the event
    def guarded(*arguments: Any) -> list:
        try:
            return handler(*arguments)
        except UserError as error:
            return [*[gr.skip()] * count, *updates(PageUpdate(str(error)))]

    return guarded
