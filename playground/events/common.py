"""How the events of the page are handled.

A handler is a function from the page's state, and the values of the event's own inputs, to `{component: new value}`.
What Gradio fills in itself (`gr.Request`, `gr.EventData`, `gr.Progress`) are keyword-only parameters.
"""

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypedDict, Unpack

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component
from gradio.events import Dependency

from core.config import Config
from core.errors import UserError
from core.reader import reading_for
from playground.layout.components import PageComponents
from playground.layout.page_update import PageUpdate
from playground.server.render import render
from playground.state.page_state import PageState, admit
from playground.state.settings import CHANGED, leave_out, list_changes, mark_changes, values_of
from playground.state.weight_names import NAME, list_choices, to_key
from playground.steps.loss.step import FIGURES
from playground.support.visitors import VISITORS, sender_of, visitor_of
from playground.support.wording import NOT_READ, hide_server, name_knobs

Updates = dict[Block, Any]  # new values by component


class EventOptions(TypedDict, total=False):
    """Options of an event of Gradio."""

    queue: bool
    trigger_mode: Literal["once", "multiple", "always_last"]
    show_progress: Literal["full", "minimal", "hidden"]
    show_progress_on: Sequence[Component]
    concurrency_limit: int
    concurrency_id: str
    api_visibility: Literal["public", "private", "undocumented"]
    js: str


# Every page would carry the documentation of the public ones, 1.9 of its 2.9 MB.
UNDOCUMENTED: EventOptions = {"api_visibility": "undocumented"}
# Of the components that an event names here Gradio's browser part copies all properties, at every event of the page,
# even if progress is hidden; without this option these are all outputs, some 150 for most events.
WITHOUT_PROGRESS: EventOptions = {**UNDOCUMENTED, "show_progress": "hidden", "show_progress_on": []}
LIVE: EventOptions = {**WITHOUT_PROGRESS, "queue": False}
# The data of an event must not be deferred: "always_last" would run the last call with the first one's data.
IN_ORDER: EventOptions = {**WITHOUT_PROGRESS, "trigger_mode": "multiple"}
# Without the queue the server answers calls side by side: the browser must wait for each answer, see `in_order.js`.
LIVE_IN_ORDER: EventOptions = {**IN_ORDER, "queue": False}
UPLOADS_AT_ONCE = 2  # a file that takes long must not hold up all others
# Events that each save or leave the picture on show: the answer to an earlier one must not come after a later one's.
ONE_AFTER_ANOTHER: EventOptions = {**IN_ORDER, "concurrency_id": "picture", "concurrency_limit": 1}


def listen(
    page: PageComponents,
    event: Callable[..., Any],
    handler: Callable[..., Updates],
    *,
    inputs: Sequence[Block] = (),
    changes: Sequence[str] = (),
    outputs: Sequence[Block] = (),
    **options: Unpack[EventOptions],
) -> Dependency:
    """Calls a handler whenever an event fires; returns the event's dependency, to which others can be added.

    A `UserError` that the handler raises becomes a notice, and nothing else changes. No notice tells a path of the
    server.

    Args:
        page: The page's components.
        event: The event, such as `button.click`.
        handler: Takes a `PageState` and the values of `inputs`; returns new values by component.
        inputs: Components whose values the handler gets after the state.
        changes: Fields of `PageState` that it may change, beside the parts of the page.
        outputs: Further components that it may change.
        **options: Options of the event, such as `LIVE` or `IN_ORDER`.
    """
    changed = [component for name in changes for component in state_components(page, name)]
    dependency: Dependency = event(
        guard(page, handler),
        [*page.state.values(), *inputs],
        [*outputs, *changed, *page.all_parts],
        **(UNDOCUMENTED | options),
    )
    return dependency


def after_edits(event: Callable[..., Any], value: gr.State | None = None) -> Callable[..., Any]:
    """Returns an event that fires after another one, once the edits before that have been saved.

    Only the waiting is done in their line, which is one for all visitors: what takes long would hold up everybody.

    Args:
        event: The other event.
        value: Gets the `value` of its data, None for events without.
    """

    def read(event: gr.EventData) -> object:
        return getattr(with_fields(event), "value", "")

    def wait() -> None:
        pass

    options: EventOptions = {**ONE_AFTER_ANOTHER, "trigger_mode": "once"}  # a second click meanwhile is ignored
    waited = event(wait if value is None else read, None, value, **options)
    following: Callable[..., Any] = waited.success
    return following


def announce_answers(dependency: Dependency, name: str = "strip-answered") -> None:
    """Tells a script, as the event of a name, that one of its events is over, failed or not, see `in_order.js`."""
    script = f"() => {{ document.dispatchEvent(new Event('{name}')); }}"
    dependency.then(None, js=script, **UNDOCUMENTED)
    dependency.failure(None, js=script, **UNDOCUMENTED)


