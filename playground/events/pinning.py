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
    states = [parts.pinned, parts.pinned_own, parts.beside, *parts.shown]
    buttons["pin"].click(refusing(3, _pin), parts.asked, states, **LIVE)
    buttons["unpin"].click(_unpin, parts.asked, states, **LIVE)
    buttons["beside"].click(_beside, parts.asked, [parts.beside, *parts.shown], **LIVE)
    outputs = [parts.own, *parts.all_settings, *parts.shown]
    buttons["to_pinned"].click(refusing(len(outputs) - len(parts.shown), _to_pinned), parts.asked, outputs, **LIVE)


def _pin(*inputs: Any) -> list:
    asked = PageState(*inputs)
    asked = asked._replace(pinned=pin_of(asked.config()), pinned_own=asked.own)
    return [asked.pinned, asked.pinned_own, asked.beside, *updates(show(asked))]


def _unpin(*inputs: Any) -> list:
    asked = PageState(*inputs)._replace(pinned="", pinned_own=None, beside=False)
    return ["", None, False, *updates(show(asked)._replace(beside=False))]


def _beside(*inputs: Any) -> list:
    asked = PageState(*inputs)
    asked = asked._replace(beside=not asked.beside)
    return [asked.beside, *updates(show(asked))]


def _to_pinned(*inputs: Any) -> list:
    asked = PageState(*inputs)
    config = asked.pinned_config()
    asked = asked._replace(own=asked.pinned_own, settings=settings_of(config))
    return [asked.own, *shown_settings(config), *updates(show(asked))]
