"""Polling for news of background work, which costs next to nothing while there is none.

Numbers that have changed are shown the short way (`live.js`): an event of Gradio costs the browser a tenth of a second
and more, and the browser shares the processor with the run that it watches. Only what has to change in Gradio's own
components, such as the buttons around a run, fires an event.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import gradio as gr

from core.errors import UserError
from playground.server.tokens import TOKENS
from playground.state.page_state import PageState, admit
from playground.support.scripts import read_scripts
from playground.support.visitors import visitor_of

SCRIPT = read_scripts("server/poll.js")
TICK, END = "tick", "end"  # events of the component
FOLLOWED = "followed "  # begins the `controls` of work that is polled for in all steps until its end is on show


class PollResult(NamedTuple):
    """The result of a poll.

    Attributes:
        stamp: Changes whenever the parts of the page have something new to show; "" if there is nothing.
        soon: True if a change is expected soon.
        controls: Changes whenever Gradio's own components have to change; "" if they never do. With `FOLLOWED` at its
            beginning the polling goes on in the other steps, too.
        event: What to fire then if followed work is on show: `END` once it is finished, else `TICK`. Without followed
            work it is always `TICK`.
    """

    stamp: str = ""
    soon: bool = False
    controls: str = ""
    event: str = TICK


def poll(step: str, check: Callable[[PageState], PollResult]) -> gr.HTML:
    """Builds the invisible component that polls. Listen to its `tick` and `end`; its value is the `controls` on show.

    Args:
        step: Key of the step that shows the news.
        check: Returns the news for a state.
    """

    def news(request: object, sender: gr.Request) -> dict[str, Any]:
        return answer_poll(request, step, check, visitor_of(sender))

    return gr.HTML(
        "",
        step=step,
        followed=FOLLOWED,
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
        step: As in `poll`. Other steps have nothing to show.
        check: As in `poll`.
        visitor: Who sent the request.
    """
    nothing = PollResult()
    if not isinstance(request, dict) or not isinstance(request.get("settings"), str):
        return nothing._asdict()
    state = TOKENS.find(request.get("token"), visitor)
    if state is None:
        return {"forgotten": True}
    try:
        result = check(admit(state._replace(settings=request["settings"]))[0])
    except UserError:  # the page shows it
        return nothing._asdict()
    return (result if state.step == step else result._replace(stamp=""))._asdict()