def guard(page: PageComponents, handler: Callable[..., Updates]) -> Callable[..., Updates]:
    """Returns the handler as Gradio calls it: the request, other special arguments, then the values of all inputs."""
    parameters = inspect.signature(handler, eval_str=True).parameters.values()
    special = [each for each in parameters if each.kind is each.KEYWORD_ONLY]
    count = len(page.state)

    def guarded(sender: gr.Request, *arguments: Any) -> Updates:
        given, values = arguments[: len(special)], arguments[len(special) :]
        named = {each.name: with_fields(value) for each, value in zip(special, given, strict=True)}
        VISITORS.note(sender_of(sender))
        try:
            with reading_for(*sender_of(sender)):
                state, hidden = admit(read_state(page, values[:count], visitor_of(sender)))
                updates = handler(state, *values[count:], **named)
        except UserError as error:
            return part_updates(page, PageUpdate(name_knobs(error)))
        notice = page.parts["notice"]
        said = hidden or updates.get(notice)
        return {**updates, notice: hide_server(said)} if isinstance(said, str) else updates

    # Gradio finds out from the signature which arguments it has to fill in.
    positional = [each.replace(kind=each.POSITIONAL_OR_KEYWORD) for each in special]
    rest = inspect.Parameter("values", inspect.Parameter.VAR_POSITIONAL)
    sender = inspect.Parameter("sender", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request)
    guarded.__signature__ = inspect.Signature([sender, *positional, rest])  # type: ignore[attr-defined]  # so named
    guarded.__annotations__ = {"sender": gr.Request, **{each.name: each.annotation for each in special}}
    guarded.__name__ = handler.__name__
    return guarded


def with_fields(value: Any) -> Any:
    """Returns the data of an event with no fields if the browser sent anything else than fields; other values stay."""
    if isinstance(value, gr.EventData) and not isinstance(value._data, dict):
        return gr.EventData(value.target, {})
    return value


def read_state(page: PageComponents, values: Sequence[Any], visitor: str = "") -> PageState:
    """Returns the state that the values of `page.state` hold.

    Args:
        page: The page's components.
        values: The values.
        visitor: Who sent them.

    Raises:
        UserError: A value is of another type than the page sends, or a slider holds NaN, which JSON allows and the
            bounds of Gradio's sliders let through.
    """
    state = PageState(**dict(zip(page.state, values, strict=True)), visitor=visitor)
    # Lists without a choice and empty fields may hold None.
    state = state._replace(run=state.run or "", dials=state.dials or "")
    texts, numbers = (state.run, state.settings, state.curve, state.dials), (state.p_t or 0, state.frame or 0)
    if not all(isinstance(each, str) for each in texts) or state.curve not in FIGURES:
        raise UserError(NOT_READ)
    if not all(isinstance(each, int | float) and abs(each) <= sys.float_info.max for each in numbers):  # False for NaN
        raise UserError("The page sent a value that is not a number: move the slider again, or reload the page.")
    state = state._replace(settings=leave_out(state.settings, ())) if CHANGED in state.settings else state
    return state._replace(began=state)


def show(page: PageComponents, state: PageState, *changed: str) -> Updates:
    """Renders a state.

    Args:
        page: The page's components.
        state: The new state.
        changed: Fields in which it differs from the old one.

    Returns:
        New values of the parts of the page and of the components that hold the fields.
    """
    update = render(state)
    if "beside" in changed and update.beside is None:  # nothing is pinned, which says nothing about the column
        update = update._replace(beside=state.beside)
    return {**state_updates(page, state, *changed), **part_updates(page, update)}


def show_and_say(page: PageComponents, state: PageState, said: str, *changed: str) -> Updates:
    """Renders a state as `show` does, with a message unless there is a more important one."""
    updates, notice = show(page, state, *changed), page.parts["notice"]
    return {**updates, notice: updates[notice] or said}


def keep_notice(page: PageComponents, updates: Updates) -> Updates:
    """Returns updates without an empty notice: the message on show stays until there is another one."""
    notice = page.parts["notice"]
    return updates if updates.get(notice) else {part: each for part, each in updates.items() if part != notice}


def part_updates(page: PageComponents, update: PageUpdate) -> Updates:
    """Returns the new values of the parts of the page; parts that do not change are left out."""
    values = ((part, getattr(update, name)) for name, part in page.parts.items())
    updates: Updates = {part: value for part, value in values if value is not None}
    return updates if update.beside is None else {**updates, page.side: gr.Column(visible=update.beside)}


def state_updates(page: PageComponents, state: PageState, *names: str) -> Updates:
    """Returns the new values of the components that hold fields of the state, for its settings of the knobs too.

    Fields and settings that the event has not changed are left out: the visitor may have changed them meanwhile.
    """
    updates: Updates = {page.state[name]: getattr(state, name) for name in names if _has_changed(state, name)}
    if page.state["settings"] not in updates:
        return updates
    config = state.config()
    changed = list_changes(state.began.settings, state.settings) if state.began else list(page.knobs)
    values = dict(zip(page.knobs, values_of(config), strict=True))
    updates |= {page.knobs[path]: values[path] for path in changed}
    if state.began:
        updates[page.state["settings"]] = mark_changes(state.settings, changed)
    updates[page.knobs[NAME]] = weights_update(config)
    return updates


def _has_changed(state: PageState, name: str) -> bool:
    began = state.began
    if began is None or getattr(state, name) != getattr(began, name):
        return True
    return name == "pick" and state.user_picture != began.user_picture  # a click made meanwhile belongs to the old one


def weights_update(config: Config) -> gr.Dropdown:
    """Returns the update of the list of weights, which names a file without its path."""
    return gr.Dropdown(choices=list_choices(config), value=to_key(config.model.weights))


def state_components(page: PageComponents, name: str) -> list[Component]:
    """Returns the components that hold a field of the state; for its settings these are all knobs too."""
    return [page.state[name], *(page.knobs.values() if name == "settings" else ())]
