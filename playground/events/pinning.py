"""Pinning the present as A: afterwards the page tells what changed, and shows both side by side."""

from typing import Any

from playground.events.common import LIVE, refusing, shown_settings, updates
from playground.layout.layout import Parts
from playground.server.render import show
from playground.state.page_state import PageState, pin_of
from playground.state.settings import settings_of


def connect_pinning(parts: Parts) -> None:
    """Pin, unpin, back to A, and side by side."""
    buttons = parts.buttons
    states = [parts.pinned, parts.pinned_picture, parts.beside, *parts.shown]
    buttons["pin"].click(refusing(3, _pin), parts.state, states, **LIVE)
    buttons["unpin"].click(_unpin, parts.state, states, **LIVE)
    buttons["beside"].click(_beside, parts.state, [parts.beside, *parts.shown], **LIVE)
    outputs = [parts.user_picture, *parts.all_settings, *parts.shown]
    buttons["to_pinned"].click(refusing(len(outputs) - len(parts.shown), _to_pinned), parts.state, outputs, **LIVE)


def _pin(*inputs: Any) -> list:
    state = PageState(*inputs)
    state = state._replace(pinned=pin_of(state.config()), pinned_picture=state.user_picture)
    return [state.pinned, state.pinned_picture, state.beside, *updates(show(state))]


def _unpin(*inputs: Any) -> list:
    state = PageState(*inputs)._replace(pinned="", pinned_picture=None, beside=False)
    return ["", None, False, *updates(show(state)._replace(beside=False))]


def _beside(*inputs: Any) -> list:
    state = PageState(*inputs)
    state = state._replace(beside=not state.beside)
    return [state.beside, *updates(show(state))]


def _to_pinned(*inputs: Any) -> list:
    state = PageState(*inputs)
    config = state.pinned_config()
    state = state._replace(user_picture=state.pinned_picture, settings=settings_of(config))
    return [state.user_picture, *shown_settings(config), *updates(show(state))]
