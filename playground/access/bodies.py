"""Validation of the JSON that is sent to Gradio's routes: only the fields that the page uses are passed on."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeGuard

import gradio as gr
from gradio.route_utils import API_PREFIX

MAX_BODY = 2**20  # bytes; what the page sends is some kilobytes
MAX_NUMBER = 2**31
NAME = re.compile(r"[\w-]{1,64}", re.ASCII)  # of a session, an event, a function

Body = dict[str, Any]


class Passed(NamedTuple):
    """What is passed on to Gradio.

    Attributes:
        content: The body.
        session: The name of the window that sent it, "" for none.
        function: The number of the event's function, −1 for none.
    """

    content: bytes
    session: str
    function: int


def rewrite(path: str, content: bytes, blocks: gr.Blocks) -> Passed | int:
    """Returns what to pass on to Gradio, or the HTTP status of a refusal.

    Args:
        path: A route that takes JSON.
        content: What was sent; untrusted.
        blocks: The page.
    """
    try:
        sent = json.loads(content)
        body = _READERS[path.removeprefix(f"{API_PREFIX}/").strip("/")](sent, blocks) if isinstance(sent, dict) else 400
        if isinstance(body, int):
            return body
        return Passed(json.dumps(body).encode(), body.get("session_hash", ""), body.get("fn_index", -1))
    except (ValueError, RecursionError):  # no JSON, or nested too deeply to be written again
        return 400


def _read_event(sent: Body, blocks: gr.Blocks) -> Body | int:
    """An event: `fn_index` names what handles it, `trigger_id` the component that it comes from."""
    index, trigger, data = (sent.get(key) for key in ("fn_index", "trigger_id", "data"))
    function = blocks.fns.get(index) if _is_number(index) else None
    if function is None or function.fn is None:  # those without a function are for the browser alone
        return 400
    if not isinstance(data, list) or len(data) < len(function.inputs) or not _is_name(sent.get("session_hash")):
        return 400
    if trigger is not None and not _is_number(trigger):
        return 400
    return _pick(sent, "data", "event_data", "fn_index", "trigger_id", "session_hash")


def _read_call(sent: Body, blocks: gr.Blocks) -> Body | int:
    """A call of a function of a component."""
    number, name = sent.get("component_id"), sent.get("fn_name")
    block = blocks.blocks.get(number) if _is_number(number) else None
    if not _is_name(name) or not _is_name(sent.get("session_hash")) or "data" not in sent:
        return 400
    if not getattr(getattr(block, name, None), "_is_server_fn", False):
        return 400
    return _pick(sent, "data", "component_id", "fn_name", "session_hash")


def _read_cancel(sent: Body, blocks: gr.Blocks) -> Body | int:
    """The end of an event that nobody waits for any more."""
    names = _is_name(sent.get("session_hash")) and _is_name(sent.get("event_id"))
    kept = ("session_hash", "fn_index", "event_id")
    return _pick(sent, *kept) if names and _is_number(sent.get("fn_index")) else 400


def _read_reset(sent: Body, blocks: gr.Blocks) -> Body | int:
    return _pick(sent, "event_id") if _is_name(sent.get("event_id")) else 400


_READERS: dict[str, Callable[[Body, gr.Blocks], Body | int]] = {
    "queue/join": _read_event,
    "run/predict": _read_event,
    "component_server": _read_call,
    "cancel": _read_cancel,
    "reset": _read_reset,
}


def _pick(sent: Body, *names: str) -> Body:
    return {name: sent[name] for name in names if name in sent}


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_NUMBER


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and NAME.fullmatch(value) is not None
