"""Watching what goes on in the background: the browser looks for news, and only news is an event of Gradio's.

A clock of Gradio's would be an event at every tick, on which half a hundred parts of the page hang: each tick would
take a tenth of a second of the browser's time, in every step, also where nothing is new.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from core.errors import UserError
from playground.server.render import TOKENS
from playground.state.page_state import PageState

SCRIPT = (Path(__file__).parent / "poll.js").read_text("utf-8")


class PollResult(NamedTuple):
    """What there is.

    Attributes:
        stamp: Of what there is to show: another one means that something has changed; "" where there is nothing.
        soon: Whether that is to be expected soon.
    """

    stamp: str = ""
    soon: bool = False


def watch(step: str, look: Callable[[PageState], PollResult]) -> gr.HTML:
    """Builds the invisible part of the page that looks; listen to its `tick`, and give it the stamp of what is shown.

    Args:
        step: Which shows the news.
        look: Tells what there is for what is asked.
    """

    def news(request: object) -> dict[str, Any]:
        return told(request, step, look)

    return gr.HTML(
        "",
        step=step,
        html_template="<i hidden></i>",
        js_on_load=SCRIPT,
        apply_default_css=False,
        server_functions=[news],
        elem_classes=["nothing"],
    )


def told(request: object, step: str, look: Callable[[PageState], PollResult]) -> dict[str, Any]:
    """Returns the news as the browser gets them, or {"forgotten": True} where the token is no longer known.

    Args:
        request: A dict with the `token` of what was asked, see `playground.server.live`, and `settings`; it may be
            anything.
        step: As in `watch`; another one has no news, such as the one that is still on its way out.
        look: As in `watch`.
    """
    if not isinstance(request, dict) or not isinstance(request.get("settings"), str):
        return PollResult()._asdict()
    state = TOKENS.get(request.get("token"))
    if state is None:
        return {"forgotten": True}
    try:
        return (look(state._replace(settings=request["settings"])) if state.step == step else PollResult())._asdict()
    except UserError:  # the page says so itself
        return PollResult()._asdict()
