"""Pinning settings as A: the page then lists what changed since, and shows both pictures side by side."""

from core.config import knobs
from playground.events.common import LIVE, Updates, listen, show
from playground.layout.components import PageComponents
from playground.state.page_state import PageState, pin_of


def connect_pinning(page: PageComponents) -> None:
    """Connects the buttons that pin, unpin, go back to A, and show both pictures."""
    pinned = ("pinned", "pinned_picture", "beside")
    back = ("user_picture", "pick", "settings")

    def pin(state: PageState) -> Updates:
        state = state._replace(pinned=pin_of(state.config()), pinned_picture=state.user_picture)
        return show(page, state, *pinned)

    def unpin(state: PageState) -> Updates:
        return show(page, state._replace(pinned="", pinned_picture=None, beside=False), *pinned)

    def put_beside(state: PageState) -> Updates:
        return show(page, state._replace(beside=not state.beside), "beside")

    def go_back(state: PageState) -> Updates:
        state = state.setting(state.pinned_config(), knobs())._replace(user_picture=state.pinned_picture, pick=None)
        return show(page, state, *back)

    pins = page.pins
    listen(page, page.header.pin.click, pin, changes=pinned, **LIVE)
    listen(page, pins.unpin.click, unpin, changes=pinned, **LIVE)
    listen(page, pins.beside.click, put_beside, changes=["beside"], **LIVE)
    listen(page, pins.to_pinned.click, go_back, changes=back, **LIVE)
