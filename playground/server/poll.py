"""Polling for news of background work: only news fires an event of Gradio.

A timer of Gradio would fire at every tick, and each event costs the browser a tenth of a second, in every step, even
if nothing has changed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from core.errors import UserError
from playground.server.tokens import TOKENS
from playground.state.page_state import PageState, admit
from playground.support.visitors import visitor_of

SCRIPT = (Path(__file__).parent / "poll.js").read_text("utf-8")


class PollResult(NamedTuple):
    """The result of a poll.

    Attributes:
        stamp: Changes whenever there is something new to show; "" if there is nothing.
        soon: True if a change is expected soon.
    """

    stamp: str = ""
    soon: bool = False


def poll(step: str, check: Callable[[PageState], PollResult]) -> gr.HTML:
    """Builds the invisible component that polls. Listen to its `tick`; its value is the stamp of what is shown.

    Args:
        step: Key of the step that shows the news.
        check: Returns the news for a state.
    """

    def news(request: object, sender: gr.Request) -> dict[str, Any]:
        return answer_poll(request, step, check, visitor_of(sender))

    return gr.HTML(
        "",
        step=step,
        html_template="<i hidden></i>",
        js_on_load=SCRIPT,
        apply_default_css=False,
        server_functions=[news],
        elem_classes=["nothing"],
    )


def answer_poll(
    request: object, step: str, check: Callable[[PageState], PollResult], visitor: str = ""
) -> dict[str, Any]:
    """Returns the news for the browser, or {"forgotten": True} for an unknown token.

    Args:
        request: A dict with the `token` of a state, see `playground.server.tokens`, and `settings`; untrusted.
        step: As in `poll`. Other steps have no news.
        check: As in `poll`.
        visitor: Who sent the request.
    """
    nothing = PollResult()._asdict()
    if not isinstance(request, dict) or not isinstance(request.get("settings"), str):
        return nothing
    state = TOKENS.find(request.get("token"), visitor)
    if state is None:
        return {"forgotten": True}
    if state.step != step:
        return nothing
    try:
        return check(admit(state._replace(settings=request["settings"]))[0])._asdict()
    except UserError:  # the page shows it
        return nothing
